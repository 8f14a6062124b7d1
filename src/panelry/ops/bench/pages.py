"""The dashboard's list of orders, asked for by the customer that owns them: all of Django, without the network."""

from typing import Any, Final, Self
from uuid import UUID

from panelry import clock
from panelry.domain import ids
from panelry.ops.bench.ground import Customer, Ground
from panelry.ops.session import CommandFailed

LIST: Final = "/dashboard/orders/"
WARM: Final = 5


class Pages:
    """A browser that an account's customer signed in with, on the ground that this process's Django knows."""

    def __init__(self, ground: Ground, owner: Customer) -> None:
        """Look at the orders of one account."""
        from panelry.web.dashboard.history import ON_A_PAGE

        self._ground = ground
        self._owner = owner
        self._on_a_page = ON_A_PAGE
        self._client: Any = None

    def __enter__(self) -> Self:
        """Sign in."""
        from django.conf import settings
        from django.contrib.auth import get_user_model
        from django.test import Client

        [host, *_] = settings.ALLOWED_HOSTS
        self._client = Client(HTTP_HOST="localhost" if host == "*" else host.lstrip("."))
        self._client.force_login(get_user_model().objects.get(account_id=self._owner.account_id))
        return self

    def __exit__(self, *_: object) -> None:
        """Close what Django holds of the database."""
        from django.db import connection

        connection.close()

    @property
    def last(self) -> int:
        """The number of the last page that is full."""
        return max(self._ground.count_orders([self._owner.account_id]) // self._on_a_page, 1)

    def asked_for(self, number: int, seconds: float) -> tuple[list[float], float]:
        """Ask for one page again and again; return how long each answer took, and all of them.

        Raises `CommandFailed` where it is not that page.
        """
        before, first = self._around((number - 1) * self._on_a_page)
        address = LIST if before is None else f"{LIST}?older={ids.show(ids.ORDER, before)}"
        shown = f'title="{ids.show(ids.ORDER, first)}"'.encode()
        took: list[float] = []
        began = clock.monotonic()
        while len(took) < 2 * WARM or clock.monotonic() < began + seconds:
            start = clock.monotonic()
            answer = self._client.get(address)
            took.append(clock.monotonic() - start)
            if answer.status_code != 200 or shown not in answer.content:
                raise CommandFailed(
                    f"{address} answers {answer.status_code}, not its orders", {"verified": False}
                )
        counted = took[WARM:]
        return counted, sum(counted)

    def _around(self, skipped: int) -> tuple[UUID | None, UUID]:
        """Return the order before a page, if there is one, and the first on it."""
        query = "SELECT id FROM orders WHERE account_id = %s ORDER BY id DESC LIMIT 2 OFFSET %s"
        with self._ground.pool.connection() as conn:
            found = conn.execute(query, [self._owner.account_id, max(skipped - 1, 0)]).fetchall()
        (one,), (other,) = found
        return (one, other) if skipped else (None, one)
