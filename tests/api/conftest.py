"""Customers, services and doors for tests of the API. What the API sees must be committed."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from books import Books, Stored
from doors import Door, Server, serving

from given import Customer, Given
from panelry import settings as panelry_settings
from panelry.database.pool import Pool
from panelry.domain.catalog import ServiceId


@pytest.fixture
def stored(pool: Pool) -> Stored:
    """Return a way to build state that is committed."""
    return _stored(pool)


@pytest.fixture
def fresh_stored(fresh_pool: Pool) -> Stored:
    """Return a way to build state in a database that the test has for itself."""
    return _stored(fresh_pool)


def _stored(pool: Pool) -> Stored:
    @contextmanager
    def build() -> Iterator[Given]:
        with pool.transaction() as conn:
            yield Given(conn)

    return build


@pytest.fixture(scope="session")
def door(pool: Pool) -> Iterator[Door]:
    door = Door(pool)
    yield door
    door.close()


@pytest.fixture
def fresh_door(fresh_pool: Pool) -> Iterator[Door]:
    door = Door(fresh_pool)
    yield door
    door.close()


@pytest.fixture(scope="session")
def server(database: str) -> Iterator[Server]:
    with serving(replace(panelry_settings.load(), limits=False)) as server:
        yield server


@pytest.fixture(scope="session")
def service(pool: Pool) -> ServiceId:
    """Put a service on sale at 1.00 per 1,000, from 10 to 1,000,000."""
    with pool.transaction() as conn:
        return Given(conn).service()


@pytest.fixture
def customer(stored: Stored) -> Customer:
    """Make a customer with 100.00 in the wallet."""
    with stored() as given:
        return given.customer("100")


@pytest.fixture(scope="session")
def books(pool: Pool) -> Books:
    return Books(pool)


@pytest.fixture
def order(customer: Customer, service: ServiceId) -> dict[str, str]:
    """Return the fields of a good order of 100 units; it costs 0.10."""
    return {
        "key": customer.key, "action": "add", "service": str(service), "link": "https://example.com/post",
        "quantity": "100", "request_id": "r-1",
    }  # fmt: skip
