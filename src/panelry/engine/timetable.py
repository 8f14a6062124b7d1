"""Everything periodic, on one screen (Procrastinate). What bears money is claimed by leases instead, not scheduled."""

from procrastinate import App, JobContext, PsycopgConnector

from panelry.engine import upkeep


def timetable(database_url: str) -> App:
    """Return the application that knows when what is done; jobs find the engine's `Desk` in their context."""
    app = App(connector=PsycopgConnector(conninfo=database_url, min_size=1, max_size=4))

    @app.periodic(cron="*/5 * * * *")
    @app.task(name="read_balances", queueing_lock="read_balances", pass_context=True)
    async def read_balances(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 (Procrastinate says when)
        await upkeep.read_balances(context.additional_context["desk"])

    @app.periodic(cron="0 * * * *")
    @app.task(name="sync_catalogues", queueing_lock="sync_catalogues", pass_context=True)
    async def sync_catalogues(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 (Procrastinate says when)
        await upkeep.sync_catalogues(context.additional_context["desk"])

    return app
