"""`panelry bench http`: the API over real HTTP, loaded by wrk, beside pgbench and beside the same server doing nothing."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from panelry.domain import accounts as people
from panelry.domain import ids, orders
from panelry.domain.catalog import ServiceId
from panelry.domain.orders import Draft, OrderId, Placed
from panelry.ops.bench import asking, bare, memory, serving, wrk
from panelry.ops.bench.asking import Orders
from panelry.ops.bench.ground import Customer, Ground
from panelry.ops.bench.pgbench import SCALE, Baseline
from panelry.ops.bench.progress import Steps
from panelry.ops.bench.serving import Server
from panelry.ops.bench.wrk import Load, Requests
from panelry.ops.session import CommandFailed

ACCOUNTS: Final = 1_000
SERVICES: Final = 6_000
ORDERED: Final = 100
"""How many of the services are ordered from."""
READERS: Final = 100
ORDERS_EACH: Final = 100
"""So many accounts ask for so many of their orders, one by one and all at once."""
FEW: Final = 64
TIER: Final = "Standard"
WARM_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stock:
    """What was there before the load: customers, what they order from, and orders of the first of them."""

    customers: Sequence[Customer]
    services: Sequence[ServiceId]
    placed: Orders


def http(
    ground: Ground,
    steps: Steps,
    *,
    seconds: float,
    callers: int,
    accounts: int = ACCOUNTS,
    services: int = SERVICES,
    scale: int = SCALE,
) -> dict[str, Any]:
    """Measure `add`, `status` of one order and of 100, and `services`; pgbench has tables of a scale.

    Raises `CommandFailed` where a call was refused, an acknowledged order is missing or the books are wrong.
    """
    with steps(f"{accounts:,} accounts, {services:,} services, pgbench's tables"):
        stock = _stock(ground, accounts=accounts, services=services)
        baseline = Baseline(ground.url, scale=scale)
    with serving.api(ground) as api, serving.bare(ground) as plain:
        measure = _Measure(steps=steps, api=api, plain=plain, seconds=seconds, callers=callers)
        adds = measure.adds(ground, stock, baseline)
        reads = {
            "status": measure.read("status", asking.status(api.url, stock.placed)),
            "status100": measure.read("status100", asking.statuses(api.url, stock.placed)),
            "services": measure.read("services", asking.services(api.url, stock.customers, services)),
        }
        memory_mb = memory.peaks(ground.settings.data, {"api": api.pid, "placing": memory.child(api.pid)})
    reads["status100"]["orders_per_second"] = round(reads["status100"]["per_second"] * ORDERS_EACH)
    with steps("the books"):
        wrong = ground.wrong()
    if wrong:
        raise CommandFailed(f"the books are wrong: {wrong[0]}", {"verified": False, "wrong": wrong})
    return {
        "callers": callers,
        "pgbench_per_second": round(baseline.per_second, 1),
        "bare_per_second": reads["status"]["bare_per_second"],
        **adds,
        **reads,
        "memory_mb": memory_mb,
        "verified": True,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Measure:
    """How loads are measured: on these servers, so long, with so many callers."""

    steps: Steps
    api: Server
    plain: Server
    seconds: float
    callers: int

    def adds(self, ground: Ground, stock: Stock, baseline: Baseline) -> dict[str, dict[str, Any]]:
        """Place orders with many and with few callers, between two runs of pgbench."""
        account_ids = [customer.account_id for customer in stock.customers]
        before = ground.count_orders(account_ids)
        asked = asking.add(stock.customers, stock.services)
        with self.steps("pgbench, before", seconds=self.seconds):
            baseline.run(self.seconds)
        with self.steps("add, to warm up", seconds=WARM_SECONDS):
            warm = wrk.load(self.api.url, asked, callers=self.callers, seconds=WARM_SECONDS)
        many = self._load("add", self.api, asked, self.callers)
        few = self._load(f"add, {FEW} callers", self.api, asked, FEW)
        with self.steps("pgbench, after", seconds=self.seconds):
            baseline.run(self.seconds)
        _compare([warm, many, few], ground.count_orders(account_ids) - before)
        return {
            name: one.figures.shown(ratio_to_pgbench=one.figures.per_second / baseline.per_second)
            for name, one in (("add", many), (f"add_{FEW}", few))
        }

    def read(self, name: str, asked: Requests) -> dict[str, Any]:
        """Read, between two runs of the same requests to the bare server."""
        bare_asked = replace(asked, right=bare.ANSWER)
        before = self._load(f"bare, before {name}", self.plain, bare_asked, self.callers)
        read = self._load(name, self.api, asked, self.callers).figures
        after = self._load(f"bare, after {name}", self.plain, bare_asked, self.callers)
        per_second = (before.figures.per_second + after.figures.per_second) / 2
        return {
            **read.shown(ratio_to_bare=read.per_second / per_second),
            "bare_per_second": round(per_second, 1),
        }

    def _load(self, name: str, server: Server, asked: Requests, callers: int) -> Load:
        with self.steps(name, seconds=self.seconds):
            return wrk.load(server.url, asked, callers=callers, seconds=self.seconds)


def _compare(loads: Sequence[Load], stored: int) -> None:
    """Hold what was acknowledged against what is stored; who was cut off may have ordered without hearing of it."""
    answered = sum(one.answered for one in loads)
    if not answered <= stored <= answered + sum(one.cut_off for one in loads):
        raise CommandFailed(f"{answered} orders were acknowledged, {stored} are stored", {"verified": False})


def _stock(ground: Ground, *, accounts: int, services: int) -> Stock:
    customers = ground.customers(accounts, per_minute=people.MOST_PER_MINUTE)
    sold = ground.services(services)[:ORDERED]
    with ground.pool.transaction() as conn:
        people.change_tier(conn, TIER, per_minute=people.MOST_PER_MINUTE)
    ground.analyse()
    placed = {customer: _order(ground, customer, sold) for customer in customers[:READERS]}
    ground.analyse()
    return Stock(customers=customers, services=sold, placed=placed)


def _order(ground: Ground, customer: Customer, services: Sequence[ServiceId]) -> list[OrderId]:
    """Place all the orders that an account asks for later."""
    drafts = [
        Draft(
            caller=customer.account_id,
            service=services[number % len(services)],
            request_id=ids.show("", ids.new()),
            parameters={"link": f"https://example.com/{number}", "quantity": str(asking.QUANTITY)},
        )
        for number in range(ORDERS_EACH)
    ]
    with ground.pool.transaction() as conn:
        answers = orders.place(conn, drafts)
    return [placed.order_id for placed in answers if isinstance(placed, Placed)]
