"""Placing sets of orders: each draft on its own merits, and everything or nothing."""

import pytest

from given import Customer, Given, draft, upstream_service
from panelry.database.pool import Conn
from panelry.domain import accounts, events, ids, ledger
from panelry.domain.accounts import AccountId, AccountSuspended, InvalidApiKey, KeyDigest
from panelry.domain.catalog import ServiceId, ServiceNotFound
from panelry.domain.ledger import InsufficientBalance
from panelry.domain.orders import Draft, OrderState, Placed, RequestIdReused, place
from panelry.domain.refusals import Refusal


def rows(conn: Conn, customer: Customer) -> tuple[int, int, int]:
    """Count the orders, transfers and events of a customer."""
    query = """SELECT (SELECT count(*) FROM orders WHERE account_id = %(a)s),
                      (SELECT count(*) FROM transfers WHERE account_id = %(a)s),
                      (SELECT count(*) FROM events WHERE account_id = %(a)s)"""
    [(orders, transfers, told)] = conn.execute(query, {"a": customer.account}).fetchall()
    return orders, transfers, told


def kinds(answers: list[Placed | Refusal]) -> list[type]:
    return [type(answer) for answer in answers]


def test_a_placed_order_is_charged_told_and_waits(conn: Conn, given: Given) -> None:
    customer, service = given.customer("10"), given.service(rate="0.90")
    order = given.placed(customer, service, 1000)
    status = given.status(customer, order)
    assert (status.state, status.charge_micros, status.start_count, status.remains) == (
        OrderState.PENDING,
        900_000,
        0,
        1000,
    )
    assert given.balance(customer) == 9_100_000
    [created] = events.timeline(conn, customer.account, order)
    assert (created.type, created.sequence, created.actor) == ("order.created", 1, "customer")
    assert rows(conn, customer) == (1, 2, 1)


# Idempotency


def test_the_same_request_twice_in_a_set_is_one_order(conn: Conn, given: Given) -> None:
    customer, service = given.customer("10"), given.service()
    wanted = draft(customer, service, request_id="twin")
    first, second = place(conn, [wanted, wanted])
    assert isinstance(first, Placed)
    assert isinstance(second, Placed)
    assert (first.order_id, second.replayed) == (second.order_id, True)
    assert rows(conn, customer) == (1, 2, 1)


@pytest.mark.parametrize(
    ("once", "again"),
    [
        ({"quantity": "100"}, {"quantity": "0100"}),
        ({"quantity": "0000000000000000000100"}, {"quantity": "100"}),
        ({"interval": "7"}, {"interval": "007"}),
        ({"comments": "a\r\nb"}, {"comments": "a\nb"}),
    ],
)
def test_the_same_request_in_another_spelling_is_the_same_order(
    conn: Conn, given: Given, once: dict[str, str], again: dict[str, str]
) -> None:
    customer, service = given.customer("10"), given.service()
    [first] = place(conn, [draft(customer, service, request_id="r", **once)])
    [second] = place(conn, [draft(customer, service, request_id="r", **again)])
    assert isinstance(first, Placed)
    assert isinstance(second, Placed)
    assert (second.order_id, first.replayed, second.replayed) == (first.order_id, False, True)
    assert rows(conn, customer) == (1, 2, 1)


@pytest.mark.parametrize(
    "change",
    [
        {"quantity": "101"}, {"quantity": "-100"}, {"quantity": "1e2"}, {"link": "https://example.com/Post"},
        {"link": "https://example.com/post/"}, {"runs": "1"}, {"interval": "5"}, {"coupon": "SPRING"},
        {"comments": "nice"}, {"username": "0100"},
    ],
)  # fmt: skip
def test_a_request_id_with_other_parameters_is_refused_and_nothing_happens(
    conn: Conn, given: Given, change: dict[str, str]
) -> None:
    customer, service = given.customer("10"), given.service()
    place(conn, [draft(customer, service, request_id="r")])
    before = rows(conn, customer), given.balance(customer)
    [answer] = place(conn, [draft(customer, service, request_id="r", **change)])
    assert isinstance(answer, RequestIdReused)
    assert (rows(conn, customer), given.balance(customer)) == before


def test_a_request_id_with_another_service_is_refused(conn: Conn, given: Given) -> None:
    customer = given.customer("10")
    place(conn, [draft(customer, given.service(), request_id="r")])
    assert kinds(place(conn, [draft(customer, given.service(), request_id="r")])) == [RequestIdReused]
    assert kinds(place(conn, [draft(customer, ServiceId(0), request_id="r")])) == [RequestIdReused]


