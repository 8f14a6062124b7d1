"""What nobody proved ends by a person's decision, or is paid back after a time; the books are right after each of them."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import uuid4

import pytest
from submissions import now, order_row, submission, submissions_of, told
from threads import at_once
from upstream import LOST, Story, story_of

from given import LEASE, Given, draft
from panelry.database.pool import Conn, Pool
from panelry.domain import ids, ledger, orders
from panelry.domain.orders import (
    AcceptedAs,
    AlreadyPaidBack,
    Attempt,
    InvalidUpstreamId,
    NoSuchSubmission,
    NotInQuestion,
    PayBack,
    Placed,
    SendAgain,
    Settlement,
    SubmissionId,
    SubmissionState,
    Tracked,
    UpstreamIdTaken,
)
from panelry.domain.providers import Accepted, ProviderId, Report, UpstreamState
from panelry.domain.refusals import Refusal

ALL: Sequence[Settlement] = (AcceptedAs(upstream_id="4711"), SendAgain(), PayBack())
BALANCE = 1_000_000_000
CHARGE = 100_000


@pytest.fixture
def story(given: Given) -> Story:
    return story_of(given)


@pytest.fixture(params=["unknown", "quarantined"])
def lost(request: pytest.FixtureRequest, story: Story) -> Attempt:
    """Return a submission in question: the only one ever at its provider, so that nothing proves anything."""
    attempt = story.lost()
    if request.param == "quarantined":
        story.wait(5)
        story.looked()
    assert submission(story.conn, attempt).state == request.param
    return attempt


@pytest.fixture
def paid_back(story: Story, lost: Attempt) -> Attempt:
    """Return one whose customer was paid back out of suspense."""
    story.wait(3600)
    assert orders.pay_back_unknown(story.conn, waited=timedelta(hours=1)) == 1
    return lost


def settle(story: Story, attempt: Attempt, settlement: Settlement) -> None:
    owner = orders.settle(story.conn, attempt.submission_id, settlement, actor="anna")
    assert owner == story.customer.account
    story.given.assert_books()


def suspense(story: Story) -> int:
    """Return what stands in suspense for the customer: less than nothing where the house may lose it."""
    return sum(
        amount for account, _, amount, _ in ledger.suspense(story.conn) if account == story.customer.account
    )


def books(story: Story, attempt: Attempt) -> list[tuple[str, str, int]]:
    query = "SELECT source, target, amount_micros FROM transfers WHERE order_id = %s ORDER BY version"
    return [(row[0], row[1], row[2]) for row in story.conn.execute(query, [story.order(attempt)]).fetchall()]


def test_accepted_means_followed_charged_and_costed(conn: Conn, story: Story, lost: Attempt) -> None:
    settle(story, lost, AcceptedAs(upstream_id="4711"))
    row = submission(conn, lost)
    assert (row.state, row.upstream_id, row.due_at) == ("accepted", "4711", now(conn) + timedelta(seconds=1))
    assert row.notes[-1] == "anna: the provider has it, with id 4711"
    assert story.given.status(story.customer, story.order(lost)).state == "processing"
    assert story.given.balance(story.customer) == BALANCE - CHARGE
    story.wait(1)
    [tracked] = orders.claim_tracking(conn, story.provider, most=10, lease=LEASE)
    orders.apply_reports(conn, {tracked: Report(state=UpstreamState.COMPLETED, word="Completed")})
    assert told(conn, story.customer, story.order(lost))[-1] == "order.completed"
    story.given.assert_books()


def test_sent_again_means_once_more_by_the_same_route_and_at_once(
    conn: Conn, story: Story, lost: Attempt
) -> None:
    settle(story, lost, SendAgain())
    row = submission(conn, lost)
    assert (row.state, row.reason, row.notes[-1]) == ("rejected", "not_created", "anna: send it again")
    [again] = story.given.attempts(story.provider)
    assert again.submission_id != lost.submission_id
    assert submissions_of(conn, story.order(lost)) == ["rejected", "sending"]
    story.given.answered(again, Accepted(upstream_id="4712"))
    assert story.given.balance(story.customer) == BALANCE - CHARGE
    story.given.assert_books()


def test_what_its_customer_wants_cancelled_is_not_sent_again(conn: Conn, story: Story, lost: Attempt) -> None:
    [answer] = orders.cancel(conn, [(story.customer.account, story.order(lost))], actor="customer")
    assert answer == story.order(lost)
    settle(story, lost, SendAgain())
    assert story.given.status(story.customer, story.order(lost)).state == "cancelled"
    assert story.given.attempts(story.provider) == []
    assert story.given.balance(story.customer) == BALANCE


def test_paid_back_means_the_whole_charge_out_of_sales(conn: Conn, story: Story, lost: Attempt) -> None:
    settle(story, lost, PayBack())
    assert submission(conn, lost).state == "rejected"
    assert told(conn, story.customer, story.order(lost))[-2:] == ["order.failed", "order.refunded"]
    assert books(story, lost) == [("wallet", "sales", CHARGE), ("sales", "wallet", CHARGE)]
    assert story.given.balance(story.customer) == BALANCE


def test_after_the_time_is_up_the_customer_has_the_money_and_suspense_the_doubt(
    conn: Conn, story: Story, lost: Attempt
) -> None:
    story.wait(3600 - story.seconds)
    assert orders.pay_back_unknown(conn, waited=timedelta(hours=1)) == 0
    story.wait(1)
    assert orders.pay_back_unknown(conn, waited=timedelta(hours=1)) == 1
    assert orders.pay_back_unknown(conn, waited=timedelta(hours=1)) == 0
    row = submission(conn, lost)
    assert (row.state, row.due_at) == ("quarantined", None)
    assert row.notes[-1].startswith("unknown for 1 h: the customer was paid back")
    assert story.given.status(story.customer, story.order(lost)).state == "refunded"
    assert books(story, lost) == [("wallet", "sales", CHARGE), ("suspense", "wallet", CHARGE)]
    assert (story.given.balance(story.customer), suspense(story)) == (BALANCE, -CHARGE)
    listed = orders.submissions_in(conn, [SubmissionState.QUARANTINED])
    assert lost.request_id in {found["id"] for found in listed}
    story.wait(10**6)
    assert (story.looked(), story.given.attempts(story.provider)) == (0, [])
    story.given.assert_books()


@pytest.mark.parametrize("settlement", [AcceptedAs(upstream_id="4711"), PayBack()], ids=str)
def test_what_stood_in_suspense_is_borne_by_sales_once_it_is_settled(
    conn: Conn, story: Story, paid_back: Attempt, settlement: Settlement
) -> None:
    settle(story, paid_back, settlement)
    assert books(story, paid_back)[2:] == [("sales", "wallet", CHARGE), ("wallet", "suspense", CHARGE)]
    postings = "SELECT count(DISTINCT posting) FROM transfers WHERE order_id = %s AND version > 3"
    assert conn.execute(postings, [story.order(paid_back)]).fetchall() == [(1,)]
    assert (story.given.balance(story.customer), suspense(story)) == (BALANCE, 0)
    assert story.given.status(story.customer, story.order(paid_back)).state == "refunded"
    with pytest.raises(NotInQuestion):
        orders.settle(conn, paid_back.submission_id, PayBack(), actor="anna")
    story.given.assert_books()


def test_an_order_that_was_paid_back_and_bought_after_all_costs_and_is_never_paid_back_twice(
    conn: Conn, story: Story, paid_back: Attempt
) -> None:
    settle(story, paid_back, AcceptedAs(upstream_id="4711"))
    cost = "SELECT expected_micros FROM provider_costs WHERE submission_id = %s"
    assert conn.execute(cost, [paid_back.submission_id]).fetchall() == [(100_000,)]
    tracked = Tracked(
        submission_id=paid_back.submission_id, account_id=paid_back.account_id, provider_id=story.provider,
        upstream_id="4711",
    )  # fmt: skip
    for said in UpstreamState:
        orders.apply_reports(conn, {tracked: Report(state=said, word=said, remains=100)})
        assert story.given.balance(story.customer) == BALANCE
    assert order_row(conn, story.order(paid_back), "state", "refunded_micros") == ("refunded", CHARGE)
    story.given.assert_books()


def test_what_was_paid_back_is_not_sent_again(conn: Conn, story: Story, paid_back: Attempt) -> None:
    with pytest.raises(AlreadyPaidBack):
        orders.settle(conn, paid_back.submission_id, SendAgain(), actor="anna")
    assert submission(conn, paid_back).state == "quarantined"
    assert suspense(story) == -CHARGE


@pytest.mark.parametrize("settlement", ALL, ids=str)
def test_what_is_settled_is_settled(conn: Conn, story: Story, lost: Attempt, settlement: Settlement) -> None:
    settle(story, lost, settlement)
    for another in ALL:
        with pytest.raises(NotInQuestion):
            orders.settle(conn, lost.submission_id, another, actor="anna")
    story.wait(10**6)
    assert orders.pay_back_unknown(conn, waited=timedelta(hours=1)) == 0
    story.given.assert_books()


@pytest.mark.parametrize("settlement", ALL, ids=str)
def test_what_is_on_its_way_is_not_a_persons_business(
    conn: Conn, story: Story, settlement: Settlement
) -> None:
    attempt = story.sent()
    with pytest.raises(NotInQuestion):
        orders.settle(conn, attempt.submission_id, settlement, actor="anna")


@pytest.mark.parametrize("settlement", ALL, ids=str)
def test_there_must_be_such_a_submission(conn: Conn, settlement: Settlement) -> None:
    with pytest.raises(NoSuchSubmission):
        orders.settle(conn, SubmissionId(uuid4()), settlement, actor="anna")


@pytest.mark.parametrize(
    ("upstream_id", "refusal"),
    [
        ("1001", UpstreamIdTaken), ("", InvalidUpstreamId), ("12 34", InvalidUpstreamId), ("'; --", InvalidUpstreamId),
        ("9" * 65, InvalidUpstreamId), ("-5", InvalidUpstreamId), ("1\n", InvalidUpstreamId),
    ],
)  # fmt: skip
def test_an_id_that_cannot_be_is_refused_and_changes_nothing(
    conn: Conn, story: Story, upstream_id: str, refusal: type[Refusal]
) -> None:
    story.bought()
    lost = story.lost()
    before = submission(conn, lost)
    with pytest.raises(refusal):
        orders.settle(conn, lost.submission_id, AcceptedAs(upstream_id=upstream_id), actor="anna")
    assert submission(conn, lost) == before
    story.given.assert_books()


def test_another_provider_may_have_the_same_id(conn: Conn, story: Story, given: Given) -> None:
    elsewhere = story_of(given)
    elsewhere.bought()
    elsewhere.seconds = story.seconds
    settle(story, story.lost(), AcceptedAs(upstream_id="1001"))


def test_one_that_could_be_asked_again_for_ever_is_paid_back_and_asked_no_more(
    conn: Conn, given: Given
) -> None:
    story = story_of(given, dialect="panelry")
    attempt = story.sent()
    given.answered(attempt, LOST, resendable=True)
    story.wait(3600)
    assert orders.pay_back_unknown(conn, waited=timedelta(hours=1)) == 1
    story.wait(10**6)
    assert orders.claim_resends(conn, story.provider, most=10, lease=LEASE) == []
    assert story.provider not in orders.due(conn).to_ask
    given.assert_books()


def test_a_coupons_part_goes_back_to_the_coupon_whatever_pays_the_customer(
    conn: Conn, given: Given, story: Story
) -> None:
    code = given.coupon()
    [placed] = orders.place(conn, [draft(story.customer, story.service, coupon=code)])
    assert isinstance(placed, Placed), placed
    [attempt] = given.attempts(story.provider)
    given.answered(attempt, LOST)
    story.wait(3600)
    orders.pay_back_unknown(conn, waited=timedelta(hours=1))
    assert (given.balance(story.customer), suspense(story)) == (BALANCE, -CHARGE)
    orders.settle(conn, attempt.submission_id, PayBack(), actor="anna")
    assert (given.balance(story.customer), suspense(story)) == (BALANCE, 0)
    given.assert_books()


def drip_feed(story: Story, *, runs: int) -> tuple[orders.OrderId, list[Attempt]]:
    """Order so many runs and lose the answer to each."""
    conn = story.conn
    conn.execute("UPDATE services SET dripfeed = true WHERE id = %s", [story.service])
    [placed] = orders.place(conn, [draft(story.customer, story.service, runs=str(runs), interval="1")])
    assert isinstance(placed, Placed), placed
    lost = []
    for _ in range(runs):
        orders.make_runs(conn)
        [attempt] = story.given.attempts(story.provider)
        story.given.answered(attempt, LOST)
        lost.append(attempt)
        story.wait(61)
    return placed.order_id, lost


def test_runs_are_paid_back_out_of_suspense_through_their_drip_feed(
    conn: Conn, given: Given, story: Story
) -> None:
    parent, (first, second, third) = drip_feed(story, runs=3)
    story.wait(3600 - 130)
    assert orders.pay_back_unknown(conn, waited=timedelta(hours=1)) == 1
    assert (given.balance(story.customer), suspense(story)) == (BALANCE - 2 * CHARGE, -CHARGE)
    given.assert_books()
    story.wait(200)
    assert orders.pay_back_unknown(conn, waited=timedelta(hours=1)) == 2
    assert given.status(story.customer, parent).state == "refunded"
    assert (given.balance(story.customer), suspense(story)) == (BALANCE, -3 * CHARGE)
    given.assert_books()
    for attempt, settlement, left in (
        (second, PayBack(), 2), (first, AcceptedAs(upstream_id="4711"), 1), (third, PayBack(), 0),
    ):  # fmt: skip
        orders.settle(conn, attempt.submission_id, settlement, actor="anna")
        assert (given.balance(story.customer), suspense(story)) == (BALANCE, -left * CHARGE)
        given.assert_books()


def test_a_run_that_is_settled_moves_its_drip_feed(conn: Conn, given: Given, story: Story) -> None:
    parent, (first, second) = drip_feed(story, runs=2)
    orders.settle(conn, first.submission_id, PayBack(), actor="anna")
    assert (given.balance(story.customer), suspense(story)) == (BALANCE - CHARGE, 0)
    orders.settle(conn, second.submission_id, SendAgain(), actor="anna")
    [again] = given.attempts(story.provider)
    given.answered(again, Accepted(upstream_id="5"))
    tracked = Tracked(
        submission_id=again.submission_id,
        account_id=again.account_id,
        provider_id=story.provider,
        upstream_id="5",
    )
    orders.apply_reports(conn, {tracked: Report(state=UpstreamState.COMPLETED, word="Completed", remains=0)})
    assert given.status(story.customer, parent).state == "partial"
    assert given.balance(story.customer) == BALANCE - CHARGE
    given.assert_books()


def test_what_is_for_a_user_is_listed_by_its_name(conn: Conn, story: Story, lost: Attempt) -> None:
    account, id_ = story.customer.account, lost.submission_id
    assert orders.submission(conn, account, id_)["link"] == "https://example.com/post"
    extras = """UPDATE orders SET link = NULL, extras = '{"username": "someone"}' WHERE id = %s"""
    conn.execute(extras, [story.order(lost)])
    row = orders.submission(conn, account, id_)
    assert row["link"] == "someone"
    assert row in orders.submissions_in(conn, [SubmissionState(row["state"])])
    assert row["id"] == ids.show(ids.SUBMISSION, id_)


def lost_in(pool: Pool, number: int) -> tuple[ProviderId, Story, list[Attempt]]:
    with pool.transaction() as conn:
        story = story_of(Given(conn))
        attempts = [story.lost() for _ in range(number)]
        conn.execute("UPDATE submissions SET unknown_at = clock_now() - interval '2 hours'")
    return story.provider, story, attempts


def test_engines_and_people_that_act_at_once_pay_back_once(fresh_pool: Pool) -> None:
    _, story, attempts = lost_in(fresh_pool, 12)

    def pay_back() -> int:
        with fresh_pool.transaction() as conn:
            return orders.pay_back_unknown(conn, waited=timedelta(hours=1))

    def settle_all() -> int:
        settled = 0
        for number, (attempt, settlement) in enumerate(zip(attempts, ALL * 4, strict=True), start=5000):
            wanted = AcceptedAs(upstream_id=str(number)) if isinstance(settlement, AcceptedAs) else settlement
            try:
                with fresh_pool.transaction() as conn:
                    orders.settle(conn, attempt.submission_id, wanted, actor="anna")
            except Refusal:
                continue
            settled += 1
        return settled

    results = at_once([pay_back, settle_all, pay_back, settle_all])
    assert [result for result in results if isinstance(result, Exception)] == []
    with fresh_pool.transaction() as conn:
        given = Given(conn)
        given.assert_books()
        kept = sum(given.status(story.customer, story.order(a)).charge_micros for a in attempts)
        assert given.balance(story.customer) == BALANCE - kept
