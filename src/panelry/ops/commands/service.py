"""`panelry service`."""

import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Annotated, Any, Final

import typer

from panelry.ops.command import command
from panelry.ops.session import CommandFailed, Session

app = typer.Typer(help="One service of the catalogue.", no_args_is_help=True)

Number = Annotated[
    int,
    typer.Argument(
        metavar="SERVICE", min=1, max=2**31 - 1, help="Its number, as `panelry catalog list` shows it."
    ),
]
SWITCH: Final = {
    "1": True,
    "on": True,
    "true": True,
    "yes": True,
    "0": False,
    "off": False,
    "false": False,
    "no": False,
}
STATES: Final = {"on_sale": True, "off_sale": False}


@command(app, "show")
def show(session: Session, service: Number) -> None:
    """Show a service, on sale or not, with its terms and routes."""
    from panelry.domain import catalog

    with session.pool() as pool, pool.transaction() as conn:
        sheet = catalog.sheets(conn, [catalog.ServiceId(service)]).get(catalog.ServiceId(service))
    if sheet is None:
        raise catalog.UnknownService(service=service)
    _say(session, sheet)


@command(app, "set")
def set_(
    session: Session,
    service: Number,
    values: Annotated[
        list[str], typer.Argument(metavar="FIELD=VALUE…", help="Such as rate=1.50 max=5000 state=on_sale.")
    ],
) -> None:
    """Change a service; one wrong value changes nothing. A new rate no longer follows prices, unless you say so."""
    from panelry.domain import catalog

    edit = catalog.ServiceEdit(**_read(values))
    with session.pool() as pool, pool.transaction() as conn:
        sheet = catalog.set_service(conn, catalog.ServiceId(service), edit)
    _say(session, sheet)


def row(sheet: Any) -> dict[str, Any]:
    """Return a service as it is shown."""
    from panelry.domain import money

    return {
        "service": sheet.id,
        "name": sheet.name,
        "description": sheet.description,
        "category": sheet.category,
        "type": sheet.type,
        "rate": money.text(sheet.rate_micros),
        "per": sheet.rate_per,
        "min": sheet.minimum,
        "max": sheet.maximum,
        "dripfeed": sheet.dripfeed,
        "refill": sheet.refill,
        "cancel": sheet.cancel,
        "refill_days": sheet.refill_days,
        "refill_most": sheet.refill_most,
        "average_time": sheet.average_time,
        "state": "off_sale" if sheet.off else "on_sale",
        "off_reason": sheet.off or "",
        "listed": sheet.is_listed,
        "follows_prices": sheet.follows_prices,
        "markup": f"{sheet.margin.percent.normalize():f}",
        "markup_fixed": money.text(sheet.margin.fixed_micros),
        "rounding": money.text(sheet.margin.rounding_micros),
        "below_cost": sheet.below_cost,
        "routes": [route_row(route) for route in sheet.routes],
    }


def route_row(route: Any) -> dict[str, Any]:
    """Return a route as it is shown; its `cost` is in the provider's currency, `asked` what it asks instead, if held."""
    from panelry.domain import money

    cost, move = route.cost_micros, route.move
    return {
        "route": route.id,
        "provider": route.provider,
        "provider_service": route.provider_service,
        "priority": route.priority,
        "cost": None if cost is None else money.text(cost),
        "asked": money.text(move.after_micros) if move else None,
        "min": route.minimum,
        "max": route.maximum,
        "state": "off" if route.off else "on",
        "off_reason": route.off or "",
    }


def _say(session: Session, sheet: Any) -> None:
    session.say(row(sheet), json.dumps(row(sheet), indent=2, ensure_ascii=False))


def _read(values: list[str]) -> dict[str, Any]:
    known = _fields()
    wishes: dict[str, Any] = {}
    for value in values:
        field, given, text = value.partition("=")
        if not given or field not in known:
            raise typer.BadParameter(f"{value!r} is none of {', '.join(f'{name}=…' for name in known)}")
        name, read = known[field]
        if name in wishes:
            raise typer.BadParameter(f"{field} is given twice")
        try:
            wishes[name] = read(text)
        except (KeyError, ValueError):
            raise CommandFailed(f"{field} cannot be {text!r}") from None
    return wishes


def _fields() -> Mapping[str, tuple[str, Callable[[str], Any]]]:
    """Return what each field is called inside, and how it is read."""
    from panelry.domain import money

    return {
        "name": ("name", str),
        "description": ("description", str),
        "category": ("category", str),
        "rate": ("rate_micros", money.parse),
        "per": ("rate_per", _count),
        "min": ("minimum", _count),
        "max": ("maximum", _count),
        "dripfeed": ("dripfeed", _switch),
        "refill": ("refill", _switch),
        "cancel": ("cancel", _switch),
        "refill_days": ("refill_days", _count),
        "refill_most": ("refill_most", _count),
        "average_time": ("average_time", str),
        "state": ("on_sale", STATES.__getitem__),
        "follows_prices": ("follows_prices", _switch),
        "markup": ("markup_percent", lambda text: Decimal(money.parse(text)) / money.UNIT),
        "markup_fixed": ("markup_micros", money.parse),
        "rounding": ("rounding_micros", money.parse),
        "below_cost": ("below_cost", _switch),
    }


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise ValueError(text)
    return int(text)


def _switch(text: str) -> bool:
    return SWITCH[text.lower()]
