"""The domain calls that the actions make, each gathered into sets."""

import gzip
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from itertools import chain, islice
from typing import Any, Final, TypeVar

import msgspec

from panelry import clock
from panelry.api.batching import Ask, Gathering, Got, Perform, Work, in_thread
from panelry.database.pool import Conn, Pool
from panelry.domain import accounts, catalog, ids, ledger, money, orders, refills
from panelry.domain.accounts import AccountId, AccountState, AccountSuspended, Caller, KeyDigest
from panelry.domain.money import Micros
from panelry.domain.orders import CUSTOMER, Draft, OrderId, Placed, Status
from panelry.domain.providers import RefillState
from panelry.domain.refills import RefillId, Wanted
from panelry.domain.refusals import Refusal
from panelry.metrics import Metrics

T = TypeVar("T")

MOST: Final = 256
BALANCE_SECONDS: Final = 30.0
MOST_BALANCES: Final = 100_000
MOST_PRICE_LISTS: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceList:
    """The rendered answer to `services` for a discount, and the revision of the catalogue that it shows."""

    revision: int
    plain: bytes
    zipped: bytes


class Calls:
    """What the API asks of the business. Each method answers for one caller and works for many at once."""

    def __init__(
        self,
        pool: Pool,
        metrics: Metrics | None = None,
        *,
        place: Perform[Draft, Placed | Refusal] | None = None,
    ) -> None:
        """Work on a pool with threads of its own; `place` places sets where these are not to do that, too."""
        self._pool = pool
        self._metrics = metrics or Metrics()
        self._threads = ThreadPoolExecutor(max_workers=6, thread_name_prefix="api")
        self._place: Gathering[Draft, Placed | Refusal] = Gathering(
            place or self._threaded(partial(place_set, pool)),
            most=MOST,
            observe=self._metrics.sizes_of("place"),
        )
        self._identify: Gathering[KeyDigest, Caller | Refusal] = self._gather(self._identify_set)
        self._statuses: Gathering[tuple[KeyDigest, Sequence[OrderId]], list[Status | None] | Refusal] = (
            self._gather(self._status_set)
        )
        self._cancel: Gathering[tuple[AccountId, Sequence[OrderId]], list[OrderId | Refusal]] = self._gather(
            self._cancel_set
        )
        self._refill: Gathering[Sequence[Wanted], list[RefillId | Refusal]] = self._gather(self._refill_set)
        self._refill_states: Gathering[tuple[AccountId, Sequence[RefillId]], dict[RefillId, RefillState]] = (
            self._gather(self._refill_state_set)
        )
        self._balance: Gathering[AccountId, Micros] = self._gather(self._balance_set)
        self._price_list: Gathering[KeyDigest, PriceList | Refusal] = self._gather(self._price_list_set)
        self._alone: Gathering[Callable[[Conn], Any], Any] = Gathering(
            self._threaded(self._alone_set), most=1
        )
        self._balances: dict[AccountId, tuple[float, Micros]] = {}
        self._listed: dict[Decimal, PriceList] = {}

    async def identify(self, digest: KeyDigest) -> Caller:
        """Return who calls with this key, suspended or not. Raises `InvalidApiKey`."""
        caller = await self._identify.ask(digest)
        if isinstance(caller, Refusal):
            raise caller
        return caller

    async def place(self, draft: Draft) -> Placed:
        """Place one order; raises the refusal that says why not. It is committed when this returns."""
        placed = await self._place.ask(draft)
        if isinstance(placed, Refusal):
            raise placed
        self._balances.pop(placed.account_id, None)
        return placed

    async def statuses(self, digest: KeyDigest, order_ids: Sequence[OrderId]) -> list[Status | None]:
        """Return what the key's account sees of each of these orders, `None` for one that is not its own.

        Raises `InvalidApiKey` or `AccountSuspended`.
        """
        statuses = await self._statuses.ask((digest, order_ids))
        if isinstance(statuses, Refusal):
            raise statuses
        return statuses

    async def cancel(self, account_id: AccountId, order_ids: Sequence[OrderId]) -> list[OrderId | Refusal]:
        """Cancel orders, and answer each with its id or the refusal that says why not."""
        answers = await self._cancel.ask((account_id, order_ids))
        self._balances.pop(account_id, None)
        return answers

    async def refill(self, account_id: AccountId, order_ids: Sequence[OrderId]) -> list[RefillId | Refusal]:
        """Ask for a refill of each order, and answer with its id or the refusal that says why not."""
        # The ids are made here, once: a set that is tried again after a lost connection asks for the same refills.
        return await self._refill.ask(
            [Wanted(id=RefillId(ids.new()), account_id=account_id, order_id=id_) for id_ in order_ids]
        )

    async def refill_states(
        self, account_id: AccountId, refill_ids: Sequence[RefillId]
    ) -> dict[RefillId, RefillState]:
        """Return how these refills are doing, those left out that are not the account's own."""
        return await self._refill_states.ask((account_id, refill_ids))

    def known_balance(self, account_id: AccountId) -> Micros | None:
        """Return the balance where it was asked for less than 30 seconds ago and no order has changed it since."""
        until, balance = self._balances.get(account_id, (0.0, money.ZERO))
        return balance if until > clock.monotonic() else None

    async def balance(self, account_id: AccountId) -> Micros:
        """Return what the wallet holds, at most 30 seconds old."""
        known = self.known_balance(account_id)
        if known is not None:
            return known
        if len(self._balances) >= MOST_BALANCES:
            self._balances.clear()
        asking = self._balances[account_id] = (0.0, money.ZERO)
        balance = await self._balance.ask(account_id)
        # Where an order was placed meanwhile, nobody knows whether the figure counts it.
        if self._balances.get(account_id) is asking:
            self._balances[account_id] = (clock.monotonic() + BALANCE_SECONDS, balance)
        return balance

    async def price_list(self, digest: KeyDigest) -> PriceList:
        """Return the rendered price list of the key's tier; it is never older than the last change of the catalogue.

        Raises `InvalidApiKey` or `AccountSuspended`.
        """
        listed = await self._price_list.ask(digest)
        if isinstance(listed, Refusal):
            raise listed
        return listed

    async def alone(self, work: Callable[[Conn], T]) -> T:
        """Do what is asked for too seldom to gather, in a transaction of its own; raises its refusal.

        It must be safe to repeat: where the connection was lost it may be done twice.
        """
        done: T = await self._alone.ask(work)
        return done

    def close(self) -> None:
        """Let the threads end."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _gather(self, work: Work[Ask, Got]) -> Gathering[Ask, Got]:
        observe = self._metrics.sizes_of(work.__name__.strip("_").removesuffix("_set"))
        return Gathering(self._threaded(work), most=MOST, observe=observe)

    def _threaded(self, work: Work[Ask, Got]) -> Perform[Ask, Got]:
        return in_thread(work, self._threads, recover=self._pool.check)

    def _alone_set(self, works: Sequence[Callable[[Conn], Any]]) -> list[Any]:
        with self._pool.transaction() as conn:
            return [work(conn) for work in works]

    def _identify_set(self, digests: Sequence[KeyDigest]) -> Sequence[Caller | Refusal]:
        with self._pool.transaction() as conn:
            return accounts.identify(conn, digests)

    def _status_set(
        self, asked: Sequence[tuple[KeyDigest, Sequence[OrderId]]]
    ) -> Sequence[list[Status | None] | Refusal]:
        with self._pool.connection() as conn:
            return orders.statuses(conn, asked)

    def _cancel_set(
        self, asked: Sequence[tuple[AccountId, Sequence[OrderId]]]
    ) -> list[list[OrderId | Refusal]]:
        with self._pool.transaction() as conn:
            flat = [(account_id, id_) for account_id, order_ids in asked for id_ in order_ids]
            answers = iter(orders.cancel(conn, flat, actor=CUSTOMER))
        return [list(islice(answers, len(order_ids))) for _, order_ids in asked]

    def _refill_set(self, asked: Sequence[Sequence[Wanted]]) -> list[list[RefillId | Refusal]]:
        with self._pool.transaction() as conn:
            answers = iter(refills.request(conn, list(chain.from_iterable(asked)), actor=CUSTOMER))
        return [list(islice(answers, len(wanted))) for wanted in asked]

    def _refill_state_set(
        self, asked: Sequence[tuple[AccountId, Sequence[RefillId]]]
    ) -> list[dict[RefillId, RefillState]]:
        with self._pool.transaction() as conn:
            return refills.states(conn, asked)

    def _balance_set(self, account_ids: Sequence[AccountId]) -> list[Micros]:
        with self._pool.transaction() as conn:
            return ledger.balances(conn, account_ids)

    def _price_list_set(self, asked: Sequence[KeyDigest]) -> list[PriceList | Refusal]:
        with self._pool.connection() as conn:
            callers = accounts.identify(conn, asked)
            revision = catalog.revision(conn)
            discounts = {caller.discount_percent for caller in callers if isinstance(caller, Caller)}
            stale = {d for d in discounts if d not in self._listed or self._listed[d].revision != revision}
            listings = catalog.listings(conn) if stale else []
        made = {discount: _rendered(listings, discount, revision) for discount in stale}
        known = self._listed | made
        # Only as many as tiers are likely to have, the newest ones: a list of thousands of services is large.
        kept = list(known)[-MOST_PRICE_LISTS:]
        self._listed = {discount: known[discount] for discount in kept}
        return [_list_of(caller, known) for caller in callers]


def place_set(pool: Pool, drafts: Sequence[Draft]) -> list[Placed | Refusal]:
    """Place a set in one transaction: in a thread of the API, or in the process beside it."""
    with pool.transaction() as conn:
        return orders.place(conn, drafts)


def _list_of(caller: Caller | Refusal, known: Mapping[Decimal, PriceList]) -> PriceList | Refusal:
    if isinstance(caller, Refusal):
        return caller
    return known[caller.discount_percent] if caller.state is AccountState.ACTIVE else AccountSuspended()


def _rendered(listings: Sequence[catalog.Listing], discount: Decimal, revision: int) -> PriceList:
    plain = msgspec.json.encode([_row(listing, discount) for listing in listings])
    return PriceList(revision=revision, plain=plain, zipped=gzip.compress(plain, compresslevel=6, mtime=0))


def _row(listing: catalog.Listing, discount: Decimal) -> dict[str, Any]:
    row: dict[str, Any] = {
        "service": listing.id,
        "name": listing.name,
        "type": listing.type,
        "category": listing.category,
        "rate": money.text(catalog.discounted(listing.rate_micros, discount)),
        "min": str(listing.minimum),
        "max": str(listing.maximum),
        "dripfeed": listing.dripfeed,
        "refill": listing.refill,
        "cancel": listing.cancel,
        "description": listing.description,
        "average_time": listing.average_time,
    }
    return row if listing.rate_per == catalog.PER_THOUSAND else {**row, "per": "package"}
