"""The entrance: health, readiness and what is neither."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from books import Stored
from doors import serving
from outages import hang_up_all

from panelry.database import health
from panelry.settings import Settings

READY = (200, {"status": "ready"})


@pytest.fixture
def fresh_settings(settings: Settings, fresh_database: str) -> Settings:
    return replace(settings, database_url=fresh_database)


def test_a_server_is_healthy_and_ready(fresh_settings: Settings) -> None:
    with serving(fresh_settings) as server:
        assert server.get("/healthz") == (200, {"status": "ok"})
        assert server.get("/readyz") == READY
        assert server.get("/readyz?x=1") == READY
        for path in ("/", "/readyz/", "/health", "/admin", "/office/"):
            assert server.get(path) == (404, {"error": "Not found"})


def test_missing_migrations_are_not_ready(fresh_settings: Settings, fresh_stored: Stored) -> None:
    with fresh_stored() as given:
        given.conn.execute("DELETE FROM django_migrations WHERE app = 'schema' AND name LIKE '0002%'")
    with serving(fresh_settings) as server:
        expected = (503, {"status": "migrations are missing: run panelry migrate"})
        assert server.get("/readyz") == expected
        assert server.get("/healthz")[0] == 200


def test_a_required_engine_must_be_alive(fresh_settings: Settings, fresh_stored: Stored) -> None:
    asleep = (503, {"status": "no engine is at work"})
    with serving(fresh_settings, with_engine=True) as server:
        assert server.get("/readyz") == asleep
        with fresh_stored() as given:
            health.beat(given.conn)
        assert server.get("/readyz") == READY
        with fresh_stored() as given:
            given.conn.execute("UPDATE panel SET engine_seen_at = clock_now() - interval '11 seconds'")
        assert server.get("/readyz") == asleep


def test_an_engine_that_nobody_requires_may_sleep(fresh_settings: Settings) -> None:
    with serving(fresh_settings) as server:
        assert server.get("/readyz") == READY


def test_readiness_survives_connections_that_were_dropped(fresh_settings: Settings) -> None:
    assert fresh_settings.database_url is not None
    with serving(fresh_settings) as server:
        for _ in range(3):
            assert server.get("/readyz") == READY
            assert hang_up_all(fresh_settings.database_url) > 0


def test_an_unreachable_database_is_not_ready_and_yet_healthy(
    fresh_settings: Settings,
) -> None:
    nowhere = replace(fresh_settings, database_url="host=/nowhere dbname=panelry")
    with serving(nowhere) as server, ThreadPoolExecutor(20) as threads:
        asked = [threads.submit(server.get, "/readyz") for _ in range(20)]
        assert server.get("/healthz") == (200, {"status": "ok"})
        expected = (503, {"status": "the database cannot be reached"})
        assert [answer.result(9) for answer in asked] == [expected] * 20
