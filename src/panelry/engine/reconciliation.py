"""Finds out what became of unknown submissions, as far as providers tell without being sent anything again."""

from datetime import timedelta
from functools import partial

import structlog

from panelry.domain import money, orders
from panelry.domain.orders import Lookup, Sight
from panelry.domain.providers import Connector, Provider
from panelry.domain.refusals import PermanentFailure, TemporaryFailure
from panelry.engine.calls import Calls
from panelry.engine.desk import Desk

log = structlog.get_logger()


class Reconciliation:
    """One engine's looking, at each provider for one order after the other. A paused provider is asked, too."""

    def __init__(self, desk: Desk) -> None:
        """Ask from one desk."""
        self._desk = desk
        self._calls = Calls("reconciliation")
        self.drain = self._calls.drain

    async def look(self) -> int:
        """Look for what is due at each provider that has answered the last look; return for how many orders."""
        due = (await self._desk.due()).to_look
        asked = 0
        for provider in await self._desk.providers():
            if provider.id not in due or not self._calls.room(provider.id):
                continue
            claim = partial(orders.claim_lookups, provider_id=provider.id, most=1, lease=self._desk.lease)
            for lookup in await self._desk.database(claim):
                self._calls.start(provider.id, self._look(provider, lookup))
                asked += 1
        return asked

    async def pay_back(self) -> int:
        """Pay customers back that have waited for as long as the operator lets them wait; return for how many orders."""
        hours = self._desk.settings.unknown_refund_hours
        if hours == 0:
            return 0
        pay_back = partial(orders.pay_back_unknown, waited=timedelta(hours=hours))
        paid = await self._desk.database(pay_back)
        if paid:
            log.warning("unknown_orders_paid_back", orders=paid, after_hours=hours)
        return paid

    async def _look(self, provider: Provider, lookup: Lookup) -> None:
        try:
            sight = await _sight(self._desk.connector(provider), lookup)
        except (TemporaryFailure, PermanentFailure) as failure:
            log.warning("look_not_answered", provider=provider.name, error=str(failure))
            sight = Sight(said=None, failure=str(failure))
        await self._desk.database(partial(orders.record_lookup, lookup=lookup, sight=sight))


async def _sight(connector: Connector, lookup: Lookup) -> Sight:
    """Ask for the ids, and then for the balance, which alone may fail where there are ids: it is only evidence."""
    said = await connector.statuses(lookup.asked) if lookup.asked else {}
    try:
        balance = await connector.balance()
    except (TemporaryFailure, PermanentFailure):
        if not lookup.asked:
            raise
        return Sight(said=said)
    return Sight(said=said, balance_micros=money.balance_micros(balance.amount))
