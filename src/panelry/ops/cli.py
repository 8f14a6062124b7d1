"""The command line (docs/operators/commands.md). Each command imports what it needs only when it runs."""

import sys

import typer

from panelry.ops.commands import (
    accounts,
    bench,
    books,
    catalog,
    coupons,
    deliveries,
    keys,
    orders,
    prices,
    processes,
    providers,
    routes,
    service,
    tiers,
    webhooks,
)

WRONG_USAGE = 2

app = typer.Typer(
    name="panelry",
    help="A self-hosted panel for people who resell digital services.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
processes.add_to(app)
app.add_typer(accounts.app, name="account")
app.add_typer(keys.app, name="key")
app.add_typer(tiers.app, name="tier")
app.add_typer(webhooks.app, name="webhook")
deliveries.add_to(webhooks.app)
app.add_typer(providers.app, name="provider")
app.add_typer(catalog.app, name="catalog")
prices.add_to(catalog.app)
app.add_typer(service.app, name="service")
app.add_typer(routes.app, name="route")
app.add_typer(coupons.app, name="coupon")
app.add_typer(orders.app, name="order")
app.add_typer(orders.submission, name="submission")
app.add_typer(books.app, name="ledger")
app.add_typer(bench.app, name="bench")
orders.add_to(app)


def main() -> None:
    """Run the command line; with `--json` also wrong usage is answered with one document."""
    try:
        app()
    except SystemExit as ended:
        if ended.code == WRONG_USAGE and "--json" in sys.argv:
            sys.stdout.write('{"error": "wrong usage"}\n')
        raise
