"""A real PostgreSQL for every test: the embedded one, or Debian's with `--postgres=15`.

The first process starts the server and migrates a template; each worker of xdist has a clone of it for all its tests,
and a test that looks at the whole database gets a clone of its own.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

import servers
from given import Given
from panelry import settings as panelry_settings
from panelry.database.pool import Conn, Pool
from panelry.settings import Settings
from valkeys import Valkey

SECRET = "a secret that is only used by the tests"
_server = ExitStack()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--postgres", default="embedded", help="embedded, or a version that Debian has installed"
    )
    parser.addoption(
        "--every-effect", action="store_true", help="kill the engine at all of its effects, not only at some"
    )


def pytest_configure(config: pytest.Config) -> None:
    os.environ["PANELRY_SECRET_KEY"] = SECRET
    os.environ["PANELRY_DEVELOPMENT"] = "1"
    if hasattr(config, "workerinput"):
        _set_django_up()
        return
    data = _server.enter_context(servers.open_folder())
    os.environ["PANELRY_DATA"] = str(data)
    url = _server.enter_context(servers.running(config.getoption("--postgres"), data))
    os.environ["PANELRY_TEST_SERVER"] = url
    _create(url, "template_panelry")
    from panelry.ops.migrate import migrate

    migrate(panelry_settings.load(os.environ | {"DATABASE_URL": servers.on(url, "template_panelry")}))
    del os.environ["DATABASE_URL"]


def _set_django_up() -> None:
    """Let tests import models, as they can in the first process once it has migrated the template."""
    panelry_settings.choose_django_settings()
    import django

    django.setup()


def pytest_unconfigure(config: pytest.Config) -> None:
    _server.close()


def _create(url: str, name: str, template: str = "template0") -> None:
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')


def _clone(name: str) -> str:
    server = os.environ["PANELRY_TEST_SERVER"]
    _create(server, name, "template_panelry")
    return servers.on(server, name)


@pytest.fixture(scope="session")
def database() -> str:
    """Return the URL of a migrated database that all tests of this worker share; they never look at it as a whole."""
    url = _clone(f"shared_{uuid4().hex}")
    os.environ["DATABASE_URL"] = url
    return url


@pytest.fixture
def fresh_database() -> Iterator[str]:
    """Return the URL of a migrated database that this test has for itself."""
    with _lent_database() as url:
        yield url


@contextmanager
def _lent_database() -> Iterator[str]:
    name = f"fresh_{uuid4().hex}"
    yield _clone(name)
    with psycopg.connect(os.environ["PANELRY_TEST_SERVER"], autocommit=True) as conn:
        conn.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(scope="session")
def pool(database: str) -> Iterator[Pool]:
    pool = Pool(database, size=12)
    yield pool
    pool.close()


@pytest.fixture
def fresh_pool(fresh_database: str) -> Iterator[Pool]:
    pool = Pool(fresh_database, size=12)
    yield pool
    pool.close()


@pytest.fixture(scope="module")
def module_pool() -> Iterator[Pool]:
    """Return a pool on a database that the tests of this module have for themselves."""
    with _lent_database() as url:
        pool = Pool(url, size=12)
        yield pool
        pool.close()


@pytest.fixture
def conn(pool: Pool) -> Iterator[Conn]:
    """Lend a transaction that is rolled back after the test."""
    with pool.transaction() as conn:
        yield conn
        raise psycopg.Rollback


@pytest.fixture
def given(conn: Conn) -> Given:
    """Build state inside the test's transaction."""
    return Given(conn)


@pytest.fixture
def settings(database: str) -> Settings:
    return panelry_settings.load()


@pytest.fixture
def folder() -> Iterator[Path]:
    """Return an empty folder that every user of the machine can enter."""
    with servers.open_folder() as path:
        yield path


@pytest.fixture
def shared(folder: Path) -> Iterator[Valkey]:
    """Return a running Redis or Valkey, which a test may kill and start again."""
    server = Valkey(folder)
    server.start()
    yield server
    server.kill()
