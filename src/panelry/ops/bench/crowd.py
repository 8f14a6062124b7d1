"""Very many orders: of one account that has most of them, and of many that have the rest."""

import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from panelry.domain import ids, orders
from panelry.domain.accounts import KeyDigest, digest
from panelry.domain.catalog import ServiceId
from panelry.domain.orders import Draft, OrderId, Placed
from panelry.ops.bench.ground import Customer, Ground
from panelry.ops.bench.progress import Advance

AT_ONCE: Final = 256
SHARE: Final = 0.6
"""What the one account has of all orders."""
MOST_REMEMBERED: Final = 20_000
SEED: Final = 5


class Crowd:
    """Accounts on a ground, and the orders that were placed for them; some are remembered, evenly over all ages."""

    def __init__(self, ground: Ground, customers: Sequence[Customer], services: Sequence[ServiceId]) -> None:
        """Let the first customer be the one that has most orders."""
        self._ground = ground
        self._services = services
        self.owner, *self.others = customers
        self.placed = 0
        self._of_owner = 0
        self._digests = {one.account_id: digest(one.key) for one in customers}
        self._remembered: dict[bool, list[tuple[KeyDigest, OrderId]]] = {True: [], False: []}
        self._every = {True: 1, False: 1}
        self._random = random.Random(SEED)  # noqa: S311 (the same choice each time, no secret)

    def grow(self, to: int, advance: Advance) -> None:
        """Place orders by the operation, in sets, until there are so many."""
        missing = to - self.placed
        most = min(round(to * SHARE) - self._of_owner, missing)
        with ThreadPoolExecutor(2) as threads:
            # Sets that lock the same wallet would wait for each other.
            lanes = [
                threads.submit(self._place, [self.owner], most, advance),
                threads.submit(self._place, self.others, missing - most, advance),
            ]
            for lane in lanes:
                lane.result()
        self.placed = to
        self._of_owner += most

    def draft(self, customers: Sequence[Customer], number: int) -> Draft:
        """Write the next order of one of them."""
        return Draft(
            caller=customers[number % len(customers)].account_id,
            service=self._services[number % len(self._services)],
            request_id=ids.show("", ids.new()),
            parameters={"link": f"https://example.com/{number}", "quantity": "100"},
        )

    def order(self) -> tuple[KeyDigest, OrderId]:
        """Pick one of all orders, with the key of its account."""
        return self._random.choice(self._remembered[self._random.random() < SHARE])

    def orders_of_owner(self, count: int) -> tuple[KeyDigest, list[OrderId]]:
        """Pick so many orders of the one account, with its key."""
        picked = self._random.sample(self._remembered[True], k=count)
        return self._digests[self.owner.account_id], [id_ for _, id_ in picked]

    def _place(self, customers: Sequence[Customer], count: int, advance: Advance) -> None:
        for start in range(0, count, AT_ONCE):
            drafts = [self.draft(customers, turn) for turn in range(start, min(start + AT_ONCE, count))]
            with self._ground.pool.transaction() as conn:
                answers = orders.place(conn, drafts)
            placed = [answer for answer in answers if isinstance(answer, Placed)]
            assert len(placed) == len(drafts), answers
            advance(len(placed))
            self._remember(placed, of_owner=customers[0] is self.owner)

    def _remember(self, placed: Sequence[Placed], *, of_owner: bool) -> None:
        kept = self._remembered[of_owner]
        kept += [(self._digests[one.account_id], one.order_id) for one in placed[:: self._every[of_owner]]]
        if len(kept) > MOST_REMEMBERED:
            del kept[::2]
            self._every[of_owner] *= 2
