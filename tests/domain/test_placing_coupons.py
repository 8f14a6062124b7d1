"""Ordering with coupons: their money passes through the wallet in one act and never stays there."""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import given as for_all
from hypothesis import strategies as st

from given import Customer, Given, draft, upstream_service
from panelry.database.pool import Conn
from panelry.domain import coupons, events, money
from panelry.domain.catalog import ServiceId
from panelry.domain.coupons import InvalidCoupon
from panelry.domain.ledger import InsufficientBalance
from panelry.domain.money import Micros
from panelry.domain.orders import OrderId, Placed, RequestIdReused, place
from panelry.domain.refusals import Refusal


@pytest.fixture
def customer(given: Given) -> Customer:
    return given.customer("1")


@pytest.fixture
def service(given: Given) -> ServiceId:
    """Put a service on sale of which 100 units cost 0.10."""
    return given.service()


def kinds(answers: list[Placed | Refusal]) -> list[type]:
    return [type(answer) for answer in answers]


def order_of(answer: Placed | Refusal) -> OrderId:
    assert isinstance(answer, Placed), answer
    return answer.order_id


def books(conn: Conn, customer: Customer) -> Mapping[str, int]:
    """Return what each book gave the customer's wallet: negative where it got."""
    query = """SELECT book, sum(amount)::bigint FROM (
        SELECT source AS book, amount_micros AS amount FROM transfers WHERE target = 'wallet' AND account_id = %(a)s
        UNION ALL
        SELECT target, -amount_micros FROM transfers WHERE source = 'wallet' AND account_id = %(a)s) t GROUP BY book"""
    return dict(conn.execute(query, {"a": customer.account}).fetchall())


def uses(conn: Conn, code: str) -> tuple[int, int]:
    """Return how many uses a coupon counts, and how many there are."""
    query = "SELECT c.uses, (SELECT count(*) FROM coupon_uses u WHERE u.coupon_id = c.id) FROM coupons c WHERE code = %s"
    [(counted, rows)] = conn.execute(query, [code]).fetchall()
    return counted, rows


def test_a_coupon_pays_its_part_of_the_charge_in_the_same_act(
    conn: Conn, given: Given, customer: Customer, service: ServiceId
) -> None:
    code = given.coupon(percent=Decimal(25))
    [answer] = place(conn, [draft(customer, service, coupon=code.lower())])
    order = order_of(answer)
    query = "SELECT source, target, amount_micros, balance_micros, reason, posting = order_id FROM transfers WHERE order_id = %s"
    assert conn.execute(f"{query} ORDER BY version", [order]).fetchall() == [
        ("coupon", "wallet", 25_000, 1_025_000, f"coupon {code}", True),
        ("wallet", "sales", 100_000, 925_000, "order", True),
    ]
    query = """SELECT o.charge_micros, o.coupon_micros, u.amount_micros, u.number, o.coupon_id = u.coupon_id
               FROM orders o JOIN coupon_uses u ON u.order_id = o.id WHERE o.id = %s"""
    assert conn.execute(query, [order]).fetchall() == [(100_000, 25_000, 25_000, 1, True)]
    [created] = events.timeline(conn, customer.account, order)
    assert (created.data["charge_micros"], created.data["coupon_micros"]) == (75_000, 25_000)
    assert given.balance(customer) == 925_000
    assert uses(conn, code) == (1, 1)
    given.assert_books()


def test_the_wallet_needs_to_hold_only_what_the_coupon_does_not_pay(
    conn: Conn, given: Given, service: ServiceId
) -> None:
    code = given.coupon(percent=Decimal(25))
    poor, exact = given.customer("0.074999"), given.customer("0.075")
    answers = place(conn, [draft(who, service, coupon=code) for who in (poor, exact)])
    assert kinds(answers) == [InsufficientBalance, Placed]
    assert (given.balance(poor), given.balance(exact)) == (74_999, 0)
    assert uses(conn, code) == (1, 1)


def test_an_empty_wallet_orders_with_a_coupon_for_all_of_the_charge(
    conn: Conn, given: Given, service: ServiceId
) -> None:
    customer, code = given.customer(), given.coupon(percent=Decimal(100))
    assert kinds(place(conn, [draft(customer, service, coupon=code)])) == [Placed]
    assert given.balance(customer) == 0
    assert books(conn, customer) == {"coupon": 100_000, "sales": -100_000}
    given.assert_books()


