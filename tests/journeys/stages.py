"""A handful of orders, one for each way that an order can go, with providers of their own: what engines are killed over."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from json import dumps
from pathlib import Path
from typing import Any

import psycopg
from panels import until

from connectors.sandboxes import Upstream
from given import Given, draft, upstream_service
from panelry.database.pool import Conn
from panelry.domain import catalog, ids, money, orders, providers, refills
from panelry.domain.accounts import AccountId
from panelry.domain.orders import Attempt, OrderId, Placed, SubmissionState
from panelry.domain.providers import Accepted, Unknown, UpstreamService
from panelry.domain.refills import RefillId, Wanted

SPEED = 20
IN_VIEW = (SubmissionState.UNKNOWN, SubmissionState.QUARANTINED)
# What the orders at the main provider are bought as. The runs of a drip-feed are bought under one link.
MAIN = {
    "completed": "1",
    "partial": "3",
    "cancelled": "4",
    "refused": "5",
    "asked to cancel": "11",
    "refilled": "10",
    "in runs": "1",
    "lost": "7",
    "abandoned": "1",
}
ROLES = (*MAIN, "failed over", "known", "looked for")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """What became of an order, for its customer, and how often its provider sold it."""

    state: str
    kept: str
    refunds: int
    bought: int
    refills: tuple[str, ...] = ()


@dataclass(slots=True)
class Stage:
    """A database for one set of orders after the other, and the customer whose they are."""

    url: str
    dialect: str = "classic"
    account: AccountId | None = None
    orders: dict[str, OrderId] = field(default_factory=dict)
    upstreams: dict[str, Upstream] = field(default_factory=dict)
    refill: RefillId = field(default_factory=lambda: RefillId(ids.new()))

    def connect(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self.url, autocommit=True)

    def later(self, offset: str) -> None:
        """Move the clock of all connections that are made from now on, counted from the beginning."""
        with self.connect() as conn:
            conn.execute(f"ALTER DATABASE \"{conn.info.dbname}\" SET panelry.clock_offset = '{offset}'")

    def set_up(self, dialect: str, folder: Path, open_upstream: Callable[..., Upstream]) -> None:
        """Place all orders anew. One is half sent by an engine that died, one is unknown, one has a run left to make."""
        self.dialect, self.orders = dialect, {}
        self._clear()
        with self.connect() as conn:
            given = Given(conn)
            with conn.transaction():
                customer = given.customer("100")
                self.account = customer.account
                speaks = "panelry" if dialect == "panelry" else "panel_v2"
                main, refusing, quiet = (given.provider(dialect=speaks) for _ in range(3))
                bought = sorted(set(MAIN.values()))
                services = dict(
                    zip(bought, given.services(main, [_row(service) for service in bought]), strict=True)
                )
                [elsewhere] = given.services(refusing, [_row("1")])
                catalog.add_route(conn, elsewhere, main, "1", priority=200)
                [hushed] = given.services(quiet, [_row("1")])

            def place(role: str, service: catalog.ServiceId, **more: str) -> None:
                [placed] = orders.place(conn, [draft(customer, service, link=link(role), **more)])
                assert isinstance(placed, Placed), placed
                self.orders[role] = placed.order_id

            known, lost = ("1", "2") if dialect == "classic" else (_new_id(), _new_id())
            with conn.transaction():
                place("known", hushed)
                [first] = given.attempts(quiet)
                given.answered(first, Accepted(upstream_id=known))
            with conn.transaction():
                place("looked for", hushed)
                [second] = given.attempts(quiet)
                given.answered(second, Unknown(text="no answer"), resendable=dialect == "panelry")
                place("abandoned", services["1"])
                given.attempts(main)
                place("in runs", services["1"], runs="2", interval="1")
                orders.make_runs(conn)
                for role in MAIN.keys() - self.orders.keys():
                    place(role, services[MAIN[role]])
                place("failed over", elsewhere)
            lines = [_line(known, "known", first), _line(lost, "looked for", second)]
            (folder / "quiet").write_text("".join(dumps(line) + "\n" for line in lines))
            for name, provider in (("main", main), ("refusing", refusing), ("quiet", quiet)):
                upstream = open_upstream(folder / name, speed=SPEED, dialect=dialect)
                providers.move(conn, provider, upstream.url)
                self.upstreams[name] = upstream
        self.upstreams["refusing"].faults(next={"action": "add", "fault": "refuses_quantity", "times": 100})

    def act(self, conn: Conn) -> bool:
        """Let the customer do what is its turn, and tell whether all is over or waits for a person."""
        assert self.account
        key = (self.account, self.orders["asked to cancel"])
        with conn.transaction():
            if conn.execute(_ACCEPTED, [link("asked to cancel"), "processing"]).fetchall():
                orders.cancel(conn, [key], actor="customer")
            if conn.execute(_ACCEPTED, [link("refilled"), "completed"]).fetchall():
                wish = Wanted(id=self.refill, account_id=self.account, order_id=self.orders["refilled"])
                refills.request(conn, [wish], actor="customer")
            # Where a provider knows our request ids, no outcome stays unknown.
            waits = IN_VIEW if self.dialect == "classic" else IN_VIEW[1:]
            return conn.execute(_OPEN, [list(waits)]).fetchall() == [(0,)]

    def in_view(self, conn: Conn) -> set[str]:
        """Return the orders that staff are shown as unknown or in quarantine, with evidence."""
        rows = orders.submissions_in(conn, IN_VIEW)
        assert all(row["evidence"] for row in rows)
        return _roles(row["link"] for row in rows)

    def sending(self, conn: Conn) -> set[str]:
        """Return the orders whose call an engine has under way."""
        return _roles(link for (link,) in conn.execute(_SENDING))

    def endings(self, conn: Conn) -> dict[str, Ending]:
        lines = [line for upstream in self.upstreams.values() for line in upstream.lines()]
        bought = Counter(line["link"] for line in lines if "quantity" in line)
        return {
            role: Ending(
                state=state,
                kept=money.text(kept),
                refunds=refunds,
                bought=bought[link(role)],
                refills=tuple(refilled),
            )
            for role, id_ in self.orders.items()
            for state, kept, refunds, refilled in conn.execute(_ENDING, [id_])
        }

    def tried(self, conn: Conn, role: str) -> list[Any]:
        """Return the submissions of an order, for whoever has to find out what went wrong."""
        return conn.execute(_TRIED, [link(role)]).fetchall()

    def _clear(self) -> None:
        """Be as empty as a new database, which takes longer to make: guards and foreign keys look away."""
        with self.connect() as conn:
            conn.execute(f'ALTER DATABASE "{conn.info.dbname}" RESET panelry.clock_offset')
            until(lambda: conn.execute(_END_OTHERS).fetchall() == [])
        with self.connect() as conn, conn.transaction():
            conn.execute("SET LOCAL session_replication_role = replica")
            for (table,) in conn.execute(_TABLES, [list(KEPT)]).fetchall():
                conn.execute(f"DELETE FROM {table}")  # noqa: S608 (the name is the catalogue's)


KEPT = ("auth_permission", "django_content_type", "django_migrations", "panel", "tiers")
_END_OTHERS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"""
_TABLES = """
SELECT relname FROM pg_class
WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> ALL (%s)"""
_ACCEPTED = """
SELECT FROM submissions s JOIN orders o ON o.account_id = s.account_id AND o.id = s.order_id
WHERE s.state = 'accepted' AND o.link = %s AND o.state = %s"""
_SENDING = """
SELECT o.link FROM submissions s JOIN orders o ON o.account_id = s.account_id AND o.id = s.order_id
WHERE s.state = 'sending'"""
_TRIED = """
SELECT s.state, s.due_at - clock_now(), s.evidence::text
FROM submissions s JOIN orders o ON o.account_id = s.account_id AND o.id = s.order_id WHERE o.link = %s"""
_OPEN = """
SELECT (SELECT count(*) FROM orders o WHERE o.finished_at IS NULL AND o.provider_id IS NOT NULL AND NOT EXISTS (
          SELECT FROM submissions s WHERE s.account_id = o.account_id AND s.order_id = o.id AND s.state = ANY (%s)))
     + (SELECT count(*) FROM drip_feeds WHERE due_at IS NOT NULL)
     + (SELECT count(*) FROM refills WHERE finished_at IS NULL)"""
_ENDING = """
SELECT o.state, o.charge_micros - o.refunded_micros,
       (SELECT count(*) FROM transfers t WHERE t.order_id = o.id AND t.target = 'wallet'),
       ARRAY(SELECT r.state FROM refills r WHERE r.order_id = o.id)
FROM orders o WHERE o.id = %s"""


def link(role: str) -> str:
    return f"https://example.com/{role.replace(' ', '-')}"


def _roles(links: Iterable[str]) -> set[str]:
    names = {link(role): role for role in ROLES}
    return {names[one] for one in links}


def _row(service: str) -> UpstreamService:
    return replace(upstream_service(service), dripfeed=service == "1")


def _new_id() -> str:
    return ids.show(ids.ORDER, ids.new())


def _line(upstream_id: str, role: str, attempt: Attempt) -> Mapping[str, object]:
    """Write what the quiet provider's log says of an order that it took before any engine was started."""
    return {
        "order": int(upstream_id) if upstream_id.isdigit() else upstream_id,
        "service": 1,
        "link": link(role),
        "quantity": 100,
        "request_id": attempt.request_id,
        "at": datetime(2026, 1, 1, tzinfo=UTC).isoformat(),
    }