def test_another_spelling_only_of_text_is_another_order(conn: Conn, given: Given) -> None:
    customer, service = given.customer("10"), given.service()
    place(conn, [draft(customer, service, request_id="r", username="007")])
    assert kinds(place(conn, [draft(customer, service, request_id="r", username="7")])) == [RequestIdReused]


def test_the_same_request_id_in_other_letters_is_another_request(conn: Conn, given: Given) -> None:
    customer, service = given.customer("10"), given.service()
    answers = place(
        conn, [draft(customer, service, request_id=r) for r in ("r", "R", "\uff52", "r\u0301", "ŕ")]
    )
    assert kinds(answers) == [Placed] * 5
    assert rows(conn, customer)[0] == 5


def test_the_scope_of_a_request_id_is_the_account_and_not_the_key(conn: Conn, given: Given) -> None:
    customer, service = given.customer("10"), given.service()
    second_key = accounts.create_key(conn, customer.account).key
    same = Customer(account=customer.account, email=customer.email, key=second_key)
    [first] = place(conn, [draft(customer, service, request_id="r")])
    [second] = place(conn, [draft(same, service, request_id="r")])
    assert isinstance(first, Placed)
    assert isinstance(second, Placed)
    assert second.order_id == first.order_id
    by_account = draft(customer, service, request_id="r")
    parts = {"service": service, "request_id": "r", "parameters": by_account.parameters}
    [third] = place(conn, [Draft(caller=customer.account, **parts)])
    assert isinstance(third, Placed)
    assert third.order_id == first.order_id


def test_two_accounts_may_use_the_same_request_id(conn: Conn, given: Given) -> None:
    one, other, service = given.customer("10"), given.customer("10"), given.service()
    first, second = place(conn, [draft(who, service, request_id="r") for who in (one, other)])
    assert isinstance(first, Placed)
    assert isinstance(second, Placed)
    assert first.order_id != second.order_id


def test_a_refused_call_leaves_no_trace_and_may_succeed_after_a_top_up(conn: Conn, given: Given) -> None:
    customer, service = given.customer("0.05"), given.service()
    wanted = draft(customer, service, request_id="r")
    assert kinds(place(conn, [wanted])) == [InsufficientBalance]
    assert rows(conn, customer) == (0, 1, 0)
    given.deposit(customer.account, "0.05")
    [answer] = place(conn, [wanted])
    assert isinstance(answer, Placed)
    assert not answer.replayed
    assert given.balance(customer) == 0


def test_a_refused_draft_may_be_followed_in_its_set_by_the_same_request_id_with_other_parameters(
    conn: Conn, given: Given
) -> None:
    customer, service = given.customer("0.10"), given.service()
    answers = place(
        conn, [draft(customer, service, request_id="r", quantity=q) for q in (101, 100, 100, 101)]
    )
    assert kinds(answers) == [InsufficientBalance, Placed, Placed, RequestIdReused]


def test_a_known_request_is_answered_before_service_price_and_balance_are_looked_at(
    conn: Conn, given: Given
) -> None:
    customer, service = given.customer("0.10"), given.service()
    wanted = draft(customer, service, request_id="r", coupon="x")
    assert isinstance(place(conn, [wanted])[0], Refusal)  # there are no coupons yet
    wanted = draft(customer, service, request_id="r")
    [first] = place(conn, [wanted])
    conn.execute(
        "UPDATE services SET state = 'off_sale', rate_micros = 10^12, minimum = 500 WHERE id = %s", [service]
    )
    [second] = place(conn, [wanted])
    assert isinstance(first, Placed)
    assert isinstance(second, Placed)
    assert (second.order_id, second.replayed, given.balance(customer)) == (first.order_id, True, 0)
    assert kinds(place(conn, [draft(customer, service)])) == [ServiceNotFound]


def test_a_finished_order_still_answers_its_request_id(conn: Conn, given: Given) -> None:
    customer, service = given.customer("1"), given.service()
    [first] = place(conn, [draft(customer, service, request_id="r")])
    assert isinstance(first, Placed)
    conn.execute(
        "UPDATE orders SET state = 'completed', finished_at = now(), remains = 0 WHERE id = %s",
        [first.order_id],
    )
    [second] = place(conn, [draft(customer, service, request_id="r")])
    assert isinstance(second, Placed)
    assert second.order_id == first.order_id


# Who may


def test_a_revoked_and_an_unknown_key_get_the_same_answer(conn: Conn, given: Given) -> None:
    customer, service = given.customer("1"), given.service()
    wanted = draft(customer, service, request_id="r")
    assert kinds(place(conn, [wanted])) == [Placed]
    Given(conn).revoke(customer.key)
    nobody = Draft(caller=KeyDigest(bytes(32)), service=service, request_id="r", parameters=wanted.parameters)
    stranger = Draft(
        caller=AccountId(ids.new()), service=service, request_id="r", parameters=wanted.parameters
    )
    assert kinds(place(conn, [wanted, draft(customer, service), nobody, stranger])) == [InvalidApiKey] * 4
    assert rows(conn, customer)[0] == 1


