"""A provider that hands out rising ids to us and to others, loses answers, and can be looked into."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

from given import LEASE, Customer, Given
from panelry.database.pool import Conn
from panelry.domain import orders
from panelry.domain.catalog import ServiceId
from panelry.domain.money import Micros
from panelry.domain.orders import Attempt, Lookup, OrderId, Sight, SubmissionId
from panelry.domain.providers import Accepted, ProviderId, Report, RowError, Unknown, UpstreamState

LOST = Unknown(text="read time-out")


@dataclass
class Upstream:
    """Its truth: which id it gave to which attempt. Orders of others are told to nobody, unless it `tells_all`."""

    last: int = 1000
    made: dict[str, Attempt] = field(default_factory=dict)
    tells_all: bool = False
    balance: Micros | None = None

    def make(self, attempt: Attempt) -> str:
        """Take an order of ours and return its id."""
        self.last += 1
        self.made[str(self.last)] = attempt
        return str(self.last)

    def statuses(self, asked: Sequence[str]) -> dict[str, Report | RowError]:
        return {id_: self._row(id_) for id_ in asked}

    def _row(self, id_: str) -> Report | RowError:
        if id_ not in self.made and not (self.tells_all and int(id_) <= self.last):
            return RowError(text="Incorrect order ID")
        return Report(state=UpstreamState.IN_PROGRESS, word="In progress", remains=90, charge=Decimal("0.10"))

    def sight(self, lookup: Lookup) -> Sight:
        """Show what it is asked for."""
        return Sight(said=self.statuses(lookup.asked), balance_micros=self.balance)


@dataclass
class Story:
    """One customer who orders from one provider by a clock that only goes on when told to."""

    given: Given
    upstream: Upstream
    provider: ProviderId
    service: ServiceId
    customer: Customer
    seconds: float = 0.0
    _orders: dict[SubmissionId, OrderId] = field(default_factory=dict)

    @property
    def conn(self) -> Conn:
        return self.given.conn

    def order(self, attempt: Attempt) -> OrderId:
        return self._orders[attempt.submission_id]

    def wait(self, seconds: float) -> None:
        self.seconds += seconds
        self.given.later(f"{self.seconds} seconds")

    def sent(self) -> Attempt:
        """Order and send: from now on the provider may have it."""
        order = self.given.placed(self.customer, self.service)
        [attempt] = self.given.attempts(self.provider)
        self._orders[attempt.submission_id] = order
        self.wait(1)
        return attempt

    def bought(self) -> Attempt:
        """Order, and have it accepted under the id that it got."""
        attempt = self.sent()
        self.given.answered(attempt, Accepted(upstream_id=self.upstream.make(attempt)))
        self.wait(1)
        return attempt

    def lost(self, *, made: bool = True) -> Attempt:
        """Order, and lose the answer, whether the order was made or not."""
        attempt = self.sent()
        if made:
            self.upstream.make(attempt)
        self.given.answered(attempt, LOST)
        self.wait(1)
        return attempt

    def looked(self, *, most: int = 100) -> int:
        """Look for all that is due, and return how many looks were made."""
        lookups = self.claimed(most=most)
        return sum(orders.record_lookup(self.conn, one, self.upstream.sight(one)) for one in lookups)

    def claimed(self, *, most: int = 100, lease: timedelta = LEASE) -> list[Lookup]:
        return orders.claim_lookups(self.conn, self.provider, most=most, lease=lease)

    def to_the_end(self) -> None:
        """Make all looks that there will be."""
        for wait in (5, 60, 300, 900):
            self.wait(wait)
            self.looked()


def story_of(given: Given, *, dialect: str = "panel_v2", **how: object) -> Story:
    """Begin with a provider whose address nobody else has, and one order that it took."""
    provider = given.provider(url=f"https://{uuid4().hex}.example/api/v2", dialect=dialect)
    given.conn.execute("UPDATE providers SET max_in_flight = 1000 WHERE id = %s", [provider])
    return Story(
        given=given, upstream=Upstream(**how), provider=provider, service=given.service(provider),  # type: ignore[arg-type]
        customer=given.customer("1000"),
    )  # fmt: skip
