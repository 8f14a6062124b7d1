"""Django on the tests' database, and browsers in front of it. What they see must be committed."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from browsers import Login, Stored, signed_in
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.db import connection, connections
from django.test import Client
from psycopg.conninfo import conninfo_to_dict

from given import Customer, Given
from panelry.database.pool import Pool
from panelry.domain.catalog import ServiceId


@pytest.fixture(scope="session")
def pages(database: str) -> None:
    """Let Django read this worker's database, whichever it was set up for when its settings were first read."""
    connections["default"].close()
    parts = {"NAME": "dbname", "USER": "user", "PASSWORD": "password", "HOST": "host", "PORT": "port"}
    found = conninfo_to_dict(database)
    connections.settings["default"] |= {ours: str(found.get(theirs) or "") for ours, theirs in parts.items()}


@pytest.fixture
def client(pages: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """Return a browser that nobody has signed in with; nobody has tried too often either."""
    from panelry.web import brand

    cache.clear()
    monkeypatch.setattr(brand, "KEPT_SECONDS", 3600.0)  # what counts queries is not to depend on the clock
    brand.current()
    yield Client(HTTP_HOST="localhost")
    connection.close()


@pytest.fixture
def stored(pool: Pool) -> Stored:
    """Return a way to build state that is committed."""

    @contextmanager
    def build() -> Iterator[Given]:
        with pool.transaction() as conn:
            yield Given(conn)

    return build


@pytest.fixture
def customer(stored: Stored) -> Customer:
    with stored() as given:
        return given.customer("100")


@pytest.fixture
def service(stored: Stored) -> ServiceId:
    with stored() as given:
        return given.service(rate="2.50", minimum=10, maximum=5_000)


@pytest.fixture
def customer_login(client: Client) -> Login:
    """Return a way to sign a customer in."""

    def sign_in(customer: Customer) -> Client:
        return signed_in(client, customer.email)

    return sign_in


@pytest.fixture
def staff(client: Client, stored: Stored) -> Client:
    """Return a browser that a staff member has signed in with."""
    with stored() as given:
        customer = given.customer()
    get_user_model().objects.filter(email=customer.email).update(is_staff=True)
    return signed_in(client, customer.email)
