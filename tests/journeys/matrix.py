"""Plays the fault matrix: all cells beside each other with one engine, whose database's clock is moved on twice."""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import engines
import psycopg
from cells import TRIALS, TRIALS_ALONE, Cell, End
from msgspec import structs

from connectors.sandboxes import Upstream
from connectors.upstreams import black_hole, refusing_port
from given import Customer, Given, draft, upstream_service
from panelry.database.pool import Conn
from panelry.domain import ids, money, orders, providers, refills
from panelry.domain.catalog import ServiceId
from panelry.domain.orders import Draft, OrderId, Placed, SubmissionState
from panelry.domain.providers import ProviderId
from panelry.domain.refills import RefillId, Wanted

LATER = ("20 minutes", "4 hours")
"""What the clock says in the second and third act: lost orders were looked for, and those that had to wait are due."""
CALL_SECONDS = 3.0
TOO_SLOW = "no complete answer within"
"""What the evidence says of a call that its time-out ended."""
STILL_SECONDS, LONGEST_SECONDS = 5.0, 40.0
ROOM = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """A provider of one cell, and where it really is."""

    cell: Cell
    provider: ProviderId
    service: ServiceId
    upstream: Upstream


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One order; `mark` is its link, or the user name where there is none."""

    shop: Shop
    order: OrderId
    mark: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A trial at its end, and the ids and marks under which its provider has what we believe to be this order.

    `is_unknown`: our tables say that nobody knows what became of a call for it, whoever is shown that.
    """

    trial: Trial
    end: End
    is_unknown: bool
    evidence: tuple[str, ...]
    adopted: tuple[tuple[str, str], ...]


@dataclass(slots=True, kw_only=True)
class Matrix:
    """The panel on which the matrix is played."""

    conn: Conn
    folder: Path
    open_upstream: Callable[..., Upstream]
    customer: Customer
    places: dict[str, Callable[[Upstream], str]]
    trials: list[Trial] = field(default_factory=list)

    def open(self, cell: Cell) -> list[Shop]:
        """Open the providers of a cell."""
        return [self._open(cell) for _ in range(TRIALS_ALONE if cell.alone else 1)]

    def _open(self, cell: Cell) -> Shop:
        upstream = self.open_upstream(
            self.folder / f"{uuid4().hex}.jsonl", speed=cell.speed, dialect=cell.dialect
        )
        if cell.calls:
            action, fault, times = cell.calls
            status, said = upstream.faults(next={"action": action, "fault": fault, "times": times})
            assert status == 200, said
        with self.conn.transaction():
            given = Given(self.conn)
            url = self.places[cell.place](upstream)
            provider = given.provider(url=url, dialect="panelry" if cell.dialect == "panelry" else "panel_v2")
            number = "36" if cell.type == "Subscriptions" else "1"
            [service] = given.services(provider, [upstream_service(number, type_=cell.type)])
            if cell.alone:
                given.placed(self.customer, service)
        return Shop(cell=cell, provider=provider, service=service, upstream=upstream)

    def order(self, shop: Shop) -> None:
        """Order for all trials of a cell at one of its providers."""
        cell = shop.cell
        marks = [f"https://example.com/{cell.wish or 'post'}/{uuid4().hex}" for _ in range(_trials(cell))]
        if cell.fault:
            marks = [f"{mark}?sandbox={cell.fault}" for mark in marks]
        if cell.twins:
            marks = marks[::2] * 2
        drafts = [_draft(self.customer, shop, mark) for mark in marks]
        with self.conn.transaction():
            answers = orders.place(self.conn, drafts)
        for mark, answer in zip(marks, answers, strict=True):
            assert isinstance(answer, Placed), answer
            self.trials.append(Trial(shop=shop, order=answer.order_id, mark=mark))

    def act(self) -> None:
        """Let the customer wish what can be wished by now."""
        account = self.customer.account
        with self.conn.transaction():
            sent = [(account, OrderId(id_)) for (id_,) in self.conn.execute(_CANCELLABLE)]
            orders.cancel(self.conn, sent, actor="customer")
            done = [OrderId(id_) for (id_,) in self.conn.execute(_REFILLABLE)]
            refills.request(
                self.conn,
                [Wanted(id=RefillId(ids.new()), account_id=account, order_id=id_) for id_ in done],
                actor="customer",
            )

    def wait_for_room(self) -> None:
        """Wait until not too much is under way at once, so that calls take no longer than their providers let them."""
        deadline = time.monotonic() + 3
        while self.conn.execute(_UNDER_WAY).fetchall()[0][0] > ROOM and time.monotonic() < deadline:
            time.sleep(0.05)

    def wait_until_still(self) -> None:
        """Wait until nothing has changed for some seconds."""
        began = changed = time.monotonic()
        before: Any = None
        while time.monotonic() < min(changed + STILL_SECONDS, began + LONGEST_SECONDS):
            self.act()
            now = self.conn.execute(_HISTOGRAM).fetchall()
            if now != before:
                before, changed = now, time.monotonic()
            time.sleep(0.3)

    def seen(self) -> list[Seen]:
        """Hold every trial against the logs of its provider."""
        logs = {trial.shop.provider: _Log(trial.shop.upstream) for trial in self.trials}
        in_view = {
            row["order"]: tuple(note["note"] for note in row["evidence"])
            for row in orders.submissions_in(
                self.conn, [SubmissionState.UNKNOWN, SubmissionState.QUARANTINED], most=10_000
            )
        }
        found = {row[0]: row[1:] for row in self.conn.execute(_ENDS)}
        seen = []
        for trial in self.trials:
            state, kept, refill, upstream_ids, is_unknown = found[trial.order]
            log, shown = logs[trial.shop.provider], ids.show(ids.ORDER, trial.order)
            end = End(
                state=state,
                kept=money.text(kept),
                bought=len(log.bought[trial.mark]),
                in_view=shown in in_view,
                refill=refill or "",
            )
            adopted = tuple((id_, log.marks.get(id_, "")) for id_ in upstream_ids or ())
            seen.append(
                Seen(
                    trial=trial,
                    end=end,
                    is_unknown=is_unknown,
                    evidence=in_view.get(shown, ()),
                    adopted=adopted,
                )
            )
        return seen


