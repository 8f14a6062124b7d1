"""What the database itself refuses, asked by plain SQL (money-and-lifecycle.md, 2 Ledger)."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg import sql
from psycopg.types.json import Jsonb

from given import Customer, Given
from panelry.database.pool import Conn
from panelry.domain import ids
from panelry.domain.orders import OrderId, Tracked
from panelry.domain.providers import ProviderId

REFUSED = psycopg.errors.IntegrityError


@dataclass(frozen=True, slots=True)
class World:
    """One customer with a deposit, an order that was accepted, and one that waits."""

    given: Given
    customer: Customer
    provider: ProviderId
    order: OrderId
    waiting: OrderId
    tracked: Tracked

    @property
    def conn(self) -> Conn:
        return self.given.conn

    def run(self, statement: str, **parameters: object) -> None:
        known = {"account": self.customer.account, "order": self.order, "waiting": self.waiting}
        self.conn.execute(statement.encode(), {**known, "provider": self.provider, **parameters})

    def copy(self, table: str, key: str, value: UUID, **changes: object) -> None:
        """Insert a copy of one row with some columns changed."""
        cursor = self.conn.execute(
            sql.SQL("SELECT * FROM {} WHERE account_id = %s AND {} = %s LIMIT 1").format(
                sql.Identifier(table), sql.Identifier(key)
            ),
            [self.customer.account, value],
        )
        assert cursor.description is not None
        [found] = cursor.fetchall()
        row: dict[str, Any] = dict(zip([c.name for c in cursor.description], found, strict=True))
        for column, field in row.items():
            if isinstance(field, dict | list):
                row[column] = Jsonb(field)
        row |= changes
        self.conn.execute(
            sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
                sql.Identifier(table),
                sql.SQL(", ").join(map(sql.Identifier, row)),
                sql.SQL(", ").join(map(sql.Placeholder, row)),
            ),
            row,
        )

    def transfer(self, **changes: object) -> None:
        """Insert a transfer that would be in order but for the changes."""
        row = {"version": 99, "reference": None, "order_id": None, "source": "wallet", "target": "sales"}
        self.copy("transfers", "order_id", self.order, **(row | changes))


@pytest.fixture
def world(given: Given) -> World:
    provider = given.provider()
    service = given.service(provider)
    customer = given.customer()
    given.deposit(customer.account, "10", reference="first")
    order = given.placed(customer, service)
    tracked = given.accepted(provider)
    waiting = given.placed(customer, service)
    given.conn.execute("SET CONSTRAINTS ALL IMMEDIATE")
    return World(given, customer, provider, order, waiting, tracked)


@contextmanager
def refused(by: str) -> Iterator[None]:
    """Expect that a constraint with this name, or a guard that says this, refuses."""
    with pytest.raises(REFUSED) as caught:
        yield
    assert by in (caught.value.diag.constraint_name or str(caught.value)), caught.value


# Wallets and transfers


def test_a_transfer_in_order_is_taken(world: World) -> None:
    world.transfer()
    world.transfer(version=100, source="deposit:card", target="wallet")


def test_a_wallet_never_goes_below_zero(world: World) -> None:
    with refused("wallet_is_never_negative"):
        world.run("UPDATE wallets SET balance_micros = -1 WHERE account_id = %(account)s")


def test_an_account_has_one_wallet(world: World) -> None:
    with refused("wallets_pkey"):
        world.run("INSERT INTO wallets SELECT * FROM wallets WHERE account_id = %(account)s")


def test_a_transfer_never_leaves_a_negative_balance(world: World) -> None:
    with refused("transfer_balance_is_never_negative"):
        world.transfer(balance_micros=-1)


@pytest.mark.parametrize("amount", [0, -1, -(2**63)])
def test_a_transfer_moves_more_than_nothing(world: World, amount: int) -> None:
    with refused("transfer_amount_is_positive"):
        world.transfer(amount_micros=amount)


def test_a_transfer_has_two_different_books(world: World) -> None:
    with pytest.raises(REFUSED):
        world.transfer(source="wallet", target="wallet")


def test_a_transfer_between_two_house_books_is_refused(world: World) -> None:
    with refused("transfer_has_one_wallet"):
        world.transfer(source="sales", target="bonus")


@pytest.mark.parametrize(
    "book", ["", "Sales", "wallets", "deposit", "deposit:", "xdeposit:card", "sales ", "profit"]
)
@pytest.mark.parametrize("side", ["source", "target"])
def test_a_book_that_nobody_knows_is_refused(world: World, side: str, book: str) -> None:
    other = {"source": "target", "target": "source"}[side]
    with refused("transfer_books_are_known"):
        world.transfer(**{side: book, other: "wallet"})


def test_a_second_transfer_with_the_same_version_is_refused(world: World) -> None:
    with refused("transfers_pkey"):
        world.transfer(version=1)


@pytest.mark.parametrize("version", [0, -1])
def test_versions_begin_at_one(world: World, version: int) -> None:
    with refused("version"):
        world.transfer(version=version)


def test_a_reference_is_booked_once(world: World) -> None:
    with refused("transfer_reference_is_used_once"):
        world.transfer(reference="first")


def test_another_account_may_use_the_same_reference(world: World) -> None:
    other = world.given.customer("1")
    world.transfer(account_id=other.account, reference="first")


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_hash_has_32_bytes(world: World, length: int) -> None:
    with refused("hash"):
        world.transfer(hash=bytes(length))


@pytest.mark.parametrize(
    "column",
    ["account_id", "posting", "source", "target", "amount_micros", "balance_micros", "reason", "actor", "at", "hash"],
)  # fmt: skip
def test_nothing_that_a_transfer_says_may_be_missing(world: World, column: str) -> None:
    with refused(""):
        world.transfer(**{column: None})


@pytest.mark.parametrize("table", ["transfers", "events"])
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE {} SET actor = 'x'",
        "UPDATE {} SET actor = actor WHERE account_id = %(account)s",
        "UPDATE {} SET actor = 'x' WHERE false",
        "DELETE FROM {}",
        "DELETE FROM {} WHERE false",
        "DELETE FROM {} WHERE account_id = %(account)s",
        "TRUNCATE {} CASCADE",
    ],
)
def test_what_was_booked_or_told_never_changes_not_even_where_no_row_matches(
    world: World, table: str, statement: str
) -> None:
    with refused("is refused: its rows never change"):
        world.run(statement.format(table))


@pytest.mark.parametrize("table", ["accounts", "providers", "services", "routes"])
@pytest.mark.parametrize("statement", ["DELETE FROM {}", "DELETE FROM {} WHERE false", "TRUNCATE {} CASCADE"])
def test_what_orders_and_transfers_name_never_goes_away(world: World, table: str, statement: str) -> None:
    with refused("is refused: orders and transfers name its rows"):
        world.run(statement.format(table))


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO transfers SELECT * FROM transfers ON CONFLICT (account_id, version) DO UPDATE SET actor = 'x'",
        "INSERT INTO events SELECT * FROM events ON CONFLICT (account_id, subject, sequence) DO UPDATE SET actor = 'x'",
        "MERGE INTO transfers t USING wallets w ON t.account_id = w.account_id WHEN MATCHED THEN UPDATE SET actor = 'x'",
        "MERGE INTO events e USING orders o ON e.subject = o.id WHEN MATCHED THEN DELETE",
    ],
)
def test_no_other_kind_of_statement_can_change_them_either(world: World, statement: str) -> None:
    with refused("is refused: its rows never change"):
        world.run(statement)


# Orders


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE orders SET refunded_micros = -1 WHERE id = %(order)s",
        "UPDATE orders SET refunded_micros = charge_micros + 1 WHERE id = %(order)s",
    ],
)
def test_refunds_stay_within_the_charge(world: World, statement: str) -> None:
    with refused("order_refunds_stay_within_the_charge"):
        world.run(statement)


def test_a_second_order_with_the_same_request_id_is_refused(world: World) -> None:
    with refused("order_request_id_is_used_once"):
        world.copy("orders", "id", world.order, id=ids.new())


def test_another_account_may_use_the_same_request_id(world: World) -> None:
    world.copy("orders", "id", world.order, id=ids.new(), account_id=world.given.customer().account)


@pytest.mark.parametrize("request_id", ["", "x" * 129])
def test_a_request_id_has_1_to_128_characters(world: World, request_id: str) -> None:
    with refused("request_id"):
        world.copy("orders", "id", world.order, id=ids.new(), request_id=request_id)


@pytest.mark.parametrize("state", ["", "Pending", "canceled", "done"])
def test_an_order_has_a_known_state(world: World, state: str) -> None:
    with refused("order_state_is_known"):
        world.run("UPDATE orders SET state = %(state)s WHERE id = %(order)s", state=state)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE orders SET remains = -1 WHERE id = %(order)s",
        "UPDATE orders SET remains = quantity + 1 WHERE id = %(order)s",
    ],
)
def test_what_remains_stays_within_the_quantity(world: World, statement: str) -> None:
    with refused("order_remains_within_the_quantity"):
        world.run(statement)


@pytest.mark.parametrize("quantity", [0, -1])
def test_an_order_is_for_something(world: World, quantity: int) -> None:
    with refused("order_"):
        world.run("UPDATE orders SET quantity = %(quantity)s WHERE id = %(order)s", quantity=quantity)


@pytest.mark.parametrize("state", ["completed", "partial", "cancelled", "refunded"])
def test_an_order_in_an_end_state_has_ended_at_some_time(world: World, state: str) -> None:
    with refused("order_is_finished_in_an_end_state"):
        world.run("UPDATE orders SET state = %(state)s WHERE id = %(order)s", state=state)


@pytest.mark.parametrize("state", ["pending", "processing", "in_progress"])
def test_an_order_that_goes_on_has_not_ended(world: World, state: str) -> None:
    with refused("order_is_finished_in_an_end_state"):
        world.run(
            "UPDATE orders SET state = %(state)s, finished_at = now() WHERE id = %(order)s", state=state
        )


def test_a_charge_is_never_negative(world: World) -> None:
    with refused("order"):
        world.run("UPDATE orders SET charge_micros = -1, refunded_micros = 0 WHERE id = %(order)s")


# Submissions and costs


@pytest.mark.parametrize("state", ["sending", "unknown", "quarantined"])
def test_an_order_has_one_live_submission(world: World, state: str) -> None:
    with refused("submission_is_the_only_live_one"):
        world.copy("submissions", "order_id", world.order, id=ids.new(), state=state, upstream_id=None)


def test_an_order_is_accepted_once(world: World) -> None:
    with refused("submission_is_the_only_live_one"):
        world.copy("submissions", "order_id", world.order, id=ids.new(), upstream_id="another")


@pytest.mark.parametrize("state", ["not_sent", "rejected", "postponed"])
def test_an_order_may_have_had_any_number_of_attempts_that_came_to_nothing(world: World, state: str) -> None:
    for _ in range(3):
        world.copy("submissions", "order_id", world.order, id=ids.new(), state=state, upstream_id=None)


def test_a_providers_order_is_ours_once(world: World) -> None:
    with refused("submission_upstream_id_is_ours_once"):
        world.copy("submissions", "order_id", world.order, id=ids.new(), order_id=world.waiting)


def test_two_providers_may_use_the_same_id(world: World) -> None:
    other = world.given.provider()
    world.copy(
        "submissions", "order_id", world.order, id=ids.new(), order_id=world.waiting, provider_id=other
    )


@pytest.mark.parametrize("state", ["", "prepared", "lost"])
def test_a_submission_has_a_known_state(world: World, state: str) -> None:
    with refused("submission_state_is_known"):
        world.copy("submissions", "order_id", world.order, id=ids.new(), state=state, upstream_id=None)


def test_an_accepted_submission_has_an_upstream_id_and_no_other_has(world: World) -> None:
    for state, upstream_id in (("accepted", None), ("unknown", "17")):
        with refused("submission_accepted_has_an_upstream_id"), world.conn.transaction():
            world.copy(
                "submissions", "order_id", world.order, id=ids.new(), state=state, upstream_id=upstream_id
            )


def test_a_submission_belongs_to_an_order_of_the_same_account(world: World) -> None:
    other = world.given.customer()
    with refused("submissions_account_id_order_id_fkey"):
        world.copy(
            "submissions",
            "order_id",
            world.order,
            id=ids.new(),
            account_id=other.account,
            upstream_id="another",
        )


def test_a_submission_costs_once_and_never_less_than_nothing(world: World) -> None:
    submission = world.tracked.submission_id
    with refused("provider_costs_pkey"), world.conn.transaction():
        world.copy("provider_costs", "submission_id", submission)
    with refused("expected_micros"), world.conn.transaction():
        world.run("UPDATE provider_costs SET expected_micros = -1")
    with refused("charged_micros"), world.conn.transaction():
        world.run("UPDATE provider_costs SET charged_micros = -1")


# Events


def test_a_second_event_with_the_same_sequence_is_refused(world: World) -> None:
    with refused("events_pkey"):
        world.copy("events", "subject", world.order, id=ids.new())


def test_sequences_begin_at_one(world: World) -> None:
    with refused("sequence"):
        world.copy("events", "subject", world.order, id=ids.new(), sequence=0)
