"""What a benchmark stands on: a new embedded database on the disk of the data directory, with something to sell in it."""

import secrets
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Final

from panelry import settings as panelry_settings
from panelry.database.embedded import cluster
from panelry.database.pool import Pool
from panelry.domain import accounts, catalog, coupons, ledger, money, orders, providers
from panelry.domain.accounts import AccountId
from panelry.domain.catalog import ServiceId
from panelry.domain.providers import UpstreamService
from panelry.domain.vault import open_vault
from panelry.ops.migrate import migrate
from panelry.settings import Settings

PLENTY: Final = money.parse("1000000")
RATE: Final = Decimal("1.00")
NOWHERE: Final = "http://127.0.0.1:9/api/v2"
_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """An account with a full wallet, and its key."""

    account_id: AccountId
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """A database that is thrown away afterwards, and how to reach it."""

    settings: Settings
    pool: Pool

    @property
    def url(self) -> str:
        """Return the address of its database."""
        assert self.settings.database_url is not None
        return self.settings.database_url

    def customers(self, count: int, *, per_minute: int | None = None) -> list[Customer]:
        """Make accounts that can pay for whatever they order; their keys may have a limit of their own."""
        made: list[Customer] = []
        while len(made) < count:
            with self.pool.transaction() as conn:
                for _ in range(min(_AT_ONCE, count - len(made))):
                    email = f"{secrets.token_hex(8)}@example.com"
                    account = accounts.create(conn, email, password=None)
                    key = accounts.create_key(conn, account.id, per_minute=per_minute)
                    ledger.credit(
                        conn, account.id, PLENTY, source=ledger.ADJUSTMENT, reason="bench", actor="bench",
                        reference=None,
                    )  # fmt: skip
                    made.append(Customer(account_id=account.id, key=key.key))
        return made

    def services(self, count: int, *, provider: str = "Bench", url: str = NOWHERE) -> list[ServiceId]:
        """Sell so many services of one new provider, which nobody calls unless it has a URL."""
        rows = [
            UpstreamService(
                service=str(number), name=f"Service {number}", type="Default", category=f"Category {number % 50}",
                rate=RATE, minimum=10, maximum=1_000_000, dripfeed=False, refill=True, cancel=True,
                description="", average_time="",
            )
            for number in range(1, count + 1)
        ]  # fmt: skip
        with self.pool.transaction() as conn:
            id_ = providers.add(
                conn, open_vault(self.settings), provider, url=url, key="bench", dialect="panel_v2"
            )
            providers.record_snapshot(conn, id_, rows)
            return [made.service for made in catalog.import_services(conn, id_, chosen=None)]

    def analyse(self) -> None:
        """Let the planner know what there is: a plan made for empty tables would be kept."""
        with self.pool.connection() as conn:
            conn.execute("ANALYZE")

    def settle(self) -> None:
        """Let that be over which the server does in the background after a load, so that it takes from nobody's time."""
        with self.pool.connection() as conn:
            conn.execute("VACUUM (ANALYZE)")
            conn.execute("CHECKPOINT")

    def wrong(self) -> list[str]:
        """Go through all the books and return what is wrong in them."""
        with self.pool.transaction() as conn:
            found = [*ledger.verify(conn).wrong, *orders.verify(conn), *coupons.verify(conn)]
        return [f"{one.account} {one.row}: {one.problem}" for one in found]

    def count_orders(self, account_ids: Sequence[AccountId]) -> int:
        """Return how many orders these accounts have."""
        with self.pool.connection() as conn:
            query = "SELECT count(*) FROM orders WHERE account_id = ANY (%s)"
            [[count]] = conn.execute(query, [list(account_ids)]).fetchall()
        return int(count)


@contextmanager
def ground(data: Path, *, connections: int = 10) -> Iterator[Ground]:
    """Make the database beside the operator's own data, on the same disk, and remove it afterwards."""
    data.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=data))
    folder.chmod(0o711)
    try:
        with cluster(folder) as url:
            settings = replace(panelry_settings.load({}, data=folder), database_url=url)
            migrate(settings)
            pool = Pool(url, size=connections, name="panelry bench")
            try:
                yield Ground(settings=settings, pool=pool)
            finally:
                pool.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
