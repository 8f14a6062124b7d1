"""Unknown submissions are looked for; an id is taken for ours only where it can be nobody else's."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from msgspec import structs
from submissions import now, order_row, submission
from upstream import LOST, Story, story_of

from given import LEASE, Given, draft, upstream_service
from panelry.database.pool import Conn
from panelry.domain import catalog, orders, providers
from panelry.domain.money import Micros
from panelry.domain.orders import AcceptedAs, Attempt, PayBack, SendAgain, Sight, Tracked
from panelry.domain.providers import (
    Accepted,
    Rejected,
    Rejection,
    Report,
    UpstreamBalance,
    UpstreamState,
)


@pytest.fixture
def story(given: Given) -> Story:
    """Begin with one order that the provider took after 100 of others."""
    begun = story_of(given)
    begun.upstream.last += 100
    begun.bought()
    return begun


def state(story: Story, attempt: Attempt) -> str:
    return submission(story.conn, attempt).state


def notes(story: Story, attempt: Attempt) -> str:
    return "\n".join(submission(story.conn, attempt).notes)


def true_id(story: Story, attempt: Attempt) -> str:
    return next(id_ for id_, made in story.upstream.made.items() if made == attempt)


def test_a_lost_order_that_nobody_else_can_have_made_is_found_and_followed(
    conn: Conn, given: Given, story: Story
) -> None:
    story.upstream.last += 3
    attempt = story.lost()
    story.upstream.last += 50
    story.wait(4)
    assert story.looked() == 1
    row = submission(conn, attempt)
    assert (row.state, row.upstream_id) == ("accepted", true_id(story, attempt))
    assert row.due_at == now(conn) + timedelta(seconds=1)
    cost = "SELECT expected_micros, charged_micros FROM provider_costs WHERE submission_id = %s"
    assert conn.execute(cost, [attempt.submission_id]).fetchall() == [(100_000, 100_000)]
    assert given.status(story.customer, story.order(attempt)).state == "processing"
    story.wait(1)
    followed = orders.claim_tracking(conn, story.provider, most=100, lease=LEASE)
    assert row.upstream_id in {tracked.upstream_id for tracked in followed}
    given.assert_books()


def test_nothing_is_looked_for_before_its_time_and_not_twice_at_a_time(conn: Conn, story: Story) -> None:
    story.lost()
    story.wait(3)
    assert story.claimed() == []
    assert story.provider not in orders.due(conn).to_look
    story.wait(1)
    assert story.provider in orders.due(conn).to_look
    assert story.provider not in orders.due(conn).to_ask
    assert len(story.claimed()) == 1
    assert story.claimed() == []
    story.wait(60)
    assert len(story.claimed()) == 1, "what is not recorded is due again after the lease"


def test_one_at_a_time_is_claimed_where_one_is_wanted(story: Story) -> None:
    story.lost()
    story.lost()
    story.wait(5)
    assert len(story.claimed(most=1)) == 1


def test_a_look_that_is_never_recorded_changes_nothing(conn: Conn, story: Story) -> None:
    attempt = story.lost()
    story.wait(5)
    before = submission(conn, attempt)
    [lookup] = story.claimed()
    story.upstream.sight(lookup)
    assert replace(submission(conn, attempt), due_at=None) == replace(before, due_at=None)
    story.wait(61)
    assert story.looked() == 1
    assert state(story, attempt) == "accepted"


def test_of_two_looks_at_the_same_time_one_counts(conn: Conn, story: Story) -> None:
    attempt = story.lost(made=False)
    story.wait(5)
    [first] = story.claimed()
    story.wait(61)
    [second] = story.claimed()
    assert orders.record_lookup(conn, first, story.upstream.sight(first))
    assert not orders.record_lookup(conn, second, story.upstream.sight(second))
    assert submission(conn, attempt).attempt == 1


@pytest.mark.parametrize(
    "answer", [Accepted(upstream_id="77"), Rejected(reason=Rejection.LINK, text="bad link")], ids=str
)
def test_an_answer_that_was_quicker_than_a_look_counts(
    conn: Conn, given: Given, story: Story, answer: Accepted | Rejected
) -> None:
    attempt = story.lost()
    story.wait(5)
    [lookup] = story.claimed()
    sight = story.upstream.sight(lookup)
    given.answered(attempt, answer)
    before = submission(conn, attempt)
    assert not orders.record_lookup(conn, lookup, sight)
    assert submission(conn, attempt) == before
    given.assert_books()


@pytest.mark.parametrize("made", [(True, True), (True, False), (False, True), (False, False)], ids=str)
def test_of_two_that_were_lost_neither_is_taken_for_the_other(
    given: Given, story: Story, made: tuple[bool, bool]
) -> None:
    first, second = (story.lost(made=one) for one in made)
    story.to_the_end()
    assert (state(story, first), state(story, second)) == ("quarantined", "quarantined")
    for one, other in ((first, second), (second, first)):
        assert (other.request_id in notes(story, one)) is any(made), "evidence names whose it may be"
        assert all(id_ in notes(story, one) for id_ in list(story.upstream.made)[1:])
        assert "now a person has to decide" in notes(story, one)
        assert submission(story.conn, one).due_at is None
    story.wait(10**6)
    assert story.looked() == 0
    given.assert_books()


def test_once_a_late_answer_tells_which_is_which_the_other_is_found(given: Given, story: Story) -> None:
    first, second = story.lost(), story.lost()
    story.wait(5)
    assert story.looked() == 2
    given.answered(first, Accepted(upstream_id=true_id(story, first)))
    story.wait(60)
    assert story.looked() == 1
    assert submission(story.conn, second).upstream_id == true_id(story, second)


@pytest.mark.parametrize("settlement", [SendAgain(), PayBack(), AcceptedAs(upstream_id="777777")], ids=str)
def test_one_that_a_person_has_settled_may_still_own_what_is_found(
    story: Story, settlement: SendAgain | PayBack | AcceptedAs
) -> None:
    """A person may be wrong: the order that was said not to exist would be taken for another one."""
    settled, lost = story.lost(), story.lost(made=False)
    orders.settle(story.conn, settled.submission_id, settlement, actor="staff")
    if isinstance(settlement, SendAgain):
        story.given.answered(story.given.attempts(story.provider)[0], Accepted(upstream_id="888888"))
    story.to_the_end()
    assert state(story, lost) == "quarantined"
    assert settled.request_id in notes(story, lost)


def test_one_whose_customer_was_paid_back_may_still_own_what_is_found(story: Story) -> None:
    paid_back = story.lost()
    story.wait(100)
    orders.pay_back_unknown(story.conn, waited=timedelta(minutes=1))
    lost = story.lost(made=False)
    story.to_the_end()
    assert state(story, lost) == "quarantined"
    assert f"{paid_back.request_id} (quarantined)" in notes(story, lost)


def test_a_late_no_leaves_a_rival_too(given: Given, story: Story) -> None:
    refused, lost = story.lost(), story.lost(made=False)
    given.answered(refused, Rejected(reason=Rejection.LINK, text="bad link"))
    story.to_the_end()
    assert state(story, lost) == "quarantined"


def test_what_was_lost_an_hour_before_the_last_order_of_ours_is_no_rival(story: Story) -> None:
    old = story.lost(made=False)
    story.to_the_end()
    story.wait(3600)
    story.bought()
    lost = story.lost()
    story.wait(5)
    story.looked()
    assert (state(story, old), state(story, lost)) == ("quarantined", "accepted")


def test_an_order_that_the_provider_made_long_after_its_call_is_still_not_taken_for_another(
    story: Story,
) -> None:
    slow = story.lost(made=False)
    story.wait(3000)
    story.bought()
    lost = story.lost(made=False)
    story.upstream.make(slow)
    story.to_the_end()
    assert state(story, lost) == "quarantined"


def test_while_another_order_is_on_its_way_it_may_own_what_is_found(given: Given, story: Story) -> None:
    lost = story.lost(made=False)
    other = story.sent()
    owned = story.upstream.make(other)
    story.wait(4)
    story.looked()
    assert state(story, lost) == "unknown"
    assert f"{other.request_id} (sending)" in notes(story, lost)
    assert submission(story.conn, lost).attempt == 0
    given.answered(other, Accepted(upstream_id=owned))
    story.to_the_end()
    assert state(story, lost) == "quarantined", "what was found belongs to the other"


def test_what_was_found_and_has_been_named_to_another_meanwhile_is_not_ours(
    given: Given, story: Story
) -> None:
    lost = story.lost(made=False)
    other = story.sent()
    owned = story.upstream.make(other)
    story.wait(4)
    [lookup] = story.claimed()
    sight = story.upstream.sight(lookup)
    given.answered(other, Accepted(upstream_id=owned))
    assert orders.record_lookup(story.conn, lookup, sight)
    assert state(story, lost) == "unknown"
    given.assert_books()


def test_an_order_that_begins_after_a_later_one_was_named_is_no_rival(story: Story) -> None:
    """Busy providers always have something on its way: what comes later has a higher id."""
    lost = story.lost()
    story.wait(5)
    story.sent()
    story.looked()
    assert state(story, lost) == "unknown"
    story.wait(30)
    story.bought()
    story.sent()
    story.wait(60)
    story.looked()
    assert state(story, lost) == "unknown", "the first one on its way may still own it"

    calm = story_of(story.given)
    calm.seconds = story.seconds
    calm.bought()
    lost = calm.lost()
    calm.wait(31)
    calm.bought()
    calm.sent()
    calm.looked()
    assert submission(calm.conn, lost).upstream_id == true_id(calm, lost)


def test_orders_of_ours_on_both_sides_narrow_down_what_is_asked_for(story: Story) -> None:
    story.upstream.last += 5
    story.lost()
    story.upstream.last += 5
    story.wait(31)
    story.bought()
    [lookup] = story.claimed()
    assert [int(c) for c in lookup.candidates] == list(range(1102, 1113))
    assert lookup.witness == "1101"
    assert len(lookup.strangers) == 19


def test_a_gap_that_is_too_wide_is_left_to_a_person(story: Story) -> None:
    lost = story.lost()
    story.upstream.last += 5000
    story.wait(31)
    story.bought()
    story.looked()
    assert state(story, lost) == "quarantined"
    assert "5001 ids lie between our orders 1101 and 6103" in notes(story, lost)


def test_where_no_id_is_left_between_two_orders_of_ours_it_was_not_made(story: Story) -> None:
    lost = story.lost(made=False)
    story.wait(31)
    story.bought()
    story.looked()
    assert state(story, lost) == "quarantined"
    assert "is another order's" in notes(story, lost)


def test_a_provider_that_tells_of_orders_of_others_is_not_believed(story: Story) -> None:
    story.upstream.tells_all = True
    lost = story.lost()
    story.to_the_end()
    assert state(story, lost) == "quarantined"
    assert "orders that are none of ours were told, too: 1100, 1099" in notes(story, lost)


def test_posts_of_a_subscription_may_be_what_is_found(conn: Conn, given: Given, story: Story) -> None:
    [listed] = providers.snapshot(conn, story.provider)
    row = upstream_service(type_="Subscriptions")
    providers.record_snapshot(conn, story.provider, [upstream_service(listed.service), row])
    [imported] = catalog.import_services(conn, story.provider, chosen=[row.service])
    subscriptions = imported.service
    drafted = draft(story.customer, subscriptions)
    wanted = {"username": "name", "min": "10", "max": "20", "delay": "0"}
    orders.place(conn, [structs.replace(drafted, parameters=wanted)])
    [attempt] = given.attempts(story.provider)
    given.answered(attempt, Accepted(upstream_id=story.upstream.make(attempt)))
    story.wait(1)
    story.upstream.make(attempt)  # its first post
    lost = story.lost(made=False)
    story.to_the_end()
    assert state(story, lost) == "quarantined"
    assert f"{attempt.request_id} (accepted)" in notes(story, lost)


def test_the_same_panel_set_up_twice_is_one_panel(conn: Conn, given: Given, story: Story) -> None:
    [[url]] = conn.execute("SELECT url FROM providers WHERE id = %s", [story.provider]).fetchall()
    given.provider(url=url.upper().replace("HTTPS", "https").replace("/API", "/other"))
    lost = story.lost()
    story.to_the_end()
    assert state(story, lost) == "quarantined"
    assert "set up as another provider" in notes(story, lost)


def test_the_first_order_ever_is_left_to_a_person_with_the_balance(conn: Conn, given: Given) -> None:
    story = story_of(given)
    balance = UpstreamBalance(amount=Decimal(9), currency="USD")
    providers.record_balance(conn, story.provider, balance)
    story.wait(60)
    lost = story.lost()
    story.upstream.balance = Micros(8_900_000)
    story.wait(5)
    story.looked()
    assert state(story, lost) == "quarantined"
    found = notes(story, lost)
    assert "no order of ours was taken there lately" in found
    assert "is 8.90, and accepted orders explain 0.00: 0.10 is unexplained, this order costs 0.10" in found


def test_a_balance_from_after_it_was_sent_is_no_evidence(conn: Conn, story: Story) -> None:
    lost = story.lost()
    providers.record_balance(conn, story.provider, UpstreamBalance(amount=Decimal(9), currency=""))
    story.upstream.balance = Micros(8_900_000)
    story.wait(5)
    story.looked()
    assert "the balance is 8.90, none is known from before it was sent" in notes(story, lost)


def test_what_accepted_orders_cost_since_the_balance_was_told_is_explained(
    conn: Conn, given: Given, story: Story
) -> None:
    providers.record_balance(conn, story.provider, UpstreamBalance(amount=Decimal(9), currency=""))
    story.wait(1)
    story.bought()
    tracked = Tracked(
        submission_id=story.bought().submission_id, account_id=story.customer.account, provider_id=story.provider,
        upstream_id="",
    )  # fmt: skip
    report = Report(state=UpstreamState.COMPLETED, word="Completed", charge=Decimal(2))
    orders.apply_reports(conn, {tracked: report})
    lost = story.lost()
    story.upstream.balance = Micros(6_800_000)
    story.wait(5)
    story.looked()
    assert "accepted orders explain 2.10: 0.10 is unexplained" in notes(story, lost)


def test_ids_that_are_no_numbers_cannot_be_guessed(conn: Conn, given: Given) -> None:
    story = story_of(given)
    given.answered(story.sent(), Accepted(upstream_id="ord_1"))
    story.wait(1)
    lost = story.lost()
    story.wait(5)
    story.looked()
    assert state(story, lost) == "quarantined"
    assert "ids are not numbers" in notes(story, lost)


def test_an_id_that_was_not_named_by_the_provider_is_no_landmark(story: Story) -> None:
    """What a person typed may be anything; what was found is right, but when it was made is not known."""
    typed = story.lost()
    orders.settle(story.conn, typed.submission_id, AcceptedAs(upstream_id="999999"), actor="staff")
    story.wait(1)
    story.lost()
    story.wait(5)
    [lookup] = story.claimed()
    assert lookup.witness == "1101"


def test_silence_is_written_down_once_and_uses_up_no_look(conn: Conn, story: Story) -> None:
    lost = story.lost()
    for _ in range(3):
        story.wait(300)
        [lookup] = story.claimed()
        orders.record_lookup(conn, lookup, Sight(said=None, failure="status: no answer"))
    row = submission(conn, lost)
    assert (row.state, row.attempt) == ("unknown", 0)
    assert row.notes == ["read time-out", "looked for it, but: status: no answer"]
    story.wait(300)
    story.looked()
    assert state(story, lost) == "accepted"


def test_what_was_sent_without_an_id_of_ours_is_never_sent_again_whatever_the_provider_is_said_to_be(
    conn: Conn, story: Story
) -> None:
    story.lost()
    conn.execute("UPDATE providers SET dialect = 'panelry' WHERE id = %s", [story.provider])
    story.wait(10**6)
    assert orders.claim_resends(conn, story.provider, most=100, lease=LEASE) == []
    assert story.provider not in orders.due(conn).to_ask


def test_what_can_be_asked_again_is_not_looked_for(conn: Conn, given: Given) -> None:
    story = story_of(given, dialect="panelry")
    attempt = story.sent()
    given.answered(attempt, LOST, resendable=True)
    story.wait(100)
    assert story.claimed() == []
    assert story.provider in orders.due(conn).to_ask
    assert story.provider not in orders.due(conn).to_look


@pytest.mark.parametrize("at", [1, 2000])
def test_a_real_yes_that_comes_late_counts_while_the_customer_waits(
    conn: Conn, given: Given, story: Story, at: int
) -> None:
    first, second = story.lost(), story.lost()
    story.to_the_end()
    story.wait(at)
    assert state(story, first) == "quarantined"
    given.answered(first, Accepted(upstream_id=true_id(story, first)))
    assert submission(conn, first).upstream_id == true_id(story, first)
    assert state(story, second) == "quarantined"
    given.assert_books()


def test_a_real_no_that_comes_late_counts_while_the_customer_waits(given: Given, story: Story) -> None:
    first, _ = story.lost(), story.lost()
    story.to_the_end()
    given.answered(first, Rejected(reason=Rejection.LINK, text="bad link"))
    assert given.status(story.customer, story.order(first)).state == "refunded"
    given.assert_books()


def test_another_unknown_answer_leaves_what_is_looked_for_and_the_quarantine_alone(
    conn: Conn, given: Given, story: Story
) -> None:
    first, _ = story.lost(), story.lost()
    before = submission(conn, first)
    given.answered(first, LOST)
    assert submission(conn, first) == before
    story.to_the_end()
    given.answered(first, Accepted(upstream_id="1101"))
    row = submission(conn, first)
    assert (row.state, row.due_at) == ("quarantined", None)
    assert "1101, which is another order's" in row.notes[-1]


def test_a_yes_that_comes_after_the_customer_was_paid_back_is_kept_loudly(
    conn: Conn, given: Given, story: Story
) -> None:
    first, _ = story.lost(), story.lost()
    story.wait(3600)
    orders.pay_back_unknown(conn, waited=timedelta(hours=1))
    given.answered(first, Accepted(upstream_id="5"))
    row = submission(conn, first)
    assert (row.state, row.upstream_id) == ("quarantined", None)
    assert row.notes[-1].startswith("THE PROVIDER HAS IT AFTER ALL, with id 5")
    assert order_row(conn, story.order(first), "state") == ("refunded",)
    given.assert_books()
