"""The command line (docs/operators/commands.md). Each command imports what it needs only when it runs."""

import typer

from panelry.ops.commands import accounts, books, catalog, orders, processes, providers

app = typer.Typer(
    name="panelry",
    help="A self-hosted panel for people who resell digital services.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
processes.add_to(app)
app.add_typer(accounts.account, name="account")
app.add_typer(accounts.key, name="key")
app.add_typer(providers.app, name="provider")
app.add_typer(catalog.app, name="catalog")
app.add_typer(orders.app, name="order")
app.add_typer(books.app, name="ledger")
orders.add_to(app)


def main() -> None:
    """Run the command line."""
    app()
