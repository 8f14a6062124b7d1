"""Whoever claims work finds what is due by an index, however much waits: nothing is sorted, no table is read through."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from given import LEASE, Customer, Given, draft, upstream_service
from panelry.database.pool import Conn, Pool
from panelry.database.statements import Statements
from panelry.domain import ids, letters, orders, refills
from panelry.domain.letters import Letter
from panelry.domain.orders import CUSTOMER, OrderId
from panelry.domain.orders.rules.answers import NOT_REPEATABLE, OURS
from panelry.domain.providers import ProviderId, Unknown, UpstreamState
from panelry.domain.refills import RefillId, Wanted

DOMAIN = Path(__file__).parents[2] / "src" / "panelry" / "domain"
SQL = {
    name: Statements(DOMAIN / name / ("statements" if name in {"orders", "webhooks"} else "statements.sql"))
    for name in ("orders", "webhooks", "refills", "letters")
}
MANY, ENDPOINTS = 20_000, 200
LARGE = {"orders", "submissions", "cancels", "drip_feeds", "refills", "deliveries", "letters"}

# One of each kind is made by the operations, and many more like it by copying.
COPY = """
    INSERT INTO {table} SELECT copy.* FROM (SELECT t FROM {table} t WHERE {which} LIMIT 1) AS one
    CROSS JOIN generate_series(1, {many}) n CROSS JOIN LATERAL jsonb_populate_record(
      one.t, jsonb_build_object({changes}, 'due_at', clock_now() - n * interval '1 millisecond')) AS copy"""


@dataclass(frozen=True, slots=True)
class Crowd:
    """A database in which very much is due, most of it at one provider."""

    pool: Pool
    values: dict[str, Any]


def _key(kind: str, n: str = "n") -> str:
    return f"md5('{kind}' || {n})::uuid"


def _copies(conn: Conn, table: str, which: str = "true", many: int = MANY, **changes: str) -> None:
    said = ", ".join(f"'{name}', {value}" for name, value in changes.items())
    conn.execute(COPY.format(table=table, which=which, changes=said, many=many).encode())


def _in_runs(given: Given, customer: Customer) -> None:
    [service] = given.services(None, [upstream_service(dripfeed=True)])
    orders.place(given.conn, [draft(customer, service, runs="3", interval="10")])
    _copies(given.conn, "orders", "provider_id IS NULL", id=_key("runs"), request_id="'runs' || n")
    _copies(given.conn, "drip_feeds", order_id=_key("runs"))


def _sent(conn: Conn, order: OrderId, kind: str, upstream_id: str) -> None:
    """Let there be many orders like one that was sent."""
    _copies(conn, "orders", f"id = '{order}'", id=_key(kind), request_id=f"'{kind}' || n")
    _copies(
        conn, "submissions", f"order_id = '{order}'", id=_key(f"sent {kind}"), order_id=_key(kind),
        upstream_id=upstream_id,
    )  # fmt: skip


def _populate(given: Given) -> ProviderId:
    conn, provider = given.conn, given.provider()
    service, customer = given.service(provider), given.customer("100")
    given.webhook(customer)

    accepted = given.ended(customer, service, UpstreamState.COMPLETED, remains=0)
    refills.request(conn, [Wanted(id=RefillId(ids.new()), account_id=customer.account, order_id=accepted)], actor=CUSTOMER)  # fmt: skip
    _sent(conn, accepted, "accepted", "n::text")
    _copies(conn, "refills", id=_key("refill"), order_id=_key("accepted"))

    wanted_back = given.placed(customer, service)
    given.accepted(provider)
    orders.cancel(conn, [(customer.account, wanted_back)], actor=CUSTOMER)
    _copies(conn, "cancels", order_id=_key("accepted"))

    for kind, resendable in (("lost", False), ("asked again", True)):
        lost = given.placed(customer, service)
        [attempt] = given.attempts(provider)
        given.answered(attempt, Unknown(text="lost"), resendable=resendable)
        _sent(conn, lost, kind, "NULL::text")

    waiting = given.placed(customer, service)
    _copies(conn, "orders", f"id = '{waiting}'", id=_key("waiting"), request_id="'waiting' || n")
    _in_runs(given, customer)

    _copies(conn, "webhooks", many=ENDPOINTS, id=_key("hook"))
    _copies(
        conn, "deliveries", many=3 * MANY, webhook_id=_key("hook", f"(n % {ENDPOINTS} + 1)"), event_id=_key("event")
    )  # fmt: skip
    letters.write(conn, Letter(recipient="a@example.com", template="t", data={}, reference="r"))
    _copies(conn, "letters", id=_key("letter"), reference="'letter' || n")
    return provider


@pytest.fixture(scope="module")
def crowd(module_pool: Pool) -> Crowd:
    with module_pool.transaction() as conn:
        provider = _populate(Given(conn))
    with module_pool.connection() as conn:
        conn.execute("VACUUM ANALYZE")
        hooks = [row[0] for row in conn.execute("SELECT id FROM webhooks LIMIT 16")]
    values = {
        "provider_id": provider, "most": 100, "lease": LEASE, "since": None, "max_in_flight": 100,
        "not_repeatable": NOT_REPEATABLE, "provider_ids": [provider], "webhook_ids": hooks, "each": 2, "doubtful": 32,
        "ours": list(OURS),
    }  # fmt: skip
    return Crowd(module_pool, values)


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from _nodes(part)


def _explained(conn: Conn, crowd: Crowd, area: str, name: str) -> list[dict[str, Any]]:
    statement = SQL[area][name]
    explaining = replace(statement, query=b"EXPLAIN (FORMAT JSON) " + statement.query)
    values = {key: value for key, value in crowd.values.items() if f"({key})".encode() in statement.query}
    [[[said]]] = explaining(conn, **values).fetchall()
    return list(_nodes(said["Plan"]))


@pytest.mark.parametrize(
    ("area", "name", "index"),
    [
        ("orders", "claim_waiting", "orders_waiting"),
        ("orders", "claim_tracking", "submissions_followed"),
        ("orders", "claim_unknown", "submissions_due"),
        ("orders", "claim_lookups", "submissions_due"),
        ("orders", "abandoned", "submissions_due"),
        ("orders", "claim_cancels", "cancels_waiting"),
        ("orders", "claim_drip_feeds", "drip_feeds_due"),
        ("refills", "claim", "refills_due"),
        ("letters", "claim", "letters_due"),
        ("webhooks", "lock_ready", "deliveries_due"),
        ("webhooks", "claim_deliveries", "deliveries_due"),
        ("orders", "due", "orders_waiting"),
        ("orders", "due", "submissions_due"),
        ("orders", "to_follow", "submissions_followed"),
        ("refills", "due", "refills_due"),
        ("webhooks", "end_abandoned", "deliveries_under_way"),
    ],
)
@pytest.mark.parametrize("plans", ["force_custom_plan", "force_generic_plan"])
def test_a_claim_reads_what_is_due_by_an_index_and_sorts_nothing(
    crowd: Crowd, area: str, name: str, index: str, plans: str
) -> None:
    with crowd.pool.transaction() as conn:
        conn.execute(f"SET LOCAL plan_cache_mode = {plans}".encode())
        conn.execute(
            "SET LOCAL random_page_cost = 1.1"
        )  # as for tables of which reading all takes longer still
        nodes = _explained(conn, crowd, area, name)
    of_large = {node["Node Type"] for node in nodes if node.get("Relation Name") in LARGE and "Scan" in node["Node Type"]}  # fmt: skip
    assert of_large <= {"Index Scan", "Index Only Scan", "Tid Scan"}
    assert index in {node.get("Index Name") for node in nodes}
    if name not in {"lock_ready", "abandoned"}:  # which sort endpoints, or the few calls that are under way
        assert "Sort" not in {node["Node Type"] for node in nodes}


def test_a_statement_that_reads_a_table_through_would_be_seen(crowd: Crowd) -> None:
    with crowd.pool.transaction() as conn:
        conn.execute("SET LOCAL enable_indexscan = off")
        conn.execute("SET LOCAL enable_indexonlyscan = off")
        nodes = _explained(conn, crowd, "orders", "claim_tracking")
    assert {"Sort", "Bitmap Heap Scan"} & {node["Node Type"] for node in nodes}
