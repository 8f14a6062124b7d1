"""Everything periodic, on one screen (Procrastinate). What bears money is claimed by leases instead, not scheduled."""

from typing import Final

import structlog
from procrastinate import App, JobContext, PsycopgConnector

from panelry.engine import leases, upkeep
from panelry.engine.desk import Desk

log = structlog.get_logger()
GRACE_SECONDS: Final = 1.0


def timetable(database_url: str) -> App:
    """Return the application that knows when what is done; jobs find the engine's `Desk` in their context."""
    app = App(
        connector=PsycopgConnector(
            conninfo=database_url, min_size=1, max_size=4, timeout=5.0, kwargs={"prepare_threshold": None}
        )
    )

    @app.periodic(cron="*/5 * * * *")
    @app.task(name="read_balances", queueing_lock="read_balances", pass_context=True)
    async def read_balances(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 (Procrastinate says when)
        await upkeep.read_balances(context.additional_context["desk"])

    @app.periodic(cron="0 * * * *")
    @app.task(name="sync_catalogues", queueing_lock="sync_catalogues", pass_context=True)
    async def sync_catalogues(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 (Procrastinate says when)
        await upkeep.sync_catalogues(context.additional_context["desk"])

    @app.periodic(cron="17 4 * * *")
    @app.task(name="forget_deliveries", queueing_lock="forget_deliveries", pass_context=True)
    async def forget_deliveries(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 (Procrastinate says when)
        await upkeep.forget_deliveries(context.additional_context["desk"])

    return app


async def keep(desk: Desk) -> None:
    """Run the timetable until cancelled, and start it again when the database was away."""
    assert desk.settings.database_url is not None
    while not desk.stop.is_set():
        try:
            async with timetable(desk.settings.database_url).open_async() as app:
                await app.run_worker_async(
                    name="timetable",
                    install_signal_handlers=False,
                    listen_notify=False,  # PgBouncer knows none
                    delete_jobs="successful",
                    shutdown_graceful_timeout=GRACE_SECONDS,
                    additional_context={"desk": desk},
                )
        except Exception as error:  # noqa: BLE001 (Procrastinate has many names for a database that is away)
            log.warning("timetable_stopped", error=f"{type(error).__name__}: {error}")
        await leases.pause(leases.AFTER_A_FAILURE, desk.stop)
