"""5,000 events to twenty receivers of which a third are hostile, by engines that are killed twice: nothing is lost."""

from collections import Counter, defaultdict
from pathlib import Path

from deliveries import Stage
from panels import until
from standardwebhooks.webhooks import Webhook

import receivers
from given import Customer, Given, draft
from hooks import endpoint
from panelry import settings as panelry_settings
from panelry.database.pool import Conn, Pool
from panelry.domain import ids, orders, providers
from panelry.domain.orders import Placed
from panelry.domain.vault import open_vault
from receivers import Receivers, receiving

SETTINGS = {
    "PANELRY_WEBHOOK_TOTAL_SECONDS": "0.3",
    "PANELRY_POLL_SECONDS": "0.05",
}
HOSTILE = {
    "stalls": receivers.at_first(receivers.stalls),
    "resets": receivers.at_first(receivers.resets, 2),
    "trickles": receivers.at_first(receivers.trickles),
    "fails": receivers.at_first(receivers.fails, 3),
    "floods": receivers.floods,
    "garbage": receivers.talks_garbage,
    "redirects": receivers.redirects,
    "gone": receivers.is_gone,
}
HEALTHY = {f"healthy-{number}": receivers.takes for number in range(14)}
FOREVER = {"garbage", "redirects", "gone"}
EVENTS_OF_HOSTILE = 60
EVENTS = 5_000


def test_every_event_arrives_or_is_listed_whatever_receivers_do_and_though_engines_are_killed(
    fresh_database: str, fresh_pool: Pool, folder: Path
) -> None:
    stage = Stage(url=fresh_database, folder=folder, settings=SETTINGS)
    with receiving({**HEALTHY, **HOSTILE}) as shops:
        happened = _orders(stage, fresh_pool, shops)
        assert stage.count("waiting") == EVENTS
        try:
            stage.start()
            for part in (1000, 2500):
                until(lambda part=part: stage.is_beyond(part))  # type: ignore[misc]
                stage.kill()
                assert stage.count("waiting", "sending") > 0, "all was over before the kill"
                stage.start()
            stage.start()
            until(lambda: stage.is_beyond(EVENTS))
            _assert_all_is_told(stage, shops, happened)
            _assert_redelivery(stage, shops)
        finally:
            stage.stop()


def _orders(stage: Stage, pool: Pool, shops: Receivers) -> dict[str, set[str]]:
    """Place 5,000 orders of customers who want to be told of them; return the ids of the events of each."""
    vault = open_vault(panelry_settings.load())
    paths = [*HEALTHY, *HOSTILE]
    with pool.transaction() as conn:
        given = Given(conn)
        provider = given.provider()
        service = given.service(provider)
        customers = {path: given.customer("1000") for path in paths}
        for path, customer in customers.items():
            stage.shops[path] = endpoint(conn, customer, shops.url(path), ["order.created"], vault=vault)
    left = EVENTS - EVENTS_OF_HOSTILE * len(HOSTILE)
    counts = dict.fromkeys(HOSTILE, EVENTS_OF_HOSTILE)
    for number, path in enumerate(HEALTHY):
        counts[path] = left // (len(HEALTHY) - number)
        left -= counts[path]
    drafts = [draft(customers[path], service) for path, count in counts.items() for _ in range(count)]
    for start in range(0, EVENTS, 250):
        with pool.transaction() as conn:
            placed = orders.place(conn, drafts[start : start + 250])
            assert all(isinstance(one, Placed) for one in placed)
    with pool.transaction() as conn:
        providers.pause(conn, {provider}, "staff")
        return {path: _events(conn, customer) for path, customer in customers.items()}


def _events(conn: Conn, customer: Customer) -> set[str]:
    query = "SELECT id FROM events WHERE account_id = %s AND type = 'order.created'"
    return {ids.show(ids.EVENT, id_) for (id_,) in conn.execute(query, [customer.account])}


def _assert_all_is_told(stage: Stage, shops: Receivers, happened: dict[str, set[str]]) -> None:
    bodies: dict[str, set[bytes]] = defaultdict(set)
    heard: dict[str, set[str]] = defaultdict(set)
    for one in shops.heard:
        said = Webhook(stage.shops[one.path].secret).verify(one.body, dict(one.headers))
        assert said["id"] == one.id
        bodies[one.id].add(one.body)
        heard[one.path].add(one.id)
    assert {len(said) for said in bodies.values()} == {1}, "one id has one body"
    assert max(shops.most.values()) == receivers.MOST
    assert all(heard[path] <= events for path, events in happened.items())
    with stage.connect() as conn:
        rows = conn.execute(_OUTCOMES).fetchall()
        letters = conn.execute(
            "SELECT data->>'reason' FROM letters WHERE template = 'webhook_disabled'"
        ).fetchall()
    outcomes: dict[str, Counter[str]] = {path: Counter() for path in happened}
    for url, state, count in rows:
        outcomes[url.rpartition("/")[2]][state] = count
    for path, events in happened.items():
        end = "exhausted" if path in FOREVER else "delivered"
        assert outcomes[path] == {end: len(events)}, path
        assert path in FOREVER or heard[path] == events
    assert letters == [("gone",)]
    assert len(heard["gone"]) <= 4, "two were under way, and what a kill left of them"


def _assert_redelivery(stage: Stage, shops: Receivers) -> None:
    """An operator has everything that a receiver missed delivered again, under the ids that it had."""
    webhook = ids.show(ids.WEBHOOK, stage.shops["redirects"].id)
    listed = stage.cli("webhook", "deliveries", webhook, "--state", "exhausted", "--limit", "1000")[
        "deliveries"
    ]
    assert len(listed) == EVENTS_OF_HOSTILE
    assert {(one["type"], one["last_result"]) for one in listed} == {("order.created", "HTTP 307")}
    shops.behaviours = {**shops.behaviours, "redirects": receivers.takes}
    assert stage.cli("webhook", "redeliver", webhook, "--event", listed[0]["event"]) == {"redelivered": 1}
    again = stage.cli("webhook", "redeliver", webhook, "--since", "2020-01-01T00:00:00.5+02:00", "--failed")
    assert again["redelivered"] >= EVENTS_OF_HOSTILE - 1
    until(lambda: stage.is_beyond(EVENTS))
    listed = stage.cli("webhook", "deliveries", webhook, "--limit", "1000")["deliveries"]
    assert {(one["state"], one["last_result"]) for one in listed} == {("delivered", "HTTP 200")}


_OUTCOMES = """
SELECT w.url, d.state, count(*) FROM deliveries d JOIN webhooks w ON w.id = d.webhook_id GROUP BY 1, 2"""
