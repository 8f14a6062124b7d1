"""`panelry ledger`."""

import dataclasses
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import typer

from panelry.ops.command import command
from panelry.ops.session import CommandFailed, Session

app = typer.Typer(help="The books.", no_args_is_help=True)


@app.callback()
def _ledger() -> None:
    """Keep `verify` a command of its own though it is the only one."""


@command(app, "verify")
def verify(session: Session) -> None:
    """Recompute everything: balances, chains of hashes, charges, refunds, coupons, costs, timelines. Names what is wrong."""
    from psycopg import IsolationLevel

    from panelry import clock
    from panelry.domain import coupons, ids, ledger, money, orders

    began = clock.monotonic()
    with session.pool() as pool, pool.connection() as conn:
        conn.isolation_level = IsolationLevel.REPEATABLE_READ
        with conn.transaction():
            with _progress(ledger.expected_transfers(conn), hidden=session.json) as progress:
                result = ledger.verify(conn, progress=progress)
            findings = [*result.wrong, *orders.verify(conn), *coupons.verify(conn)]
            suspense = ledger.suspense(conn)
    seconds = clock.monotonic() - began
    value: dict[str, Any] = {
        "transfers": result.transfers,
        "wallets": result.wallets,
        "seconds": round(seconds, 3),
        "transfers_per_second": round(result.transfers / seconds),
        "wrong": [dataclasses.asdict(finding) for finding in findings],
        "suspense": [
            {
                "order": ids.show(ids.ORDER, order) if order else None,
                "amount": money.text(amount),
                "since": at.isoformat(),
            }
            for _, order, amount, at in suspense
        ],
    }
    if findings:
        lines = [f"{f.account} {f.row}: {f.problem}".lstrip() for f in findings]
        raise CommandFailed("\n".join(["the books are wrong:", *lines]), value)
    session.say(
        value,
        f"The books are right: {result.transfers:,} transfers in {result.wallets:,} wallets, verified in {seconds:,.2f} s.",
    )


@contextmanager
def _progress(expected: int, *, hidden: bool) -> Iterator[Callable[[int], None]]:
    """Show how far a long verification is, on stderr."""
    from rich.console import Console
    from rich.progress import Progress

    with Progress(
        console=Console(file=sys.stderr), transient=True, disable=hidden or not sys.stderr.isatty()
    ) as bar:
        task = bar.add_task("Verifying transfers", total=expected or None)
        yield lambda done: bar.update(task, completed=done)
