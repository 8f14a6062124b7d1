"""What the machine draws: orders that customers send, and what providers say."""

from decimal import Decimal

from bought import LOST, UNSENT, no
from ends import Decision, Eye
from expected import ENDS, WORDS
from hypothesis import strategies as st
from market import CODES, CUSTOMERS, DIALECTS, ITEMS, Wish

from panelry.domain.providers import (
    Accepted,
    CancelAnswer,
    CancelAsked,
    CancelRefused,
    Outcome,
    RefillOpen,
    RefillRefused,
    RefillReport,
    RefillState,
    RefillTaken,
    Rejection,
    Report,
    RowError,
    UpstreamState,
)
from panelry.domain.refills import Answer, NoAnswer

SELLERS = st.integers(0, len(DIALECTS) - 1)
ANY = st.integers(0, 127)
"""An index into whatever there is to choose from."""
ITEM = st.integers(0, len(ITEMS) - 1)
SIZES = st.sampled_from([1, 3, 7, 10, 33, 100, 150, 151, 0])
CODE = st.none() | st.integers(0, len(CODES) - 1)
WISHES = st.builds(
    Wish,
    customer=st.integers(0, CUSTOMERS - 1),
    item=ITEM,
    size=SIZES,
    request=st.integers(0, 31),
    runs=st.sampled_from([1, 1, 2, 3]),
    interval=st.sampled_from([1, 60]),
    code=CODE,
)
ASKED = st.lists(st.tuples(ANY, st.integers(0, 9)), min_size=1, max_size=3)
"""Some orders, each with who asks about it: one of the customers, or, mostly, whose it is."""
WAITS = st.sampled_from([0, 1, 5, 61, 600, 3600, 90_000])
REPORTS: st.SearchStrategy[Report | RowError | None] = st.one_of(
    st.builds(
        Report,
        state=st.none() | st.sampled_from(list(UpstreamState)),
        word=st.just("word"),
        start_count=st.none() | st.integers(-3, 10**6),
        remains=st.none() | st.integers(-20, 160),
        charge=st.none() | st.sampled_from([Decimal("0.00"), Decimal("0.1")]),
        posts_done=st.none() | st.integers(0, 8),
    ),
    st.just(RowError(text="Incorrect order ID")),
    st.none(),
)
ENDINGS = st.builds(
    Report,
    state=st.sampled_from([state for state, word in WORDS.items() if word in ENDS]),
    word=st.just("word"),
    remains=st.sampled_from([0, 0, 1, 3, 50, 149]),
    posts_done=st.none() | st.integers(0, 8),
)
AFTERTHOUGHTS: st.SearchStrategy[Outcome] = st.one_of(
    st.sampled_from([*(no(reason) for reason in Rejection), LOST, UNSENT]),
    st.integers(995, 1015).map(lambda number: Accepted(upstream_id=str(number))),
)
CANCEL_ANSWERS: st.SearchStrategy[CancelAnswer | None] = st.sampled_from(
    [CancelAsked(), CancelAsked(), CancelRefused(text="too late"), None]
)
REFILL_ANSWERS: st.SearchStrategy[Answer] = st.sampled_from(
    [
        RefillTaken(upstream_id="7"),
        RefillTaken(upstream_id=None),
        RefillOpen(text="already refilled"),
        RefillRefused(text="no refill"),
        *(RefillReport(state=state, word=str(state)) for state in [*RefillState, None]),
        *[RefillReport(state=RefillState.COMPLETED, word="Completed")] * 3,
        Report(state=UpstreamState.COMPLETED, word="Completed", remains=0),
        Report(state=UpstreamState.COMPLETED, word="Completed", remains=20),
        RowError(text="Incorrect order ID"),
        NoAnswer(text="time-out"),
    ]
)
TROUBLES = st.sampled_from(["key", "funds", "broken", "balance", "no balance", "another customer", "staff"])
ROUTES = st.sampled_from([(number, seller) for number, item in enumerate(ITEMS) for seller in item.sellers])
EYES = st.sampled_from(Eye)
DECISIONS = st.sampled_from(Decision)