def test_a_fixed_coupon_worth_more_than_the_charge_leaves_nothing_in_the_wallet(
    conn: Conn, given: Given, service: ServiceId
) -> None:
    customer, code = given.customer(), given.coupon(fixed_micros=Micros(5_000_000))
    assert kinds(place(conn, [draft(customer, service, coupon=code)])) == [Placed]
    assert books(conn, customer) == {"coupon": 100_000, "sales": -100_000}
    assert given.balance(customer) == 0


def test_an_order_too_dear_for_any_wallet_stays_so_with_a_coupon(conn: Conn, given: Given) -> None:
    customer = given.customer("1")
    [dear] = given.services(None, [upstream_service(rate="999999999", maximum=2_147_483_647)])
    for code in (given.coupon(percent=Decimal(100)), given.coupon(percent=Decimal(99))):
        [answer] = place(conn, [draft(customer, dear, quantity=2_147_483_647, coupon=code)])
        assert isinstance(answer, InvalidCoupon | InsufficientBalance)
        assert uses(conn, code) == (0, 0)
    assert books(conn, customer) == {"deposit:manual": 1_000_000}


def test_a_wallet_too_full_for_the_coupons_money_is_no_fault(
    conn: Conn, given: Given, service: ServiceId
) -> None:
    customer, code = given.customer("9000000000000"), given.coupon()
    assert kinds(place(conn, [draft(customer, service, coupon=code)])) == [InvalidCoupon]
    assert given.balance(customer) == money.LARGEST


# What uses a coupon, and what does not


def test_a_replay_uses_nothing_also_when_the_coupon_is_used_up_or_off(
    conn: Conn, given: Given, customer: Customer, service: ServiceId
) -> None:
    code = given.coupon(most_uses=1)
    wanted = draft(customer, service, request_id="r", coupon=code)
    first, twin = place(conn, [wanted, wanted])
    assert order_of(first) == order_of(twin)
    assert order_of(place(conn, [wanted])[0]) == order_of(first)
    coupons.turn_off(conn, code)
    assert order_of(place(conn, [wanted])[0]) == order_of(first)
    assert uses(conn, code) == (1, 1)
    assert given.balance(customer) == 910_000


def test_the_coupon_is_part_of_what_makes_two_requests_the_same(
    conn: Conn, given: Given, customer: Customer, service: ServiceId
) -> None:
    code, other = given.coupon(), given.coupon()
    place(conn, [draft(customer, service, request_id="r", coupon=code)])
    place(conn, [draft(customer, service, request_id="s")])
    again = [("r", {"coupon": other}), ("r", {}), ("s", {"coupon": code})]
    answers = place(conn, [draft(customer, service, request_id=r, **more) for r, more in again])
    assert kinds(answers) == [RequestIdReused] * 3
    assert (uses(conn, code), uses(conn, other)) == ((1, 1), (0, 0))


@pytest.mark.parametrize(
    "wrong",
    [{"quantity": "9"}, {"link": "x"}, {"runs": "2"}, {"quantity": "20000"}, {"coupon": "NOBODY-KNOWS"}],
)
def test_a_refused_draft_uses_nothing_and_leaves_no_trace(
    conn: Conn, given: Given, customer: Customer, service: ServiceId, wrong: dict[str, str]
) -> None:
    code = given.coupon(most_uses=1)
    said = {"coupon": code, "request_id": "r", **wrong}
    assert kinds(place(conn, [draft(customer, service, **said)])) != [Placed]
    assert uses(conn, code) == (0, 0)
    assert books(conn, customer) == {"deposit:manual": 1_000_000}
    assert kinds(place(conn, [draft(customer, service, request_id="r", coupon=code)])) == [Placed]


def test_what_is_rolled_back_uses_nothing(
    conn: Conn, given: Given, customer: Customer, service: ServiceId
) -> None:
    code = given.coupon()
    with conn.transaction():
        place(conn, [draft(customer, service, coupon=code)])
        raise psycopg.Rollback
    assert uses(conn, code) == (0, 0)
    assert given.balance(customer) == 1_000_000


@pytest.mark.parametrize(
    "text", ["NOBODY-KNOWS", "x" * 65, "x" * 100_000, "a b", "a\0b", "\ud800", "Ä", "%", "'; --"]
)
def test_any_text_that_is_no_coupon_is_an_invalid_one_and_no_trouble_for_the_others(
    conn: Conn, given: Given, customer: Customer, service: ServiceId, text: str
) -> None:
    good = draft(customer, service, coupon=given.coupon())
    answers = place(conn, [draft(customer, service, coupon=text), good, draft(customer, service)])
    assert kinds(answers) == [InvalidCoupon, Placed, Placed]


