"""Orders at two providers: placed by the operation; that very many were accepted is written as one set."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from panelry.domain import ids, orders
from panelry.domain.catalog import ServiceId
from panelry.domain.orders import Draft, Placed
from panelry.ops.bench import upstream
from panelry.ops.bench.ground import Customer, Ground
from panelry.ops.bench.progress import Advance

AT_ONCE: Final = 256
LANES: Final = 2
WARM: Final = 4_096
"""After about so many orders the planner is told again what there is."""

# An hour ago their provider took them, since then it was asked often, and all are due to be asked about again, about in
# the order in which they were asked about last. This is what the engine writes for `upstream.KNOWN`; keys are not
# checked row by row, because all that they name is there.
ACCEPT: Final = (
    "SET LOCAL session_replication_role = replica",
    """
    INSERT INTO submissions (account_id, id, order_id, route_id, provider_id, provider_service, state, upstream_id,
                             due_at, sent_at, answered_at, reported)
    SELECT o.account_id, uuidv7(), o.id, o.route_id, o.provider_id, r.provider_service, 'accepted',
           (10000000 + row_number() OVER (ORDER BY o.id))::text,
           clock_now() - percent_rank() OVER (ORDER BY o.id DESC) * interval '10 minutes' - random() * interval '10 seconds',
           clock_now() - interval '1 hour', clock_now() - interval '1 hour',
           '{"status": "In progress", "start_count": 100, "remains": 50, "charge": "0.05"}'
    FROM orders o JOIN routes r ON r.id = o.route_id JOIN providers p ON p.id = o.provider_id AND p.state = 'active'
    WHERE o.state = 'pending'""",
    """
    INSERT INTO provider_costs (account_id, submission_id, provider_id, expected_micros, charged_micros, at)
    SELECT s.account_id, s.id, s.provider_id, 100000, 50000, s.sent_at
    FROM submissions s JOIN providers p ON p.id = s.provider_id AND p.state = 'active'""",
    """
    INSERT INTO events (account_id, subject, sequence, id, type, data, actor, at)
    SELECT s.account_id, s.order_id, e.sequence, uuidv7(), 'order.' || e.state,
           jsonb_build_object('from', e.former, 'to', e.state, 'start_count', e.start_count, 'remains', e.remains,
                              'charge_micros', 100000, 'word', 'In progress'), 'engine', s.sent_at
    FROM submissions s JOIN providers p ON p.id = s.provider_id AND p.state = 'active'
    CROSS JOIN (VALUES (2, 'pending', 'processing', 0, 100), (3, 'processing', 'in_progress', 100, 50))
      AS e (sequence, former, state, start_count, remains)""",
    """
    UPDATE orders o SET state = 'in_progress', sequence = 3, start_count = 100, remains = 50
    FROM providers p WHERE p.id = o.provider_id AND p.state = 'active'""",
)
STANDING: Final = """
    SELECT s.upstream_id::bigint % 100, o.state, o.remains, count(*) FROM orders o
    JOIN submissions s ON s.account_id = o.account_id AND s.order_id = o.id
    JOIN providers p ON p.id = s.provider_id AND p.state = 'active' GROUP BY 1, 2, 3"""
BOUGHT: Final = """
    SELECT count(s.id), count(o.finished_at) FROM providers p
    LEFT JOIN submissions s ON s.provider_id = p.id AND s.state = 'accepted'
    LEFT JOIN orders o ON o.account_id = s.account_id AND o.id = s.order_id WHERE p.state = 'paused'"""
STATES: Final = {"In progress": "in_progress", "Completed": "completed", "Partial": "partial"}


def place(
    ground: Ground, customers: Sequence[Customer], services: Sequence[ServiceId], count: int, advance: Advance
) -> None:
    """Place so many orders, spread over accounts and services."""

    def lane(number: int) -> None:
        for start in range(number * AT_ONCE, count, LANES * AT_ONCE):
            drafts = [
                _draft(customers[turn % len(customers)], services[turn % len(services)], turn)
                for turn in range(start, min(start + AT_ONCE, count))
            ]
            with ground.pool.transaction() as conn:
                answers = orders.place(conn, drafts)
            assert all(isinstance(answer, Placed) for answer in answers), answers
            advance(len(answers))
            if start // AT_ONCE == WARM // AT_ONCE:
                ground.analyse()

    with ThreadPoolExecutor(LANES) as threads:
        list(threads.map(lane, range(LANES)))


def accept(ground: Ground) -> None:
    """Let open providers have accepted all orders that wait for them."""
    with ground.pool.transaction() as conn:
        for statement in ACCEPT:
            conn.execute(statement)
    with ground.pool.connection() as conn:
        conn.execute("VACUUM ANALYZE")


def open_only(ground: Ground, name: str) -> None:
    """Let one provider be the only open one, and no limit of it what is measured."""
    with ground.pool.transaction() as conn:
        conn.execute(
            "UPDATE providers SET state = CASE name WHEN %s THEN 'active' ELSE 'paused' END, max_in_flight = 256,"
            " per_second = 32767",
            [name],
        )


def wrong(ground: Ground, *, taken: int, changed: int) -> list[str]:
    """Return how orders are other than was said: so many the provider took itself, so many of all have changed since."""
    with ground.pool.connection() as conn:
        rows = conn.execute(STANDING).fetchall()
        [[bought, ended]] = conn.execute(BOUGHT).fetchall()
    known = ("in_progress", 50)
    moved = [
        (kind, (state, remains), count) for kind, state, remains, count in rows if (state, remains) != known
    ]
    found = [
        f"{count} orders are {standing}, their provider said otherwise"
        for kind, standing, count in moved
        if standing != _standing(upstream.report(kind))
    ]
    stored = ended + sum(count for *_, count in moved)
    if stored != changed:
        found.append(f"{changed} orders changed, {stored} are stored so")
    if bought != taken:
        found.append(f"the provider took {taken} orders, {bought} are stored as accepted")
    return found


def _standing(report: dict[str, str]) -> tuple[str, int]:
    return STATES[report["status"]], int(report["remains"])


def _draft(customer: Customer, service: ServiceId, number: int) -> Draft:
    return Draft(
        caller=customer.account_id,
        service=service,
        request_id=ids.show("", ids.new()),
        parameters={"link": f"https://example.com/{number}", "quantity": str(upstream.QUANTITY)},
    )
