"""What differs between a service before and after, in words for customers and staff."""

from collections.abc import Iterator
from dataclasses import replace

from panelry.domain import money
from panelry.domain.catalog.values import (
    PER_PACKAGE,
    Change,
    ChangeKind,
    Margin,
    Move,
    MoveState,
    NewService,
    Off,
    Sheet,
)


def changes(before: Sheet, after: Sheet) -> list[Change]:
    """Return what changed; what is not listed either way has changed nothing that customers are told."""
    kinds = [*_public(before, after), *_private(before, after)]
    return [
        Change(service_id=after.id, name=after.name, kind=kind, before=was, after=now)
        for kind, was, now in kinds
        if was != now or kind is ChangeKind.HELD
    ]


def shown(sheet: Sheet) -> Sheet | None:
    """Return what of a service the price list shows: two that are equal look alike to customers."""
    if not sheet.is_listed:
        return None
    return replace(
        sheet,
        margin=Margin(),
        follows_prices=False,
        below_cost=False,
        refill_days=0,
        refill_most=0,
        routes=(),
    )


def rate_text(priced: Sheet | NewService) -> str:
    """Write a rate as the price list does."""
    return money.text(priced.rate_micros) + (" per package" if priced.rate_per == PER_PACKAGE else "")


def _public(before: Sheet, after: Sheet) -> Iterator[tuple[ChangeKind, str, str]]:
    if before.is_listed and after.is_listed:
        yield ChangeKind.RATE, rate_text(before), rate_text(after)
        yield ChangeKind.MINIMUM, str(before.minimum), str(after.minimum)
        yield ChangeKind.MAXIMUM, str(before.maximum), str(after.maximum)
    elif after.is_listed:
        kind = ChangeKind.NEW if before.off is Off.UNCLEAR else ChangeKind.ON_SALE
        yield kind, "", rate_text(after)
    elif before.is_listed:
        yield ChangeKind.OFF_SALE, rate_text(before), ""


def _private(before: Sheet, after: Sheet) -> Iterator[tuple[ChangeKind, str, str]]:
    known = {route.id: route for route in before.routes}
    for route in after.routes:
        was = known.get(route.id)
        if was is None:
            continue
        yield ChangeKind.COST, _cost(was.cost_micros), _cost(route.cost_micros)
        if route.move and route.move.state is MoveState.HELD and not _is_same(was.move, route.move):
            yield ChangeKind.HELD, _cost(was.cost_micros), _cost(route.move.after_micros)
        if was.off != route.off:
            kind = ChangeKind.ROUTE_OFF if route.off else ChangeKind.ROUTE_ON
            yield kind, was.off or "", route.off or ""


def _is_same(was: Move | None, now: Move) -> bool:
    return was is not None and was.id == now.id


def _cost(micros: int | None) -> str:
    return "" if micros is None else money.text(micros)
