"""API keys: everybody sees them, whoever gave the password lately makes, changes, rotates and revokes them.

A new value is shown in the answer to the form that asked for it and kept nowhere: not in the session, a message or an
address. A form that is sent again asks for the same key, by the id of the one to be made or by what the one to be rotated
begins with, and is told that this has happened.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any, Final, Self

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import connection, transaction
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from panelry.database.pool import lent
from panelry.domain import accounts, ids, orders, webhooks
from panelry.domain.accounts import IssuedKey, Key, KeyId
from panelry.domain.refusals import Refusal
from panelry.web.dashboard.account import owner, standing
from panelry.web.sign_in import recently_confirmed
from panelry.web.words import counted

METHODS: Final = ["GET", "HEAD", "POST"]
ANSWERS: Final[Mapping[type[Refusal], tuple[str, str | Promise]]] = {
    accounts.InvalidLabel: ("label", gettext_lazy("A label is one line of at most %(most)s characters.")),
    accounts.InvalidLimit: (
        "per_minute",
        gettext_lazy("Enter a whole number from 1 to %(most)s, or nothing."),
    ),
    accounts.TooManyKeys: (
        "form",
        gettext_lazy("%(most)s keys are active, the most that there can be. Revoke one first."),
    ),
    accounts.AccountSuspended: ("form", gettext_lazy("This account is suspended. Write to support.")),
    accounts.KeyNotFound: ("", gettext_lazy("This key was revoked meanwhile.")),
    accounts.KeyMade: (
        "",
        gettext_lazy("This key was made already, and shown once. Rotate it if you lost it."),
    ),
    accounts.KeyRotated: (
        "",
        gettext_lazy("This key was rotated already, and shown once. Rotate it again if you lost it."),
    ),
}
"""What a refusal reads like, and the field beside which it stands; where there is none, the list says it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """The fields of a key as they were typed. `key` is its id, of a new one too, so that sending it twice makes one."""

    label: str = ""
    per_minute: str = ""
    key: str = field(default_factory=lambda: ids.show(ids.KEY, ids.new()))

    @classmethod
    def read(cls, post: QueryDict) -> Self:
        """Take the fields out of a posted form."""
        entry = cls(**{name: post.get(name, "").strip() for name in ("label", "per_minute")})
        key = post.get("key", "")
        return replace(entry, key=key) if ids.parse(ids.KEY, key) else entry

    @property
    def key_id(self) -> KeyId:
        """Return the id of the key."""
        id_ = ids.parse(ids.KEY, self.key)
        assert id_ is not None
        return KeyId(id_)

    @property
    def limit(self) -> int | None:
        """Return the limit; `None` where none was entered. Raises `InvalidLimit`."""
        number = orders.positive_integer(self.per_minute) if self.per_minute else None
        if self.per_minute and number is None:
            raise accounts.InvalidLimit(most=accounts.MOST_PER_MINUTE)
        return number


@login_required
@never_cache
@require_http_methods(["GET", "HEAD"])
def keys(request: HttpRequest) -> HttpResponse:
    """List the account's keys."""
    shown = _shown(request) | {"keys": _keys(request), "most": accounts.MAX_ACTIVE_KEYS}
    return render(request, "dashboard/keys/list.html", shown)


@recently_confirmed
@never_cache
@require_http_methods(METHODS)
def create(request: HttpRequest) -> HttpResponse:
    """Make a key, and show it in the answer, once."""
    if request.method != "POST":
        return _form(request, Entry())
    entry = Entry.read(request.POST)
    try:
        with transaction.atomic(durable=True), lent(connection) as conn:
            issued = accounts.create_key(
                conn, owner(request), label=entry.label, per_minute=entry.limit, key_id=entry.key_id
            )
    except Refusal as refusal:
        return _refused(request, refusal, entry)
    return _revealed(request, entry.label, issued)


