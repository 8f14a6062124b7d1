"""`panelry bench track`: a million orders in flight, a provider that answers from memory, one engine that follows them."""

from collections.abc import Sequence
from typing import Any, Final

from panelry.ops.bench import in_flight
from panelry.ops.bench.children import child
from panelry.ops.bench.ground import Customer, Ground
from panelry.ops.bench.pgbench import SCALE, Baseline
from panelry.ops.bench.progress import Steps
from panelry.ops.bench.working import Work, work
from panelry.ops.session import CommandFailed

ACCOUNTS: Final = 1_000
SERVICES: Final = 100
MOST_SENT: Final = 20_000
APPLIED: Final = "statuses_applied"
SENT_TO: Final = "Sent to"
FOLLOWED_AT: Final = "Followed at"


def track(
    ground: Ground, steps: Steps, *, orders: int, seconds: float, accounts: int = ACCOUNTS, scale: int = SCALE
) -> dict[str, Any]:
    """Measure one engine: how fast it sends orders, and follows very many of which one in ten changed.

    Raises `CommandFailed` where the books are wrong afterwards, or orders are not as their provider said.
    """
    with child("panelry.ops.bench.upstream") as upstream:
        url = f"http://127.0.0.1:{upstream.next()['port']}/api/v2"
        with steps(f"{accounts:,} accounts, pgbench's tables"):
            customers = ground.customers(accounts)
            baseline = Baseline(ground.url, scale=scale)
        with steps("pgbench, before", seconds=seconds):
            baseline.run(seconds)
        sent = _sent(ground, steps, customers, url, most=min(orders // 10, MOST_SENT), seconds=seconds)
        followed = _followed(ground, steps, customers, url, orders=orders, seconds=seconds)
        upstream.tell_to_end()
        taken = upstream.next()["add"]
    with steps("pgbench, after", seconds=seconds):
        baseline.run(seconds)
    with steps("the books"):
        changed = sum(one.total(APPLIED, "changed") for one in (sent, followed))
        wrong = [*ground.wrong(), *in_flight.wrong(ground, taken=taken, changed=changed)]
    if wrong:
        raise CommandFailed(f"the books are wrong: {wrong[0]}", {"verified": False, "wrong": wrong})
    shown = {"sent": sent, "followed": followed}
    return {
        "orders": orders,
        "pgbench_per_second": round(baseline.per_second, 1),
        **{
            name: one.figures().shown(ratio_to_pgbench=one.per_second("count") / baseline.per_second)
            for name, one in shown.items()
        },
        "changed_per_second": round(followed.per_second("changed"), 1),
        "unchanged_per_second": round(followed.per_second("count") - followed.per_second("changed"), 1),
        "pages_per_second": round(followed.per_second("pages"), 1),
        "memory_mb": {"engine": followed.memory_mb},
        "verified": True,
    }


def _sent(
    ground: Ground, steps: Steps, customers: Sequence[Customer], url: str, *, most: int, seconds: float
) -> Work:
    """Place orders and let an engine send them, and follow what it sent; what is left then stays."""
    [service] = ground.services(1, provider=SENT_TO, url=url)
    in_flight.open_only(ground, SENT_TO)
    with steps(f"place {most:,} orders", total=most) as advance:
        in_flight.place(ground, customers, [service], most, advance)
    with steps("send", seconds=seconds):
        return work(ground, "submissions_recorded", until=most, seconds=seconds)


def _followed(
    ground: Ground, steps: Steps, customers: Sequence[Customer], url: str, *, orders: int, seconds: float
) -> Work:
    services = ground.services(SERVICES, provider=FOLLOWED_AT, url=url)
    in_flight.open_only(ground, FOLLOWED_AT)
    with steps(f"place {orders:,} orders", total=orders) as advance:
        in_flight.place(ground, customers, services, orders, advance)
    with steps("let them be accepted"):
        in_flight.accept(ground)
    with steps("follow", seconds=seconds):
        return work(ground, APPLIED, until=orders, seconds=seconds)
