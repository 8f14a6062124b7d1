"""State for tests, built by the real operations."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

from panelry.database.pool import Conn
from panelry.domain import accounts, billing, catalog, coupons, ledger, money, orders, providers, webhooks
from panelry.domain.accounts import AccountId
from panelry.domain.catalog import ServiceId
from panelry.domain.coupons import Terms
from panelry.domain.money import Micros
from panelry.domain.orders import Attempt, Draft, OrderId, Placed, Tracked
from panelry.domain.providers import (
    Accepted,
    Outcome,
    ProviderId,
    Report,
    UpstreamService,
    UpstreamState,
)
from panelry.domain.vault import Vault
from panelry.domain.webhooks import Registered

VAULT = Vault(b"a vault that is only used by tests")
LEASE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """An account with one key."""

    account: AccountId
    email: str
    key: str


@dataclass(frozen=True, slots=True)
class Given:
    """Builds what a test starts from, on one connection."""

    conn: Conn

    def customer(self, balance: str = "0") -> Customer:
        """Make an account with a key and this much in its wallet."""
        account = accounts.create(self.conn, f"{uuid4().hex}@example.com", password=None)
        key = accounts.create_key(self.conn, account.id)
        if Decimal(balance):
            self.deposit(account.id, balance)
        return Customer(account=account.id, email=account.email, key=key.key)

    def deposit(self, account: AccountId, amount: str, *, reference: str | None = None) -> Micros:
        """Credit a wallet by hand."""
        return billing.deposit(
            self.conn, account, money.parse(amount), gateway="manual", reason="deposit", actor="staff", reference=reference
        )  # fmt: skip

    def discount(self, customer: Customer, percent: str | Decimal) -> str:
        """Put a customer into a tier of its own, which no deposit reaches, that takes so much off; return its name."""
        name = uuid4().hex
        self.conn.execute(
            "INSERT INTO tiers (name, per_minute, position, threshold_micros, discount_percent)"
            " SELECT %s, 100, max(position) + 1, %s, %s FROM tiers",
            [name, money.LARGEST, percent],
        )
        accounts.set_tier(self.conn, customer.account, name)
        return name

    def revoke(self, key: str) -> None:
        """End a key."""
        found = accounts.key_by_prefix(self.conn, key[:12])
        webhooks.revoke_key(self.conn, found.account_id, found.id)

    def provider(self, *, url: str = "http://127.0.0.1:9/api/v2", dialect: str = "panel_v2") -> ProviderId:
        """Add a provider with a name of its own."""
        return providers.add(self.conn, VAULT, uuid4().hex, url=url, key="provider key", dialect=dialect)

    def service(
        self,
        provider: ProviderId | None = None,
        *,
        rate: str = "1.00",
        minimum: int = 10,
        maximum: int = 1_000_000,
    ) -> ServiceId:
        """Put one Default service on sale that is bought from a provider (a new one, unless given)."""
        return self.services(provider, [upstream_service(rate=rate, minimum=minimum, maximum=maximum)])[0]

    def services(self, provider: ProviderId | None, rows: Sequence[UpstreamService]) -> list[ServiceId]:
        """Import these rows as a provider's whole list."""
        provider = provider or self.provider()
        providers.record_snapshot(self.conn, provider, rows)
        return [
            i.service for i in catalog.import_services(self.conn, provider, chosen=[r.service for r in rows])
        ]

    def placed(self, customer: Customer, service: ServiceId, quantity: int = 100) -> OrderId:
        """Place one order that must succeed."""
        [placed] = orders.place(self.conn, [draft(customer, service, quantity=quantity)])
        assert isinstance(placed, Placed), placed
        return placed.order_id

    def attempts(self, provider: ProviderId, most: int = 100) -> list[Attempt]:
        """Claim what waits for a provider."""
        return orders.claim_submissions(self.conn, provider, most=most, lease=LEASE)

    def answered(self, attempt: Attempt, outcome: Outcome, *, resendable: bool = False) -> int:
        """Record what a provider answered to one attempt."""
        known = {attempt.provider_id} if resendable else set()
        key = (attempt.account_id, attempt.submission_id)
        repetitions = {attempt.submission_id: attempt.repetition}
        return orders.record_outcomes(self.conn, {key: outcome}, resendable=known, repetitions=repetitions)

    def accepted(self, provider: ProviderId) -> Tracked:
        """Send the one order that waits for a provider and have it accepted under an id of its own."""
        [attempt] = self.attempts(provider)
        upstream_id = uuid4().hex
        self.answered(attempt, Accepted(upstream_id=upstream_id))
        return Tracked(
            submission_id=attempt.submission_id,
            account_id=attempt.account_id,
            provider_id=provider,
            upstream_id=upstream_id,
        )

    def ended(
        self,
        customer: Customer,
        service: ServiceId,
        state: UpstreamState = UpstreamState.COMPLETED,
        remains: int = 0,
    ) -> OrderId:
        """Place one order of 100 units that is accepted, and ends as the provider says."""
        order = self.placed(customer, service)
        [[provider]] = self.conn.execute("SELECT provider_id FROM orders WHERE id = %s", [order]).fetchall()
        report = Report(state=state, word=state, remains=remains)
        orders.apply_reports(self.conn, {self.accepted(provider): report})
        return order

    def coupon(self, **terms: Any) -> str:
        """Make a coupon of these terms with a code of its own: 10 % off, unless something else is said."""
        said = terms if {"percent", "fixed_micros"} & terms.keys() else {"percent": Decimal(10), **terms}
        return coupons.create(self.conn, uuid4().hex, Terms(**said))

    def webhook(
        self, customer: Customer, *events: str, url: str = "https://hooks.example.com/p"
    ) -> Registered:
        """Register an endpoint on the customer's pages for these events (all, where none is named)."""
        return webhooks.add(self.conn, VAULT, customer.account, url=url, events=events)

    def later(self, wait: str) -> None:
        """Let this much time have passed since the test began (`"90 seconds"`), until the transaction ends."""
        self.conn.execute("SELECT set_config('panelry.clock_offset', %s, true)", [wait])

    def route(
        self, service: ServiceId, *, priority: int = 200, provider: ProviderId | None = None
    ) -> ProviderId:
        """Let a service be bought from one more provider (a new one, unless given), after those of lower priority."""
        provider = provider or self.provider()
        self.conn.execute(
            "INSERT INTO routes (service_id, provider_id, provider_service, priority) VALUES (%s, %s, %s, %s)",
            [service, provider, uuid4().hex, priority],
        )
        return provider

    def status(self, customer: Customer, order: OrderId) -> orders.Status:
        """Return what the customer sees of an order."""
        [seen] = orders.statuses(self.conn, [(accounts.digest(customer.key), [order])])
        assert isinstance(seen, list)
        [status] = seen
        assert status is not None
        return status

    def balance(self, customer: Customer) -> Micros:
        """Return what the customer's wallet holds."""
        return ledger.balances(self.conn, [customer.account])[0]

    def assert_books(self) -> None:
        """Go through all the books; nothing may be wrong."""
        assert ledger.verify(self.conn).wrong == []
        assert orders.verify(self.conn) == []
        assert coupons.verify(self.conn) == []


def draft(
    customer: Customer, service: ServiceId, *, quantity: int | str = 100, request_id: str | None = None,
    link: str = "https://example.com/post", **more: str,
) -> Draft:  # fmt: skip
    """Write an order of a Default service as the API would."""
    return Draft(
        caller=accounts.digest(customer.key),
        service=service,
        request_id=request_id or uuid4().hex,
        parameters={"link": link, "quantity": str(quantity), **more},
    )


def upstream_service(
    service: str | None = None, *, rate: str = "1.00", minimum: int | None = 10, maximum: int | None = 1_000_000,
    type_: str = "Default", name: str = "Newsletter placement", dripfeed: bool = False,
) -> UpstreamService:  # fmt: skip
    """Write one row of a provider's list."""
    return UpstreamService(
        service=service or uuid4().hex, name=name, type=type_, category="Newsletters", rate=Decimal(rate), minimum=minimum,
        maximum=maximum, dripfeed=dripfeed, refill=True, cancel=True, description="", average_time="",
    )  # fmt: skip
