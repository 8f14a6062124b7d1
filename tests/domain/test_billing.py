"""Deposits, and the tiers that they reach."""

from decimal import Decimal

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st
from threads import at_once

from given import Customer, Given
from panelry.database.pool import Conn, Pool
from panelry.domain import accounts, billing, ids, ledger, letters, money
from panelry.domain.accounts import AccountId, InvalidTier, Tier, TierId, TierNotFound
from panelry.domain.billing import tier_reached
from panelry.domain.ledger import Entry
from panelry.domain.money import Micros


def tier_of(conn: Conn, account: AccountId) -> str:
    query = "SELECT t.name FROM accounts a JOIN tiers t ON t.id = a.tier_id WHERE a.id = %s"
    [[name]] = conn.execute(query, [account]).fetchall()
    return str(name)


def written(conn: Conn, email: str) -> list[tuple[str, object]]:
    query = "SELECT template, data FROM letters WHERE recipient = %s ORDER BY id"
    return conn.execute(query, [email]).fetchall()


@pytest.fixture
def customer(given: Given) -> Customer:
    return given.customer()


AMOUNTS = st.integers(0, 10**18).map(Micros)


@for_all(st.lists(AMOUNTS, max_size=6), AMOUNTS, AMOUNTS)
def test_a_tier_is_reached_by_its_threshold_and_no_deposit_makes_it_less(
    thresholds: list[Micros], one: Micros, other: Micros
) -> None:
    tiers = [
        Tier(id=TierId(n), name=str(n), per_minute=1, threshold_micros=t, discount_percent=Decimal(0))
        for n, t in enumerate(thresholds)
    ]
    reached = tier_reached(tiers, one)
    if reached is None:
        assert all(threshold > one for threshold in thresholds)
    else:
        assert reached.threshold_micros <= one
        assert all(tier.threshold_micros > one for tier in tiers[reached.id + 1 :])
        further = tier_reached(tiers, Micros(one + other))
        assert further is not None
        assert further.id >= reached.id


def test_a_deposit_is_a_credit_from_its_gateways_book(conn: Conn, given: Given, customer: Customer) -> None:
    assert given.deposit(customer.account, "12.50") == 12_500_000
    query = "SELECT source, target, amount_micros, balance_micros FROM transfers WHERE account_id = %s"
    rows = conn.execute(query, [customer.account]).fetchall()
    assert rows == [("deposit:manual", "wallet", 12_500_000, 12_500_000)]


@pytest.mark.parametrize(
    ("deposits", "tier"),
    [
        (["999.999999"], "Standard"),
        (["1000"], "Reseller"),
        (["400", "599.99"], "Standard"),
        (["400", "599.99", "0.01"], "Reseller"),
        (["9999.99"], "Reseller"),
        (["9999.99", "0.01"], "Agency"),
        (["10000"], "Agency"),
    ],
)
def test_the_deposit_that_crosses_a_threshold_moves_the_account_up(
    conn: Conn, given: Given, customer: Customer, deposits: list[str], tier: str
) -> None:
    for amount in deposits:
        given.deposit(customer.account, amount)
    assert tier_of(conn, customer.account) == tier


def test_whoever_logs_in_is_told_of_the_tier_once(conn: Conn, given: Given, customer: Customer) -> None:
    accounts.change_tier(conn, "Reseller", discount_percent=Decimal("2.50"))
    for _ in range(3):
        given.deposit(customer.account, "600")
    data = {"tier": "Reseller", "discount": "2.5", "per_minute": 1000}
    assert written(conn, customer.email) == [("tier_reached", data)]


def test_what_is_not_deposited_reaches_nothing(conn: Conn, customer: Customer) -> None:
    for source in (ledger.BONUS, ledger.ADJUSTMENT):
        ledger.credit(
            conn, customer.account, money.parse("50000"), source=source, reason="gift", actor="staff", reference=None
        )  # fmt: skip
    billing.deposit(
        conn,
        customer.account,
        money.parse("1"),
        gateway="card",
        reason="card",
        actor="customer",
        reference=None,
    )
    assert tier_of(conn, customer.account) == "Standard"


def test_what_went_back_to_the_gateway_does_not_count_and_moves_nobody_down(
    conn: Conn, given: Given, customer: Customer
) -> None:
    def pay_back(amount: str) -> None:
        entry = Entry(
            posting=ids.new(), source=ledger.WALLET, target=ledger.deposit("card"), amount_micros=money.parse(amount),
            reason="chargeback", actor="staff",
        )  # fmt: skip
        ledger.transfer(conn, customer.account, entry)

    given.deposit(customer.account, "900")
    pay_back("800")
    given.deposit(customer.account, "899.99")
    assert (tier_of(conn, customer.account), ledger.deposited(conn, customer.account)) == (
        "Standard",
        999_990_000,
    )
    given.deposit(customer.account, "0.01")
    pay_back("1000")
    given.deposit(customer.account, "1")
    assert tier_of(conn, customer.account) == "Reseller"


