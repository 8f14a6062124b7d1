"""Wallets, entries and transfers (money-and-lifecycle.md, 2 Ledger). All amounts are micros."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from msgspec import Struct

from panelry.domain.accounts import AccountId
from panelry.domain.money import ZERO, Micros
from panelry.domain.refusals import OperatorRefusal, Refusal

WALLET: Final = "wallet"
SALES: Final = "sales"
COUPON: Final = "coupon"
BONUS: Final = "bonus"
ADJUSTMENT: Final = "adjustment"
FEE: Final = "fee"
SUSPENSE: Final = "suspense"
GENESIS: Final = bytes(32)
"""The head of a wallet that has no transfers yet."""


def deposit(gateway: str) -> str:
    """Name the book of the money that came in by one gateway."""
    return f"deposit:{gateway}"


class Wallet(Struct, frozen=True, kw_only=True, gc=False):
    """One account's money: what it holds, how many transfers made it, the hash of the last one.

    Its owner is told when it falls below `low_balance_micros`, where that is set.
    """

    account_id: AccountId
    balance_micros: Micros = ZERO
    version: int = 0
    head: bytes = GENESIS
    low_balance_micros: Micros | None = None


class Entry(Struct, frozen=True, kw_only=True, gc=False):
    """Money to move between the wallet and one other book.

    `reference`, where given, makes the entry idempotent: the database takes it once per account. Entries of one act
    share `posting`.
    """

    posting: UUID
    source: str
    target: str
    amount_micros: Micros
    reason: str
    actor: str
    order_id: UUID | None = None
    reference: str | None = None


class Transfer(Struct, frozen=True, kw_only=True, gc=False):
    """An entry as written: its place in the wallet's chain, the balance after it, and the chain's hash up to it."""

    account_id: AccountId
    version: int
    entry: Entry
    balance_micros: Micros
    at: datetime
    hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something in the books that is wrong, named so that a person finds the row."""

    account: str
    row: str
    problem: str


class InsufficientBalance(Refusal):
    """It was refused because the wallet does not hold that much."""


class WalletFull(OperatorRefusal):
    """It was refused because no wallet can hold that much."""


class AmountNotPositive(OperatorRefusal):
    """It was refused because the amount is not above zero."""


class ReferenceReused(OperatorRefusal):
    """It was refused because this reference was already booked with another amount or from another book."""
