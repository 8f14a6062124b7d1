"""Whose page it is, and what every page shows of the account."""

from typing import Any

from django.http import Http404, HttpRequest

from panelry.domain.accounts import AccountId, AccountState
from panelry.schema.models import Account, User


def owner(request: HttpRequest) -> AccountId:
    """Return the account of the person who signed in. Raises `Http404` for those who have none."""
    assert isinstance(request.user, User)
    if request.user.account_id is None:
        raise Http404
    return AccountId(request.user.account_id)


def standing(account_id: AccountId) -> dict[str, Any]:
    """Return the account, whether it may act, its balance, and how many transfers made that."""
    account = Account.objects.select_related("tier", "wallet").get(id=account_id)
    wallet = getattr(account, "wallet", None)
    return {
        "account": account,
        "active": account.state == AccountState.ACTIVE,
        "balance_micros": wallet.balance_micros if wallet else 0,
        "transfers": wallet.version if wallet else 0,
    }