def test_a_tier_that_staff_gave_is_kept(conn: Conn, given: Given, customer: Customer) -> None:
    accounts.set_tier(conn, customer.account, "Agency")
    given.deposit(customer.account, "1000")
    assert (tier_of(conn, customer.account), written(conn, customer.email)) == ("Agency", [])


def test_a_repeated_reference_changes_nothing(conn: Conn, given: Given, customer: Customer) -> None:
    given.deposit(customer.account, "500", reference="transfer 1")
    accounts.change_tier(conn, "Reseller", threshold=money.parse("100"))
    given.deposit(customer.account, "500", reference="transfer 1")
    assert (tier_of(conn, customer.account), given.balance(customer)) == ("Standard", 500_000_000)
    given.deposit(customer.account, "1", reference="transfer 2")
    assert tier_of(conn, customer.account) == "Reseller"


def test_a_refused_deposit_moves_nobody_up(conn: Conn, customer: Customer) -> None:
    with pytest.raises(ledger.AmountNotPositive):
        billing.deposit(
            conn,
            customer.account,
            money.ZERO,
            gateway="card",
            reason="card",
            actor="customer",
            reference=None,
        )
    assert tier_of(conn, customer.account) == "Standard"


def test_deposits_at_once_end_in_the_tier_that_they_reach_together(fresh_pool: Pool) -> None:
    with fresh_pool.transaction() as conn:
        customers = [Given(conn).customer() for _ in range(5)]

    def work(customer: Customer) -> None:
        with fresh_pool.transaction() as conn:
            Given(conn).deposit(customer.account, "250")

    calls = [lambda customer=customer: work(customer) for customer in customers for _ in range(4)]
    assert at_once(calls) == [None] * 20
    with fresh_pool.transaction() as conn:
        assert {tier_of(conn, customer.account) for customer in customers} == {"Reseller"}
        assert [len(written(conn, customer.email)) for customer in customers] == [1] * 5
        assert letters.backlog(conn).waiting == 5
        Given(conn).assert_books()


def test_a_deposit_and_staff_at_once_leave_the_higher_tier(fresh_pool: Pool) -> None:
    with fresh_pool.transaction() as conn:
        customers = [Given(conn).customer() for _ in range(8)]

    def pay(customer: Customer) -> None:
        with fresh_pool.transaction() as conn:
            Given(conn).deposit(customer.account, "1000")

    def give(customer: Customer) -> None:
        with fresh_pool.transaction() as conn:
            accounts.set_tier(conn, customer.account, "Agency")

    calls = [
        lambda act=act, customer=customer: act(customer) for customer in customers for act in (pay, give)
    ]
    assert at_once(calls) == [None] * 16
    with fresh_pool.transaction() as conn:
        assert {tier_of(conn, customer.account) for customer in customers} == {"Agency"}


@pytest.mark.parametrize(
    "terms",
    [
        {"per_minute": 0},
        {"per_minute": 1_000_001},
        {"threshold": Micros(-1)},
        {"discount_percent": Decimal(-1)},
        {"discount_percent": Decimal(100)},
        {"discount_percent": Decimal("3.125")},
    ],
    ids=str,
)
def test_a_tier_that_cannot_be_is_refused(conn: Conn, terms: dict[str, object]) -> None:
    before = accounts.tiers(conn)
    with pytest.raises(InvalidTier):
        accounts.change_tier(conn, "Reseller", **terms)  # type: ignore[arg-type]
    assert accounts.tiers(conn) == before


def test_what_is_not_said_of_a_tier_stays(conn: Conn) -> None:
    accounts.change_tier(conn, "Agency", discount_percent=Decimal("7.25"))
    accounts.change_tier(conn, "Agency", per_minute=6000)
    accounts.change_tier(conn, "Agency", threshold=money.parse("20000"))
    [agency] = [tier for tier in accounts.tiers(conn) if tier.name == "Agency"]
    assert (agency.name, agency.per_minute, agency.threshold_micros, agency.discount_percent) == (
        "Agency", 6000, 20_000_000_000, Decimal("7.25"),
    )  # fmt: skip
    with pytest.raises(TierNotFound):
        accounts.change_tier(conn, "Gold", per_minute=1)


def test_a_tier_that_does_not_exist_is_given_to_nobody(conn: Conn, customer: Customer) -> None:
    with pytest.raises(TierNotFound):
        accounts.set_tier(conn, customer.account, "Gold")
    assert tier_of(conn, customer.account) == "Standard"