@recently_confirmed
@never_cache
@require_http_methods(METHODS)
def change(request: HttpRequest, shown_id: str) -> HttpResponse:
    """Change a key's label and limit."""
    key = _key(request, shown_id)
    if request.method != "POST":
        return _form(request, Entry(label=key.label, per_minute=str(key.per_minute or "")), key)
    entry = Entry.read(request.POST)
    try:
        with transaction.atomic(durable=True), lent(connection) as conn:
            accounts.change_key(conn, key.account_id, key.id, label=entry.label, per_minute=entry.limit)
    except Refusal as refusal:
        return _refused(request, refusal, entry, key)
    messages.success(request, _("The key %(key)s is changed.") % {"key": entry.label or key.prefix})
    return redirect("keys")


@recently_confirmed
@never_cache
@require_http_methods(METHODS)
def rotate(request: HttpRequest, shown_id: str) -> HttpResponse:
    """Give a key another value, and show it in the answer, once."""
    key = _key(request, shown_id)
    if request.method != "POST":
        return render(request, "dashboard/keys/rotate.html", _shown(request) | {"key": key})
    try:
        with transaction.atomic(durable=True), lent(connection) as conn:
            issued = accounts.rotate_key(conn, key.account_id, key.id, prefix=request.POST.get("prefix", ""))
    except Refusal as refusal:
        return _back(request, refusal)
    return _revealed(request, key.label, issued, before=key)


@recently_confirmed
@never_cache
@require_http_methods(METHODS)
def revoke(request: HttpRequest, shown_id: str) -> HttpResponse:
    """End a key."""
    key = _key(request, shown_id)
    if request.method != "POST":
        return render(request, "dashboard/keys/revoke.html", _shown(request) | {"key": key})
    try:
        with transaction.atomic(durable=True), lent(connection) as conn:
            webhooks.revoke_key(conn, key.account_id, key.id)
    except Refusal as refusal:
        return _back(request, refusal)
    messages.success(request, _("The key %(key)s is revoked.") % {"key": key.label or key.prefix})
    return redirect("keys")


def _keys(request: HttpRequest) -> list[Key]:
    with transaction.atomic(), lent(connection) as conn:
        return accounts.keys(conn, owner(request))


def _key(request: HttpRequest, shown_id: str) -> Key:
    """Return the account's own key. Raises `Http404` for all others."""
    id_ = ids.parse(ids.KEY, shown_id)
    for key in _keys(request):
        if key.id == id_:
            return key
    raise Http404


def _shown(request: HttpRequest) -> dict[str, Any]:
    return standing(owner(request)) | {"usual": accounts.KEY_PER_MINUTE}


def _form(request: HttpRequest, entry: Entry, key: Key | None = None) -> HttpResponse:
    return render(request, "dashboard/keys/form.html", _shown(request) | {"entry": entry, "key": key})


def _revealed(request: HttpRequest, label: str, issued: IssuedKey, before: Key | None = None) -> HttpResponse:
    shown = _shown(request) | {"label": label, "issued": issued, "before": before}
    return render(request, "dashboard/keys/revealed.html", shown)


def _refused(request: HttpRequest, refusal: Refusal, entry: Entry, key: Key | None = None) -> HttpResponse:
    """Show the form again with what is wrong with it, or the list where the form cannot help any more."""
    place, _words = ANSWERS[type(refusal)]
    if not place:
        return _back(request, refusal)
    shown = _shown(request) | {
        "entry": entry,
        "key": key,
        "complaint": {"field": place, "text": _said(refusal)},
    }
    return render(request, "dashboard/keys/form.html", shown, status=HTTPStatus.UNPROCESSABLE_ENTITY)


def _back(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    messages.warning(request, _said(refusal))
    return redirect("keys")


def _said(refusal: Refusal) -> str:
    details = {k: counted(v) if isinstance(v, int) else v for k, v in refusal.details.items()}
    return str(ANSWERS[type(refusal)][1]) % details
