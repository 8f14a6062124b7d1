"""What the machine trades in: customers, services, coupons and providers, built once by real operations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from given import Customer, Given, upstream_service
from panelry.database.pool import Conn, Pool
from panelry.domain import accounts, catalog, coupons, providers
from panelry.domain.catalog import RouteId, ServiceEdit, ServiceId
from panelry.domain.coupons import Terms
from panelry.domain.money import Micros
from panelry.domain.orders import Draft
from panelry.domain.providers import ProviderId, UpstreamService

DIALECTS: Final = ("panel_v2", "panel_v2", "panelry")
"""Of the three providers the last recognises our request ids."""
RECOGNISES: Final = 2
CUSTOMERS: Final = 3
REFILL_DAYS: Final = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One service: its price in micros, what may be done with it, and who sells it, best first."""

    rate: int
    sellers: tuple[int, ...]
    type: str = "Default"
    per: int = 1000
    minimum: int = 10
    maximum: int = 150
    has_runs: bool = False
    has_cancel: bool = True
    refills: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """One coupon: what it takes off, how often at most, and for which items (all, unless some are named)."""

    name: str
    percent: Decimal | None = None
    fixed: int | None = None
    minimum: int = 0
    most: int | None = None
    most_each: int | None = None
    items: tuple[int, ...] = ()


ITEMS: Final[Sequence[Item]] = (
    Item(rate=370_000, sellers=(0, 2), refills=2),
    Item(rate=1_000_001, sellers=(2, 1), has_runs=True),
    Item(rate=3_333_333, sellers=(0,), has_runs=True, has_cancel=False, refills=1),
    Item(rate=250_000, sellers=(1, 0), type="Package", per=1, minimum=1, maximum=1, refills=3),
    Item(rate=7_777_777, sellers=(2, 0, 1), type="Custom Comments", minimum=1, maximum=9, refills=1),
    Item(rate=2_222_221, sellers=(0, 2), type="Subscriptions", minimum=30),
    Item(rate=130_001, sellers=(1,), has_runs=True, minimum=7),
)
CODES: Final[Sequence[Code]] = (
    Code(name="EIGHTH", percent=Decimal("12.5"), most=2),
    Code(name="PENNY", fixed=9_999, most_each=1),
    Code(name="ALL", percent=Decimal(100), most=1, items=(1, 3, 5)),
    Code(name="THIRD", percent=Decimal("33.333333"), minimum=50_000, most_each=2),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """An order that a customer may send: `size` is a quantity, lines or posts, as the item has it."""

    customer: int
    item: int
    size: int
    request: int
    runs: int = 1
    interval: int = 10
    code: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """The names that the database has given to all of these; `routes` by item and seller."""

    customers: Sequence[Customer]
    sellers: Sequence[ProviderId]
    services: Sequence[ServiceId]
    routes: Mapping[tuple[int, int], RouteId]

    def draft(self, wish: Wish) -> Draft:
        """Write a wish as the API would."""
        said = dict(_said(ITEMS[wish.item].type, wish.size))
        if wish.runs > 1:
            said |= {"runs": str(wish.runs), "interval": str(wish.interval)}
        if wish.code is not None:
            said["coupon"] = CODES[wish.code].name.lower()
        return Draft(
            caller=accounts.digest(self.customers[wish.customer].key),
            service=self.services[wish.item],
            request_id=f"r{wish.request}",
            parameters=said,
        )


def _said(type_: str, size: int) -> Mapping[str, str]:
    link = {"link": "https://example.com/post"}
    match type_:
        case "Package":
            return link
        case "Custom Comments":
            return link | {"comments": "\n".join(["fine"] * size)}
        case "Subscriptions":
            posts = {"posts": str(size)} if size else {}
            return {"username": "somebody", "min": "30", "max": "40", "delay": "0"} | posts
        case _:
            return link | {"quantity": str(size)}


def opened(pool: Pool) -> Market:
    """Build the market and commit it."""
    with pool.transaction() as conn:
        given = Given(conn)
        sellers = [
            given.provider(url=f"https://seller{number}.example/api/v2", dialect=dialect)
            for number, dialect in enumerate(DIALECTS)
        ]
        conn.execute("UPDATE providers SET max_in_flight = 100")
        services = _services(conn, sellers)
        for code in CODES:
            coupons.create(conn, code.name, _terms(code, services))
        return Market(
            customers=[given.customer() for _ in range(CUSTOMERS)],
            sellers=sellers,
            services=services,
            routes=_routes(conn, sellers, services),
        )


def _services(conn: Conn, sellers: Sequence[ProviderId]) -> list[ServiceId]:
    """Let every seller list what it sells, import each item from its best seller, and add the other routes."""
    for number, seller in enumerate(sellers):
        rows = [_row(n, item) for n, item in enumerate(ITEMS) if number in item.sellers]
        providers.record_snapshot(conn, seller, rows)
    return [_service(conn, n, [sellers[number] for number in item.sellers]) for n, item in enumerate(ITEMS)]


def _service(conn: Conn, number: int, sellers: Sequence[ProviderId]) -> ServiceId:
    [imported] = catalog.import_services(conn, sellers[0], chosen=[str(number)])
    for place, seller in enumerate(sellers[1:], start=1):
        catalog.add_route(conn, imported.service, seller, str(number), priority=100 + place)
    edit = ServiceEdit(refill_most=ITEMS[number].refills, refill_days=REFILL_DAYS)
    catalog.set_service(conn, imported.service, edit)
    return imported.service


def _row(number: int, item: Item) -> UpstreamService:
    rate = f"{Decimal(item.rate) / 10**6:f}"
    row = upstream_service(
        str(number), rate=rate, minimum=item.minimum, maximum=item.maximum, type_=item.type
    )
    return replace(row, dripfeed=item.has_runs, refill=item.refills > 0, cancel=item.has_cancel)


def _terms(code: Code, services: Sequence[ServiceId]) -> Terms:
    return Terms(
        percent=code.percent,
        fixed_micros=None if code.fixed is None else Micros(code.fixed),
        minimum_charge_micros=Micros(code.minimum),
        most_uses=code.most,
        most_per_account=code.most_each,
        services=frozenset(services[n] for n in code.items),
    )


def _routes(
    conn: Conn, sellers: Sequence[ProviderId], services: Sequence[ServiceId]
) -> dict[tuple[int, int], RouteId]:
    sheets = catalog.sheets(conn, services)
    return {
        (n, sellers.index(route.provider_id)): route.id
        for n, service in enumerate(services)
        for route in sheets[service].routes
    }