class _Log:
    def __init__(self, upstream: Upstream) -> None:
        self.bought, self.marks = defaultdict[str, list[str]](list), dict[str, str]()
        for line in upstream.lines():
            if "quantity" in line:
                self.bought[line["link"]].append(str(line["order"]))
                self.marks[str(line["order"])] = line["link"]


def play(url: str, folder: Path, cells: Sequence[Cell], open_upstream: Callable[..., Upstream]) -> list[Seen]:
    """Order for all trials of all cells, and wait until nothing changes any more, three times."""
    with ExitStack() as stack:
        conn = stack.enter_context(psycopg.connect(url, autocommit=True))
        with conn.transaction():
            customer = Given(conn).customer("100000")
        matrix = Matrix(
            conn=conn, folder=folder, open_upstream=open_upstream, customer=customer, places=_places(stack)
        )
        shops = [shop for cell in sorted(cells, key=lambda c: c.alone) for shop in matrix.open(cell)]
        with _engine(url, folder):
            for number, shop in enumerate(shops):
                matrix.wait_for_room()
                matrix.order(shop)
                matrix.act()
                if number % 30 == 1:
                    conn.execute("ANALYZE")  # plans that were made for empty tables take long by now
            matrix.wait_until_still()
        for shop in shops:
            providers.move(conn, shop.provider, shop.upstream.url)
        for offset in LATER:
            conn.execute(f"ALTER DATABASE \"{conn.info.dbname}\" SET panelry.clock_offset = '{offset}'")
            matrix.conn = stack.enter_context(psycopg.connect(url, autocommit=True))
            with _engine(url, folder):
                matrix.wait_until_still()
        return matrix.seen()


@contextmanager
def _engine(url: str, folder: Path) -> Iterator[None]:
    engine = engines.plain(url, folder / "engine", call_seconds=CALL_SECONDS)
    try:
        yield
        assert engine.is_alive(), engines.log(folder / "engine")[-3000:]
        engine.terminate()
        engine.join(20)
    finally:
        engine.kill()
        engine.join()


def _trials(cell: Cell) -> int:
    return 1 if cell.alone else TRIALS


def _draft(customer: Customer, shop: Shop, mark: str) -> Draft:
    if shop.cell.type != "Subscriptions":
        return draft(customer, shop.service, link=mark)
    parameters = {"username": mark, "min": "10", "max": "20", "posts": "4", "delay": "0"}
    return structs.replace(draft(customer, shop.service), parameters=parameters)


def _places(stack: ExitStack) -> dict[str, Callable[[Upstream], str]]:
    refusing, hole = stack.enter_context(refusing_port()), stack.enter_context(black_hole())
    redirecting = stack.enter_context(_redirecting())
    return {
        "": lambda upstream: upstream.url,
        "refused": lambda _: refusing,
        "black hole": lambda _: hole,
        "no name": lambda _: "http://nobody.invalid/api/v2",
        "no TLS": lambda upstream: upstream.url.replace("http:", "https:"),
        "redirect": lambda upstream: f"{redirecting}/{urlsplit(upstream.url).port}",
    }


@contextmanager
def _redirecting() -> Iterator[str]:
    """A server that sends everybody on to the port in the path."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(307)
            self.send_header("Location", f"http://127.0.0.1:{self.path[1:]}/api/v2")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (its name in the library)
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=[0.05], daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


_CANCELLABLE = """
SELECT o.id FROM submissions s JOIN orders o ON o.account_id = s.account_id AND o.id = s.order_id
WHERE s.state = 'accepted' AND o.finished_at IS NULL AND NOT o.cancel_requested AND o.link LIKE '%/cancel/%'"""
_REFILLABLE = """
SELECT o.id FROM orders o WHERE o.state = 'completed' AND o.link LIKE '%/refill/%'
AND NOT EXISTS (SELECT FROM refills r WHERE r.account_id = o.account_id AND r.order_id = o.id)"""
_UNDER_WAY = """
SELECT (SELECT count(*) FROM orders o JOIN providers p ON p.id = o.provider_id
        WHERE o.state = 'pending' AND p.state = 'active' AND p.broken_until IS NULL AND o.due_at <= clock_now())
     + (SELECT count(*) FROM submissions WHERE state = 'sending')"""
_HISTOGRAM = """
SELECT 'orders', state, count(*) FROM orders GROUP BY state
UNION ALL SELECT 'submissions', state, count(*) FROM submissions GROUP BY state
UNION ALL SELECT 'refills', state, count(*) FROM refills GROUP BY state
UNION ALL SELECT 'cancels', state, count(*) FROM cancels GROUP BY state ORDER BY 1, 2"""
_ENDS = """
SELECT o.id, o.state, o.charge_micros - o.refunded_micros,
       (SELECT r.state FROM refills r WHERE r.account_id = o.account_id AND r.order_id = o.id),
       ARRAY(SELECT s.upstream_id FROM submissions s
             WHERE s.account_id = o.account_id AND s.order_id = o.id AND s.upstream_id IS NOT NULL),
       EXISTS (SELECT FROM submissions s WHERE s.account_id = o.account_id AND s.order_id = o.id
               AND s.state NOT IN ('accepted', 'rejected', 'not_sent', 'postponed'))
FROM orders o"""
