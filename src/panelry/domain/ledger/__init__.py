"""The ledger: two-sided transfers between a customer's wallet and the house's books, chained by hashes."""

from panelry.domain.ledger.operations import credit, lock, store, transfer, wallets_from
from panelry.domain.ledger.queries import Verification, balances, expected_transfers, now, suspense, verify
from panelry.domain.ledger.rules import post
from panelry.domain.ledger.values import (
    ADJUSTMENT,
    BONUS,
    COUPON,
    FEE,
    SALES,
    SUSPENSE,
    WALLET,
    AmountNotPositive,
    Entry,
    Finding,
    InsufficientBalance,
    ReferenceReused,
    Transfer,
    Wallet,
    deposit,
)

__all__ = [
    "ADJUSTMENT",
    "BONUS",
    "COUPON",
    "FEE",
    "SALES",
    "SUSPENSE",
    "WALLET",
    "AmountNotPositive",
    "Entry",
    "Finding",
    "InsufficientBalance",
    "ReferenceReused",
    "Transfer",
    "Verification",
    "Wallet",
    "balances",
    "credit",
    "deposit",
    "expected_transfers",
    "lock",
    "now",
    "post",
    "store",
    "suspense",
    "transfer",
    "verify",
    "wallets_from",
]
