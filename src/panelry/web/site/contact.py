"""A form by which anybody writes to the operator. It is stored, and staff get a letter."""

import ipaddress
from datetime import timedelta
from http import HTTPStatus
from typing import Any, Final

from django import forms
from django.conf import settings
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.crypto import salted_hmac
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from panelry import clock, peers
from panelry.database.pool import lent
from panelry.domain import letters
from panelry.domain.letters import Letter
from panelry.schema.models import User
from panelry.web.content.models import Message
from panelry.web.content.models.messages import Subject
from panelry.web.site.addresses import root
from panelry.web.site.caching import public

LONGEST_TEXT: Final = 5_000
SHORTEST_TEXT: Final = 10
WINDOW: Final = timedelta(hours=1)
MOST_FROM_ONE: Final = 5
MOST_FROM_ALL: Final = 200
MOST_READERS: Final = 10
TRAP: Final = "website"
"""A field that people do not see; whoever fills it in is a program, and is thanked for nothing."""


class Form(forms.Form):
    """What somebody writes; only its shape is looked at."""

    subject = forms.ChoiceField(choices=Subject, required=False)
    name = forms.CharField(max_length=100, required=False)
    email = forms.EmailField(
        max_length=254,
        error_messages={
            "required": gettext_lazy("Enter the address that we answer to."),
            "invalid": gettext_lazy("Enter an e-mail address such as name@example.com."),
        },
    )
    text = forms.CharField(
        min_length=SHORTEST_TEXT,
        max_length=LONGEST_TEXT,
        error_messages={
            "required": gettext_lazy("Write what this is about."),
            "min_length": gettext_lazy("Write a little more: at least %(limit_value)d characters."),
            "max_length": gettext_lazy("A message has at most %(limit_value)d characters."),
        },
    )


@csrf_exempt  # nobody has to be known to write; so reading the form sets no cookie
@require_http_methods(["GET", "HEAD", "POST"])
def contact(request: HttpRequest) -> HttpResponse:
    """Show the form, or take what was written."""
    if request.method != "POST":
        return _empty(request)
    if _is_from_elsewhere(request):
        return _shown(request, Form(), HTTPStatus.FORBIDDEN, _("This form was sent from another site."))
    form = Form(request.POST)
    if request.POST.get(TRAP):
        return redirect("contact_sent")
    if not form.is_valid():
        return _shown(request, form, HTTPStatus.UNPROCESSABLE_ENTITY)
    if not _take(request, form.cleaned_data):
        text = _("Too many messages came from your network. Wait an hour, then send this one again.")
        return _shown(request, form, HTTPStatus.TOO_MANY_REQUESTS, text)
    return redirect("contact_sent")


@public
def sent(request: HttpRequest) -> HttpResponse:
    """Say that the message arrived."""
    return render(request, "site/contact/sent.html")


@public
def _empty(request: HttpRequest) -> HttpResponse:
    return _shown(request, Form(initial={"subject": request.GET.get("about", "")}))


def _shown(
    request: HttpRequest, form: Form, status: HTTPStatus = HTTPStatus.OK, complaint: str = ""
) -> HttpResponse:
    typed = {name: form[name].value() or "" for name in form.fields}
    errors = {name: texts[0] for name, texts in form.errors.items()} if form.is_bound else {}
    shown: dict[str, Any] = {
        "typed": typed,
        "errors": errors,
        "complaint": complaint,
        "subjects": Subject.choices,
        "longest": LONGEST_TEXT,
    }
    return render(request, "site/contact/form.html", shown, status=status)


def _take(request: HttpRequest, written: dict[str, Any]) -> bool:
    """Store the message and write to staff; `False` where too many came lately."""
    origin = _origin(request)
    since = clock.now() - WINDOW
    with transaction.atomic(durable=True):
        lately = Message.objects.filter(at__gte=since)
        if (
            lately.filter(origin=origin).count() >= MOST_FROM_ONE
            or lately[:MOST_FROM_ALL].count() >= MOST_FROM_ALL
        ):
            return False
        message = Message(
            name=written["name"],
            email=written["email"],
            subject=written["subject"] or Subject.OTHER,
            text=written["text"].replace("\r\n", "\n"),
            language=get_language() or settings.LANGUAGE_CODE,
            origin=origin,
        )
        message.save()
        _tell_staff(request, message)
    return True


def _tell_staff(request: HttpRequest, message: Message) -> None:
    """Write a letter to each of the staff, in the same transaction."""
    staff = User.objects.filter(is_staff=True, is_active=True).order_by("id")
    data: dict[str, str | int | None] = {
        "number": message.pk,
        "subject": Subject(message.subject).name.lower(),
        "name": message.name or "-",
        "email": message.email,
        "language": message.language,
        "text": message.text,
        "address": f"{root(request)}/office/admin/content/message/{message.pk}/change/",
    }
    with lent(connection) as conn:
        for email in staff.values_list("email", flat=True)[:MOST_READERS]:
            reference = f"message:{message.pk}:{email}"
            letters.write(
                conn, Letter(recipient=email, template="message_received", data=data, reference=reference)
            )


def _origin(request: HttpRequest) -> str:
    """Return a keyed digest of the network that a request came from: an IPv4 address, or an IPv6 network of /64."""
    address = peers.read(request.META.get("REMOTE_ADDR") or "0.0.0.0")  # noqa: S104 (a unix socket has none)
    network = ipaddress.ip_network((address, 64 if address.version == 6 else 32), strict=False)
    return salted_hmac("panelry.web.site.contact", str(network), algorithm="sha256").hexdigest()


def _is_from_elsewhere(request: HttpRequest) -> bool:
    """Tell whether a page of another site sent the form, as browsers say."""
    origin = request.headers.get("Origin")
    return origin is not None and origin.partition("://")[2] != request.get_host()