# Limits inside a set and beyond


def test_drafts_of_a_set_use_a_coupon_one_after_the_other(
    conn: Conn, given: Given, service: ServiceId
) -> None:
    code = given.coupon(most_uses=4, most_per_account=2)
    anna, ben, cleo = (given.customer("1") for _ in range(3))
    who = [anna, anna, anna, ben, cleo, ben]
    answers = place(conn, [draft(c, service, coupon=code) for c in who])
    assert kinds(answers) == [Placed, Placed, InvalidCoupon, Placed, Placed, InvalidCoupon]
    assert uses(conn, code) == (4, 4)
    given.assert_books()


def test_a_draft_that_could_not_be_paid_leaves_its_use_to_the_next(
    conn: Conn, given: Given, service: ServiceId
) -> None:
    code, poor, rich = given.coupon(most_uses=1), given.customer("0.01"), given.customer("1")
    answers = place(conn, [draft(who, service, coupon=code) for who in (poor, rich, rich)])
    assert kinds(answers) == [InsufficientBalance, Placed, InvalidCoupon]


def test_uses_of_earlier_sets_count(conn: Conn, given: Given, customer: Customer, service: ServiceId) -> None:
    code = given.coupon(most_per_account=2)
    answers = [place(conn, [draft(customer, service, coupon=code)])[0] for _ in range(3)]
    assert kinds(answers) == [Placed, Placed, InvalidCoupon]
    other = given.customer("1")
    assert kinds(place(conn, [draft(other, service, coupon=code)])) == [Placed]
    given.assert_books()


def test_several_coupons_in_a_set_each_count_for_themselves(
    conn: Conn, given: Given, customer: Customer, service: ServiceId
) -> None:
    codes = [given.coupon(percent=Decimal(percent)) for percent in (10, 20, 30)]
    answers = place(conn, [draft(customer, service, coupon=code) for code in [*codes, codes[0]]])
    assert kinds(answers) == [Placed] * 4
    assert [uses(conn, code) for code in codes] == [(2, 2), (1, 1), (1, 1)]
    assert books(conn, customer)["coupon"] == 10_000 + 20_000 + 30_000 + 10_000
    given.assert_books()


def test_the_database_itself_refuses_to_count_beyond_a_limit(conn: Conn, given: Given) -> None:
    code = given.coupon(most_uses=1)
    with pytest.raises(psycopg.errors.CheckViolation), conn.transaction():
        conn.execute("UPDATE coupons SET uses = 2 WHERE code = %s", [code])


# When, and for what


def test_a_coupon_counts_by_the_books_clock(
    conn: Conn, given: Given, customer: Customer, service: ServiceId
) -> None:
    [[now]] = conn.execute("SELECT clock_now()").fetchall()
    hour = timedelta(hours=1)
    code = given.coupon(starts_at=now + hour, ends_at=now + 2 * hour)
    seen = []
    for wait in ("0", "59 minutes", "60 minutes", "119 minutes", "120 minutes"):
        given.later(wait)
        seen += kinds(place(conn, [draft(customer, service, coupon=code)]))
    assert seen == [InvalidCoupon, InvalidCoupon, Placed, Placed, InvalidCoupon]


def test_a_coupon_is_for_its_services_and_its_categories(
    conn: Conn, given: Given, customer: Customer, service: ServiceId
) -> None:
    other = given.service()
    conn.execute("INSERT INTO categories (name, position) VALUES ('Elsewhere', 9)")
    conn.execute(
        "UPDATE services SET category_id = (SELECT id FROM categories WHERE name = 'Elsewhere') WHERE id = %s",
        [other],
    )
    by_service = given.coupon(services=frozenset({service}))
    by_category = given.coupon(categories=coupons.category_ids(conn, ["Elsewhere"]))
    tried = [(service, by_service), (other, by_service), (service, by_category), (other, by_category)]
    answers = place(conn, [draft(customer, sold, coupon=code) for sold, code in tried])
    assert kinds(answers) == [Placed, InvalidCoupon, InvalidCoupon, Placed]


