"""Whatever an engine was doing when it was killed: every order ends as it does where nobody kills it, bought once."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from queue import Queue
from uuid import uuid4

import engines
import psycopg
import pytest
from engines import Effect
from stages import Ending, Stage

import servers
from connectors import sandboxes
from connectors.sandboxes import Upstream
from given import Given

AT_ONCE = 8
AT_FIRST, AFTER_THE_LEASES = "30 minutes", "32 minutes"
NEVER = Effect("nothing", "before", 1)
BOUGHT = Ending(state="completed", kept="0.10", refunds=0, bought=1)
# What becomes of 100 units at 1.00 for 1,000; of a drip-feed's, of 200.
ENDS = {
    "completed": BOUGHT,
    "partial": replace(BOUGHT, state="partial", kept="0.04", refunds=1),
    "cancelled": replace(BOUGHT, state="cancelled", kept="0.00", refunds=1),
    "refused": replace(BOUGHT, state="refunded", kept="0.00", refunds=1, bought=0),
    "asked to cancel": replace(BOUGHT, state="cancelled", kept="0.00", refunds=1),
    "refilled": replace(BOUGHT, refills=("completed",)),
    "in runs": replace(BOUGHT, kept="0.20", bought=2),
    "failed over": BOUGHT,
    "known": BOUGHT,
    "looked for": BOUGHT,
    "lost": BOUGHT,
    "abandoned": BOUGHT,
}
# What nobody can know of a provider that does not recognise our request ids: it stays in view.
LOST: dict[str, dict[str, Ending]] = {
    "panelry": {},
    "classic": {
        "lost": replace(BOUGHT, state="processing"),
        "abandoned": replace(BOUGHT, state="processing", bought=0),
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Theatre:
    """Where engines are killed: databases that are free, providers that are opened, and a folder for what they write."""

    free: Queue[Stage]
    folder: Path
    open_upstream: Callable[..., Upstream]


@pytest.fixture(scope="module")
def databases(database: str) -> Iterator[Queue[Stage]]:
    names = [f"stage_{uuid4().hex}" for _ in range(AT_ONCE)]
    free: Queue[Stage] = Queue()
    with psycopg.connect(servers.on(database, "postgres"), autocommit=True) as conn:
        for name in names:
            conn.execute(f'CREATE DATABASE "{name}" TEMPLATE template_panelry')
            free.put(Stage(servers.on(database, name)))
        yield free
        for name in names:
            conn.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def theatre(databases: Queue[Stage], folder: Path) -> Iterator[Theatre]:
    with sandboxes.street() as open_upstream:
        yield Theatre(free=databases, folder=folder, open_upstream=open_upstream)


def play(stage: Stage, journal: Path, doom: Effect | None = None) -> bool:
    """Let an engine work until all is over, or for a minute, or until it meets its doom; tell whether it did."""
    engine = engines.watched(stage.url, journal, doom)
    deadline = time.monotonic() + 60
    try:
        with stage.connect() as conn:
            while engine.is_alive() and not stage.act(conn) and time.monotonic() < deadline:
                time.sleep(0.1)
        return not engine.is_alive()
    finally:
        engine.kill()
        engine.join()


def kill(theatre: Theatre, dialect: str, doom: Effect) -> tuple[bool, list[str]]:
    """Kill an engine at one effect and let another one go on; return whether it came to that, and what is wrong then."""
    folder = theatre.folder / str(doom).replace(" ", "-")
    folder.mkdir()
    stage = theatre.free.get()
    try:
        stage.set_up(dialect, folder, theatre.open_upstream)
        stage.later(AT_FIRST)
        is_met = play(stage, folder / "first", doom)
        with stage.connect() as conn:
            under_way = stage.sending(conn)
        stage.later(AFTER_THE_LEASES)
        play(stage, folder / "second")
        trouble = wrong(stage, under_way)
        return is_met, trouble and [*trouble, engines.log(folder / "second")[-2000:]]
    finally:
        theatre.free.put(stage)


def wrong(stage: Stage, under_way: set[str]) -> list[str]:
    """Describe orders that did not end as they should; what was under way and is in view is as it should be."""
    with stage.connect() as conn:
        in_view, found = stage.in_view(conn), stage.endings(conn)
        with conn.transaction():
            Given(conn).assert_books()
        lost = LOST[stage.dialect]
        excused = under_way & in_view if stage.dialect == "classic" else set()
        return [
            f"{role}: {found[role]}, in view: {role in in_view}, {stage.tried(conn, role)}"
            for role, end in (ENDS | lost).items()
            if (found[role], role in in_view) != (end, role in lost)
            and not (role in excused and waits_unpaid(found[role], end))
        ]


def waits_unpaid(found: Ending, end: Ending) -> bool:
    """Tell whether an order in view is not finished, not paid back, and not bought more often than it may be."""
    is_open = found.state in {"pending", "processing", "in_progress"}
    return is_open and found.refunds == 0 and found.bought <= max(end.bought, 1)


def some(effects: list[Effect]) -> list[Effect]:
    """Choose the first of each kind, and every fourth of the others."""
    others = [effect for effect in effects if effect.nth > 1]
    return [*(effect for effect in effects if effect.nth == 1), *others[::4]]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("dialect", ["classic", "panelry"])
def test_an_engine_killed_at_any_of_its_effects_changes_no_ending(
    theatre: Theatre, dialect: str, pytestconfig: pytest.Config
) -> None:
    assert kill(theatre, dialect, NEVER) == (False, [])
    effects = engines.effects(theatre.folder / str(NEVER).replace(" ", "-") / "first")
    chosen = effects if pytestconfig.getoption("--every-effect") else some(effects)
    with ThreadPoolExecutor(AT_ONCE) as others:
        results = list(others.map(partial(kill, theatre, dialect), chosen))
    assert [(str(e), bad) for e, (_, bad) in zip(chosen, results, strict=True) if bad] == []
    met = sum(is_met for is_met, _ in results)
    assert met * 4 > len(chosen) * 3, "the engines that were to be killed did other things"
