"""All orders of an account, by the page: in one state, or found by an id or a part of their link."""

from dataclasses import replace
from typing import Any, Final

from django.contrib.auth.decorators import login_required
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from panelry.database.pool import lent
from panelry.domain import orders as business
from panelry.domain.accounts import AccountId
from panelry.domain.orders import OrderState
from panelry.web.components import Tab
from panelry.web.dashboard import history
from panelry.web.dashboard.account import owner, standing
from panelry.web.dashboard.history import Page, Question
from panelry.web.words import STATES, counted

MOST_COUNTED: Final = 1_000
LONGEST_SEARCH: Final = 500


@login_required
@never_cache
@require_http_methods(["GET", "HEAD"])
def orders(request: HttpRequest) -> HttpResponse:
    """List the account's orders."""
    account_id = owner(request)
    question = Question.read(request.GET)
    page = history.page(account_id, question)
    tabs = _tabs(question, {} if question.text else _counts(account_id))
    shown = {
        **standing(account_id),
        "question": question,
        "page": page,
        "lines": page.lines,
        "tabs": tabs,
        "of": next(tab.count for tab in tabs if tab.is_current),
        "links": _links(question, page),
        "longest": LONGEST_SEARCH,
    }
    return render(request, "dashboard/orders/list.html", shown)


def _counts(account_id: AccountId) -> dict[OrderState, int]:
    with transaction.atomic(), lent(connection) as conn:
        return business.counts(conn, account_id, most=MOST_COUNTED)


def _tabs(question: Question, counts: dict[OrderState, int]) -> list[Tab]:
    states: list[OrderState | None] = [None, *OrderState]
    return [
        Tab(
            title=STATES[state] if state else _("All"),
            address=replace(question.top, state=state).address,
            count=_count([counts[one] for one in ([state] if state else OrderState)]) if counts else "",
            is_current=state == question.state,
        )
        for state in states
    ]


def _count(counts: list[int]) -> str:
    """Write how many there are in all: exactly, where each of them was counted to its end."""
    return f"{counted(MOST_COUNTED)}+" if max(counts) >= MOST_COUNTED else counted(sum(counts))


def _links(question: Question, page: Page) -> dict[str, Any]:
    """Return the addresses of other pages of the same list, those left out that there are not."""
    top = question.top
    links = {
        "newest": top if page.newer or question.older else None,
        "newer": replace(top, newer=page.newer) if page.newer else None,
        "older": replace(top, older=page.older) if page.older else None,
        "oldest": replace(top, oldest=True) if page.older and not question.text else None,
    }
    return {name: link.address for name, link in links.items() if link}
