"""`panelry bench deliver`: one engine that tells endpoints what happened, many of them and one."""

import base64
import hashlib
import hmac
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from panelry.domain import ids, webhooks
from panelry.domain.catalog import ServiceId
from panelry.domain.vault import open_vault
from panelry.domain.webhooks import Reason, WebhookId
from panelry.ops.bench import in_flight
from panelry.ops.bench.children import child
from panelry.ops.bench.figures import Figures, figures
from panelry.ops.bench.ground import Customer, Ground
from panelry.ops.bench.pgbench import SCALE, Baseline
from panelry.ops.bench.progress import Steps
from panelry.ops.bench.working import Work, work
from panelry.ops.session import CommandFailed

ACCOUNTS: Final = 1_000
CALM: Final = 100
"""Events that are told while nothing else waits, one after the other."""
BETWEEN_SECONDS: Final = 0.03
RECORDED: Final = "deliveries_recorded"
WAITS: Final = """
    SELECT extract(epoch FROM finished_at - created_at)::float8 FROM deliveries
    WHERE webhook_id = ANY (%s) AND state = 'delivered'"""
ACKNOWLEDGED: Final = "SELECT event_id, count(*) FROM delivery_attempts WHERE status = 204 GROUP BY event_id"
UNTOLD: Final = """
    SELECT count(*) FROM deliveries d WHERE d.state = 'delivered' AND NOT EXISTS (
      SELECT FROM delivery_attempts a WHERE a.account_id = d.account_id AND a.webhook_id = d.webhook_id
        AND a.event_id = d.event_id AND a.status = 204)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints:
    """Customers with an endpoint each, and the secrets by the paths of these."""

    customers: Sequence[Customer]
    ids: Sequence[WebhookId]
    secrets: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Deliveries a second from a backlog, and how long one took from the change to the answer where nothing waited."""

    figures: Figures
    secrets: Mapping[str, str]
    memory_mb: int


def deliver(
    ground: Ground, steps: Steps, *, events: int, seconds: float, accounts: int = ACCOUNTS, scale: int = SCALE
) -> dict[str, Any]:
    """Measure one engine's deliveries of so many events to many endpoints (`spread`), and to one (`hot`).

    Raises `CommandFailed` where the books are wrong afterwards, a signature is, or an event was not told exactly as
    often as was acknowledged.
    """
    with child("panelry.ops.bench.receiver") as receiver, child("panelry.ops.bench.upstream") as upstream:
        url, provider = (f"http://127.0.0.1:{one.next()['port']}" for one in (receiver, upstream))
        with steps("pgbench's tables"):
            [service] = ground.services(1, url=f"{provider}/api/v2")
            in_flight.open_only(ground, "none")
            baseline = Baseline(ground.url, scale=scale)
        with steps("pgbench, before", seconds=seconds):
            baseline.run(seconds)
        measure = _Measure(ground=ground, steps=steps, service=service, url=url, seconds=seconds)
        measured = {
            name: measure(name, accounts=count, events=told)
            for name, count, told in (("spread", accounts, events), ("hot", 1, max(events // 10, 1)))
        }
        receiver.tell_to_end()
        received = receiver.next()
    with steps("pgbench, after", seconds=seconds):
        baseline.run(seconds)
    with steps("the books"):
        secrets = {path: secret for one in measured.values() for path, secret in one.secrets.items()}
        wrong = [*ground.wrong(), *_wrong(ground, received, secrets)]
    if wrong:
        raise CommandFailed(f"it is wrong: {wrong[0]}", {"verified": False, "wrong": wrong})
    return {
        "events": events,
        "pgbench_per_second": round(baseline.per_second, 1),
        **{
            name: one.figures.shown(ratio_to_pgbench=one.figures.per_second / baseline.per_second)
            for name, one in measured.items()
        },
        "memory_mb": {"engine": max(one.memory_mb for one in measured.values())},
        "verified": True,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Measure:
    ground: Ground
    steps: Steps
    service: ServiceId
    url: str
    seconds: float

    def __call__(self, name: str, *, accounts: int, events: int) -> Measured:
        """Deliver what waits at these endpoints, then give up what is left, and tell others of one thing at a time."""
        busy, calm = (self._endpoints(f"{name}-{kind}", accounts) for kind in ("busy", "calm"))
        with self.steps(f"{events:,} events, {name}", total=events) as advance:
            in_flight.place(self.ground, busy.customers, [self.service], events, advance)
        self.ground.analyse()
        with self.steps(f"deliver, {name}", seconds=self.seconds):
            hurried = work(self.ground, RECORDED, until=events, seconds=self.seconds)
        with self.ground.pool.transaction() as conn:
            webhooks.disable(conn, busy.ids, reason=Reason.OWNER)
        with self.steps(f"one at a time, {name}", seconds=CALM * BETWEEN_SECONDS):
            work(
                self.ground, RECORDED, until=CALM, seconds=self.seconds, meanwhile=lambda: self._trickle(calm)
            )
        return Measured(
            figures=self._figures(hurried, calm),
            secrets={**busy.secrets, **calm.secrets},
            memory_mb=hurried.memory_mb,
        )

    def _endpoints(self, name: str, count: int) -> Endpoints:
        customers = self.ground.customers(count)
        vault = open_vault(self.ground.settings)
        paths = [f"/{name}/{number}" for number in range(count)]
        with self.ground.pool.transaction() as conn:
            made = [
                webhooks.add(conn, vault, customer.account_id, url=self.url + path)
                for customer, path in zip(customers, paths, strict=True)
            ]
        secrets = {path: one.secret for path, one in zip(paths, made, strict=True)}
        return Endpoints(customers=customers, ids=[one.id for one in made], secrets=secrets)

    def _trickle(self, calm: Endpoints) -> None:
        for number in range(CALM):
            customer = calm.customers[number % len(calm.customers)]
            in_flight.place(self.ground, [customer], [self.service], 1, lambda _: None)
            time.sleep(BETWEEN_SECONDS)

    def _figures(self, hurried: Work, calm: Endpoints) -> Figures:
        with self.ground.pool.connection() as conn:
            waits = [wait for (wait,) in conn.execute(WAITS, [list(calm.ids)])]
        per_second = hurried.per_second("count")
        return figures(waits, during=len(waits) / per_second)


def _wrong(ground: Ground, received: Mapping[str, Any], secrets: Mapping[str, str]) -> list[str]:
    with ground.pool.connection() as conn:
        rows = conn.execute(ACKNOWLEDGED).fetchall()
        [[untold]] = conn.execute(UNTOLD).fetchall()
    acknowledged = {ids.show(ids.EVENT, event): count for event, count in rows}
    posts: Mapping[str, int] = received["posts"]
    found = [
        f"{event} was posted {posts.get(event, 0)} times, {acknowledged.get(event, 0)} are stored"
        for event in posts.keys() | acknowledged.keys()
        if posts.get(event, 0) != acknowledged.get(event, 0)
    ]
    found += [
        f"a signature of {post['webhook-id']} is wrong"
        for post in received["kept"]
        if not is_signed(post, secrets)
    ]
    return found + ([f"{untold} deliveries count as made and were not"] if untold else [])


def is_signed(post: Mapping[str, str], secrets: Mapping[str, str]) -> bool:
    """Tell whether a post carries the signature of its endpoint, reckoned here as receivers do."""
    key = base64.b64decode(secrets[post["path"]].removeprefix("whsec_"))
    content = f"{post['webhook-id']}.{post['webhook-timestamp']}.{post['body']}".encode()
    expected = "v1," + base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()
    return hmac.compare_digest(expected, post["webhook-signature"])
