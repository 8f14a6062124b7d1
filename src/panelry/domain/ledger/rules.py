"""How an entry changes a wallet, and what binds each transfer to all that came before it."""

import hashlib
import struct
from datetime import UTC, datetime, timedelta
from typing import Final

from panelry.domain.ledger.values import WALLET, Entry, InsufficientBalance, Transfer, Wallet, WalletFull
from panelry.domain.money import LARGEST, Micros

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_FIXED: Final = struct.Struct(">16sqqqq16s?16s")
_NO_ORDER: Final = bytes(16)


def post(wallet: Wallet, entry: Entry, *, at: datetime) -> tuple[Wallet, Transfer]:
    """Apply one entry. Raises `InsufficientBalance` or `WalletFull` rather than leave what a wallet can hold."""
    assert entry.amount_micros > 0
    assert (entry.source == WALLET) != (entry.target == WALLET)
    change = entry.amount_micros if entry.target == WALLET else -entry.amount_micros
    balance = Micros(wallet.balance_micros + change)
    if balance < 0:
        raise InsufficientBalance
    if balance > LARGEST:
        raise WalletFull
    version = wallet.version + 1
    link = chain_hash(wallet.head, wallet, version, entry, balance, at)
    transfer = Transfer(
        account_id=wallet.account_id, version=version, entry=entry, balance_micros=balance, at=at, hash=link
    )
    moved = Wallet(
        account_id=wallet.account_id,
        balance_micros=balance,
        version=version,
        head=link,
        low_balance_micros=wallet.low_balance_micros,
    )
    return moved, transfer


def fell_low(before: Wallet, after: Wallet) -> bool:
    """Tell whether what moved a wallet took it from its threshold or above to below it."""
    threshold = after.low_balance_micros
    return threshold is not None and after.balance_micros < threshold <= before.balance_micros


def chain_hash(head: bytes, wallet: Wallet, version: int, entry: Entry, balance: int, at: datetime) -> bytes:
    """Return SHA-256 of the previous hash and the canonical row: every column, unambiguously."""
    fixed = _FIXED.pack(
        wallet.account_id.bytes,
        version,
        entry.amount_micros,
        balance,
        (at - _EPOCH) // _MICROSECOND,
        entry.posting.bytes,
        entry.order_id is not None,
        entry.order_id.bytes if entry.order_id else _NO_ORDER,
    )
    source, target, reason, actor = entry.source, entry.target, entry.reason, entry.actor
    reference = "-" if entry.reference is None else "+" + entry.reference
    texts = (
        f"{len(source)}:{source}{len(target)}:{target}{len(reason)}:{reason}{len(actor)}:{actor}"
        f"{len(reference)}:{reference}"
    )
    return hashlib.sha256(head + fixed + texts.encode()).digest()
