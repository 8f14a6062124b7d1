"""What a look for an unknown submission proves: tables, and the law that anything in doubt is not ours."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st
from msgspec import structs

from panelry.domain.accounts import AccountId
from panelry.domain.catalog import RouteId, ServiceId
from panelry.domain.money import ZERO, Micros
from panelry.domain.orders import Lookup, OrderId, OrderState, Sight, SubmissionId, SubmissionState
from panelry.domain.orders.rules.answers import Consequence
from panelry.domain.orders.rules.checks import LOOKS, look_again, next_look
from panelry.domain.orders.rules.reconciling import (
    Look,
    Mark,
    Rival,
    Surroundings,
    after_look,
    aimed,
    fits,
    nearby,
)
from panelry.domain.orders.values import Order, Submission
from panelry.domain.providers import ProviderId, Report, RowError, UpstreamState

SENT = datetime(2026, 11, 22, 12, tzinfo=UTC)
UNKNOWN_AT = SENT + timedelta(seconds=25)
NOT_OURS = RowError(text="Incorrect order ID")
OURS = Report(state=UpstreamState.IN_PROGRESS, word="In progress", remains=90, charge=Decimal("0.10"))
S = SubmissionState

ORDER = Order(
    id=OrderId(uuid4()), account_id=AccountId(uuid4()), service_id=ServiceId(1), type="Default", quantity=100,
    charge_micros=Micros(150_000), refunded_micros=ZERO, state=OrderState.PROCESSING, sequence=2, start_count=0,
    remains=100, attempt=0, created_at=SENT,
)  # fmt: skip
SUBMISSION = Submission(
    id=SubmissionId(uuid4()), route_id=RouteId(1), provider_id=ProviderId(1), provider_service="7", state=S.UNKNOWN,
    upstream_id=None, attempt=0, message="time-out", sent_at=SENT, due_at=None, unknown_at=UNKNOWN_AT, resent=False,
)  # fmt: skip
AROUND = Surroundings(
    below=Mark(number=105, at=SENT - timedelta(minutes=1)), above=None, expected_micros=Micros(100_000),
    balance_micros=Micros(5_000_000), balance_at=SENT - timedelta(minutes=2), spent_micros=Micros(400_000), odd_ids=False,
    set_up_twice=False,
)  # fmt: skip


def lookup(around: Surroundings = AROUND, *, ours: frozenset[str] = frozenset({"105"})) -> Lookup:
    bare = Lookup(
        submission_id=SUBMISSION.id,
        account_id=ORDER.account_id,
        provider_id=ProviderId(1),
        looks=0,
        around=around,
    )
    return aimed(bare, ours)


def told(**found: Report) -> dict[str, Report | RowError]:
    """Say what a provider that scopes by key shows: our last order, and these (`_106=…`)."""
    rows: dict[str, Report | RowError] = dict.fromkeys(lookup().asked, NOT_OURS)
    return rows | {"105": OURS} | {name.lstrip("_"): report for name, report in found.items()}


def look(said: Mapping[str, Report | RowError] | None, **more: object) -> Look:
    base = Look(
        order=ORDER, submission=SUBMISSION, lookup=lookup(), sight=Sight(said=said, balance_micros=Micros(4_500_000)),
        rivals=[], taken=set(), now=UNKNOWN_AT + timedelta(seconds=5),
    )  # fmt: skip
    return replace(base, **more)  # type: ignore[arg-type]


def adopted(consequence: Consequence) -> str | None:
    return consequence.accepted.upstream_id if consequence.accepted else None


def rival(state: SubmissionState) -> Rival:
    return Rival(id=SubmissionId(uuid4()), state=state)


def test_the_one_order_that_can_be_ours_is_ours_and_costs_what_the_provider_says() -> None:
    consequence = after_look(look(told(_106=OURS)))
    assert consequence.accepted is not None
    assert (consequence.accepted.upstream_id, consequence.accepted.charge) == ("106", Decimal("0.10"))
    assert consequence.verdict.to is S.ACCEPTED
    assert "106 (In progress, charge 0.10, remains 90)" in consequence.verdict.note


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        (look(told()), "we are told of none"),
        (look(told(_106=OURS, _107=OURS)), "only one of them can be it"),
        (look(told(_106=OURS, _107=structs.replace(OURS, charge=Decimal(9)))), "only one of them can be it"),
        (look(told(_106=OURS), taken={"106"}), "we are told of none"),
        (look(told(_106=structs.replace(OURS, charge=Decimal("0.20")))), "which 106 does not fit"),
        (look(told(_106=structs.replace(OURS, charge=None))), "which 106 does not fit"),
        (look(told(_106=structs.replace(OURS, remains=101))), "which 106 does not fit"),
        (look(told(_106=structs.replace(OURS, state=None))), "which 106 does not fit"),
        (look(told(_106=OURS, _104=OURS)), "none of ours were told, too: 104"),
        (look(told(_106=OURS) | {"105": NOT_OURS}), "our own order 105 was not told"),
        (look({k: v for k, v in told(_106=OURS).items() if k != "105"}), "our own order 105 was not told"),
        (look(told(_106=OURS), lookup=lookup(replace(AROUND, set_up_twice=True))), "set up as another provider"),
        (look(told(_106=OURS), lookup=lookup(replace(AROUND, expected_micros=None))), "it should cost ?"),
        *(
            (look(told(_106=OURS), rivals=[rival(state)]), f"({state})")
            for state in (S.UNKNOWN, S.QUARANTINED, S.REJECTED, S.NOT_SENT, S.POSTPONED, S.ACCEPTED)
        ),
    ],
)  # fmt: skip
def test_what_is_in_doubt_is_not_ours_and_is_looked_at_again_a_minute_after_it_was_lost(
    what: Look, reason: str
) -> None:
    consequence = after_look(what)
    assert adopted(consequence) is None
    assert reason in consequence.verdict.note
    assert (consequence.verdict.to, consequence.verdict.attempt) == (S.UNKNOWN, 1)
    assert consequence.verdict.due_at == UNKNOWN_AT + timedelta(minutes=1)


def test_while_another_order_is_on_its_way_the_same_look_is_repeated() -> None:
    one, two = rival(S.SENDING), rival(S.UNKNOWN)
    waiting = after_look(look(told(_106=OURS), rivals=[one]))
    assert (waiting.verdict.to, waiting.verdict.attempt) == (S.UNKNOWN, 0)
    assert waiting.verdict.due_at == UNKNOWN_AT + timedelta(seconds=10)
    assert after_look(look(told(_106=OURS), rivals=[one, two])).verdict.attempt == 1
    assert after_look(look(told(), rivals=[one])).verdict.attempt == 1


@pytest.mark.parametrize("looks", range(len(LOOKS)))
def test_after_the_last_look_a_person_has_to_decide(looks: int) -> None:
    consequence = after_look(
        look(told(), lookup=replace(lookup(), looks=looks), now=UNKNOWN_AT + LOOKS[looks])
    )
    is_last = looks == len(LOOKS) - 1
    assert consequence.verdict.to is (S.QUARANTINED if is_last else S.UNKNOWN)
    assert (consequence.verdict.due_at is None) is is_last
    assert consequence.verdict.note.endswith("now a person has to decide") is is_last


def test_a_provider_that_does_not_answer_uses_up_no_look_until_hours_have_gone() -> None:
    failed = look(None, sight=Sight(said=None, failure="status: HTTP 502: gateway"))
    for age, wait in ((5, 5), (60, 30), (400, 200), (3600, 300), (21_600, 300)):
        now = UNKNOWN_AT + timedelta(seconds=age)
        verdict = after_look(replace(failed, now=now)).verdict
        assert (verdict.to, verdict.attempt, verdict.due_at) == (S.UNKNOWN, 0, now + timedelta(seconds=wait))
        assert "HTTP 502" in verdict.note
    verdict = after_look(replace(failed, now=UNKNOWN_AT + timedelta(hours=6, seconds=1))).verdict
    assert (verdict.to, verdict.due_at) == (S.QUARANTINED, None)


def test_the_same_silence_again_is_no_news() -> None:
    failed = look(None, sight=Sight(said=None, failure="time-out"))
    first = after_look(failed).verdict
    again = replace(failed, submission=structs.replace(SUBMISSION, message=first.message or ""))
    assert after_look(again).verdict.note == ""


@pytest.mark.parametrize(
    ("around", "ours", "reason"),
    [
        (replace(AROUND, odd_ids=True), {"105"}, "ids are not numbers"),
        (replace(AROUND, below=None), set(), "no order of ours was taken there lately"),
        (replace(AROUND, above=Mark(number=106, at=SENT)), {"105", "106"}, "is another order's"),
        (replace(AROUND, above=Mark(number=90, at=SENT)), {"105", "90"}, "is another order's"),
        (replace(AROUND, above=Mark(number=187, at=SENT)), {"105", "187"}, "81 ids lie between"),
        (replace(AROUND, above=Mark(number=10**9, at=SENT)), {"105"}, "999999894 ids lie between"),
    ],
)
def test_where_there_is_nothing_to_ask_for_the_balance_is_the_only_evidence(
    around: Surroundings, ours: set[str], reason: str
) -> None:
    aim = lookup(around, ours=frozenset(ours))
    assert aim.asked == []
    verdict = after_look(look({}, lookup=aim)).verdict
    assert (verdict.to, verdict.due_at) == (S.QUARANTINED, None)
    assert reason in verdict.note
    assert "0.10 is unexplained, this order costs 0.10" in verdict.note


def test_what_is_asked_for_lies_between_two_orders_of_ours_and_is_not_known_to_be_ours() -> None:
    above = replace(AROUND, above=Mark(number=110, at=SENT))
    aim = lookup(above, ours=frozenset({"105", "103", "107", "110"}))
    assert aim.candidates == ("106", "108", "109")
    assert aim.strangers[:3] == ("104", "102", "101")
    assert (len(aim.strangers), aim.asked[-1]) == (19, "105")


def test_without_a_later_order_the_next_80_free_ids_are_asked_for_and_never_more_than_100_in_all() -> None:
    aim = lookup(ours=frozenset(map(str, range(105, 150))))
    assert aim.candidates == tuple(map(str, range(150, 230)))
    assert len(aim.asked) == 100
    assert lookup(replace(AROUND, below=Mark(number=1, at=SENT)), ours=frozenset({"1"})).strangers == ()


@for_all(
    below=st.none() | st.integers(1, 10**18 - 1), above=st.none() | st.integers(1, 10**18 - 1), odd=st.booleans(),
    data=st.data(),
)  # fmt: skip
def test_whatever_is_around_at_most_100_ids_are_asked_for_and_none_that_is_ours_but_the_witness(
    below: int | None,
    above: int | None,
    odd: bool,  # noqa: FBT001 (drawn)
    data: st.DataObject,
) -> None:
    around = replace(
        AROUND, below=None if below is None else Mark(number=below, at=SENT),
        above=None if above is None else Mark(number=above, at=SENT), odd_ids=odd,
    )  # fmt: skip
    near = nearby(around)
    ours = frozenset(data.draw(st.sets(st.sampled_from(near)))) if near else frozenset()
    aim = lookup(around, ours=ours)
    assert len(aim.asked) == len(set(aim.asked)) <= 100
    assert not {*aim.candidates, *aim.strangers} & ours
    assert set(aim.asked) <= {*near, aim.witness}
    assert bool(aim.asked) != bool(aim.hopeless)
    assert all(below is not None and int(c) > below for c in aim.candidates)
    assert all(above is None or int(c) < above for c in aim.candidates)


@pytest.mark.parametrize(
    ("charge", "expected", "right"),
    [
        ("0.10", 100_000, True), ("0.1", 100_000, True), ("0.102", 100_000, True), ("0.1021", 100_000, False),
        ("0.098", 100_000, True), ("0.0979", 100_000, False), ("0.11", 100_000, True), ("0.12", 100_000, False),
        ("0.03", 34_500, True), ("0.04", 34_500, True), ("0.05", 34_500, False), ("0", 500_000, False),
        ("1", 500_000, False), ("500", 500_000_000, True), ("510", 500_000_000, True), ("511", 500_000_000, False),
        ("0.00", 1_000_000, False), ("1000000000000", 1_000_000, False),
    ],
)  # fmt: skip
def test_a_charge_is_right_within_two_percent_or_what_its_decimals_round_away(
    charge: str,
    expected: int,
    right: bool,  # noqa: FBT001 (of the table)
) -> None:
    assert fits(ORDER, structs.replace(OURS, charge=Decimal(charge)), Micros(expected)) is right


@pytest.mark.parametrize(
    ("type_", "report", "right"),
    [
        ("Default", structs.replace(OURS, remains=None), True), ("Default", structs.replace(OURS, remains=-5), True),
        ("Default", structs.replace(OURS, posts_done=1), False), ("Subscriptions", structs.replace(OURS, posts_done=1), True),
    ],
)  # fmt: skip
def test_a_report_about_another_kind_of_order_does_not_fit(type_: str, report: Report, right: bool) -> None:  # noqa: FBT001
    assert fits(structs.replace(ORDER, type=type_), report, AROUND.expected_micros) is right


ROWS: st.SearchStrategy[Report | RowError] = st.one_of(
    st.just(NOT_OURS),
    st.just(OURS),
    st.builds(
        Report,
        state=st.none() | st.sampled_from(list(UpstreamState)),
        word=st.text(max_size=60),
        remains=st.none() | st.integers(-10, 200),
        charge=st.none() | st.sampled_from([Decimal("0.10"), Decimal("0.2"), Decimal(0)]),
    ),
)


@for_all(
    shown=st.dictionaries(st.integers(80, 190).map(str), ROWS, max_size=6),
    rivals=st.lists(st.sampled_from(list(S)).map(rival), max_size=30),
    taken=st.sets(st.integers(100, 115).map(str), max_size=4),
    set_up_twice=st.booleans(), looks=st.integers(0, 3), age=st.integers(5, 30_000), balance=st.none() | st.integers(0, 10**15),
)  # fmt: skip
def test_adopted_is_only_what_nobody_else_can_account_for(
    shown: dict[str, Report | RowError], rivals: list[Rival], taken: set[str], set_up_twice: bool, looks: int,  # noqa: FBT001
    age: int, balance: int | None,
) -> None:  # fmt: skip
    aim = replace(lookup(replace(AROUND, set_up_twice=set_up_twice)), looks=looks)
    sight = Sight(said=told() | shown, balance_micros=None if balance is None else Micros(balance))
    what = look(
        None, lookup=aim, sight=sight, rivals=rivals, taken=taken, now=UNKNOWN_AT + timedelta(seconds=age)
    )
    said = told() | shown
    free = [id_ for id_ in aim.candidates if isinstance(said[id_], Report) and id_ not in taken]
    consequence = after_look(what)
    sure = (
        len(free) == 1
        and not rivals
        and not set_up_twice
        and isinstance(said["105"], Report)
        and not any(isinstance(said[id_], Report) for id_ in aim.strangers)
        and isinstance(report := said[free[0]], Report)
        and fits(ORDER, report, AROUND.expected_micros)
    )
    assert adopted(consequence) == (free[0] if sure else None)
    assert consequence.change is None
    assert len(consequence.verdict.note) <= 1000
    if not sure:
        assert consequence.verdict.to in {S.UNKNOWN, S.QUARANTINED}
        assert (consequence.verdict.due_at is None) == (consequence.verdict.to is S.QUARANTINED)


def test_looks_become_rarer_and_late_ones_are_not_all_made_at_once() -> None:
    assert [next_look(UNKNOWN_AT, looks, UNKNOWN_AT) for looks in range(5)] == [
        *(UNKNOWN_AT + wait for wait in LOOKS), None,
    ]  # fmt: skip
    late = UNKNOWN_AT + timedelta(days=1)
    assert next_look(UNKNOWN_AT, 2, late) == late + timedelta(seconds=1)
    assert look_again(UNKNOWN_AT, late) is None