def test_the_smallest_charge_is_that_of_all_runs_together(
    conn: Conn, given: Given, customer: Customer, service: ServiceId
) -> None:
    conn.execute("UPDATE services SET dripfeed = true WHERE id = %s", [service])
    code = given.coupon(minimum_charge_micros=Micros(300_000))
    more = ({}, {"runs": "2", "interval": "5"}, {"runs": "3", "interval": "5"})
    answers = place(conn, [draft(customer, service, coupon=code, **m) for m in more])
    assert kinds(answers) == [InvalidCoupon, InvalidCoupon, Placed]
    query = "SELECT charge_micros, coupon_micros FROM orders WHERE id = %s"
    assert conn.execute(query, [order_of(answers[2])]).fetchall() == [(300_000, 30_000)]
    given.assert_books()


def test_what_costs_nothing_takes_no_coupon(conn: Conn, given: Given, customer: Customer) -> None:
    [free] = given.services(None, [upstream_service(rate="0")])
    conn.execute("UPDATE services SET state = 'on_sale' WHERE id = %s", [free])
    answers = place(conn, [draft(customer, free, coupon=given.coupon()), draft(customer, free)])
    assert kinds(answers) == [InvalidCoupon, Placed]


# Laws


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@for_all(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3), st.integers(10, 2000)), max_size=25),
    st.integers(1, 8),
    st.integers(1, 4),
)
def test_whatever_is_ordered_coupons_stay_within_their_limits_and_their_money_never_stays_in_a_wallet(
    conn: Conn, given: Given, wanted: list[tuple[int, int, int]], most: int, each: int
) -> None:
    with conn.transaction():
        service = given.service(rate="0.777")
        customers = [given.customer(balance) for balance in ("0.50", "1", "0.001")]
        codes = [
            given.coupon(percent=Decimal("33.3"), most_uses=most, most_per_account=each),
            given.coupon(fixed_micros=Micros(700), most_uses=most),
            given.coupon(percent=Decimal(100), most_per_account=each),
        ]
        drafts = [
            draft(
                customers[who], service, quantity=quantity, **({"coupon": codes[which]} if which < 3 else {})
            )
            for who, which, quantity in wanted
        ]
        half = len(drafts) // 2
        placed = [
            a for part in (drafts[:half], drafts[half:]) for a in place(conn, part) if isinstance(a, Placed)
        ]
        for code in codes:
            counted, rows = uses(conn, code)
            assert counted == rows <= (most if code != codes[2] else each * len(customers))
        for customer, start in zip(customers, (500_000, 1_000_000, 1_000), strict=True):
            query = "SELECT coalesce(sum(charge_micros - coupon_micros), 0)::bigint FROM orders WHERE account_id = %s"
            [[paid]] = conn.execute(query, [customer.account]).fetchall()
            assert given.balance(customer) == start - paid
            assert books(conn, customer).get("coupon", 0) <= -books(conn, customer).get("sales", 0)
        assert len({answer.order_id for answer in placed}) == len(placed)
        given.assert_books()
        raise psycopg.Rollback


# What verification finds


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("UPDATE coupons SET uses = uses + 1 WHERE code = %(code)s", "counts 2 uses, there are 1"),
        ("UPDATE coupon_uses SET amount_micros = 1 WHERE order_id = %(order)s", "its use says 0.000001"),
        (
            "UPDATE coupon_uses SET number = 7 WHERE order_id = %(order)s",
            "was used 1 times, the last has number 7",
        ),
        ("DELETE FROM coupon_uses WHERE order_id = %(order)s", "its use says nothing"),
        ("UPDATE orders SET coupon_micros = 1 WHERE id = %(order)s", "says that a coupon gave 0.000001"),
        ("UPDATE orders SET coupon_micros = 0, coupon_id = NULL WHERE id = %(order)s", "gave nothing"),
        (
            "UPDATE transfers SET amount_micros = 1 WHERE order_id = %(order)s AND source = 'coupon'",
            "transfers 0.000001",
        ),
        (
            "UPDATE transfers SET source = 'bonus' WHERE order_id = %(order)s AND source = 'coupon'",
            "transfers nothing",
        ),
        (
            "UPDATE transfers SET order_id = NULL WHERE order_id = %(order)s AND source = 'coupon'",
            "transfers nothing",
        ),
    ],
)
def test_what_was_changed_behind_the_programs_back_is_found(
    conn: Conn, given: Given, customer: Customer, service: ServiceId, change: str, said: str
) -> None:
    code = given.coupon()
    order = order_of(place(conn, [draft(customer, service, coupon=code, request_id=uuid4().hex)])[0])
    assert coupons.verify(conn) == []
    conn.execute("SET LOCAL session_replication_role = replica")
    conn.execute(change, {"code": code, "order": order})
    problems = [finding.problem for finding in coupons.verify(conn)]
    assert any(said in problem for problem in problems), problems