def test_a_suspended_account_places_nothing_and_is_told_nothing_of_what_it_placed(
    conn: Conn, given: Given
) -> None:
    customer, service = given.customer("1"), given.service()
    wanted = draft(customer, service, request_id="r")
    place(conn, [wanted])
    accounts.suspend(conn, customer.account)
    by_account = Draft(caller=customer.account, service=service, request_id="r", parameters=wanted.parameters)
    assert kinds(place(conn, [wanted, draft(customer, service), by_account])) == [AccountSuspended] * 3
    accounts.resume(conn, customer.account)
    assert kinds(place(conn, [wanted])) == [Placed]
    assert rows(conn, customer)[0] == 1


def test_others_in_a_set_do_not_suffer_from_who_may_not(conn: Conn, given: Given) -> None:
    good, bad, service = given.customer("1"), given.customer("1"), given.service()
    accounts.suspend(conn, bad.account)
    answers = place(conn, [draft(who, service) for who in (bad, good, bad, good)])
    assert kinds(answers) == [AccountSuspended, Placed, AccountSuspended, Placed]


# Sets and money


def test_money_for_37_orders_of_a_set_of_160_places_exactly_37(conn: Conn, given: Given) -> None:
    customer, service = given.customer("3.799999"), given.service()
    answers = place(conn, [draft(customer, service) for _ in range(160)])
    assert kinds(answers) == [Placed] * 37 + [InsufficientBalance] * 123
    assert given.balance(customer) == 99_999
    assert rows(conn, customer) == (37, 38, 37)


def test_a_refused_large_order_does_not_hold_back_a_small_one_behind_it(conn: Conn, given: Given) -> None:
    customer, service = given.customer("0.10"), given.service()
    answers = place(conn, [draft(customer, service, quantity=q) for q in (1000, 60, 50, 40, 10)])
    assert kinds(answers) == [InsufficientBalance, Placed, InsufficientBalance, Placed, InsufficientBalance]
    assert given.balance(customer) == 0


def test_an_account_without_a_wallet_can_order_nothing_but_what_is_free(conn: Conn, given: Given) -> None:
    customer = given.customer()
    priced, free = given.service(), given.service(rate="0")
    conn.execute("UPDATE services SET state = 'on_sale' WHERE id = %s", [free])
    assert kinds(place(conn, [draft(customer, priced), draft(customer, free)])) == [
        InsufficientBalance,
        Placed,
    ]
    assert rows(conn, customer) == (1, 0, 1)


def test_a_free_order_moves_no_money_and_is_in_order(conn: Conn, given: Given) -> None:
    customer, service = given.customer("1"), given.service(rate="0")
    conn.execute("UPDATE services SET state = 'on_sale' WHERE id = %s", [service])
    order = given.placed(customer, service)
    assert (given.status(customer, order).charge_micros, given.balance(customer)) == (0, 1_000_000)


def test_256_drafts_of_a_hundred_accounts_are_one_set(conn: Conn, given: Given) -> None:
    customers, service = [given.customer("0.30") for _ in range(100)], given.service()
    answers = place(conn, [draft(customers[n * 37 % 100], service) for n in range(256)])
    assert kinds(answers) == [Placed] * 256
    placed = [answer for answer in answers if isinstance(answer, Placed)]
    assert len({answer.order_id for answer in placed}) == 256
    left = ledger.balances(conn, [customer.account for customer in customers])
    assert sum(left) == 30_000_000 - 256 * 100_000


def test_a_set_of_nothing_is_nothing(conn: Conn) -> None:
    assert place(conn, []) == []


def test_a_charge_is_rounded_up_to_a_whole_micro(conn: Conn, given: Given) -> None:
    customer = given.customer("1")
    service = given.service(rate="0.0001", minimum=1)
    assert given.status(customer, given.placed(customer, service, 1)).charge_micros == 1
    assert given.status(customer, given.placed(customer, service, 11)).charge_micros == 2


def test_an_order_that_costs_more_than_any_wallet_could_hold_is_simply_too_expensive(
    conn: Conn, given: Given
) -> None:
    customer = given.customer("9000000000000")
    [service] = given.services(None, [upstream_service(rate="999999999", maximum=2_147_483_647)])
    assert kinds(place(conn, [draft(customer, service, quantity=2_147_483_647)])) == [InsufficientBalance]
