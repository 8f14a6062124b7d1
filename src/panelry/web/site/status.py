"""The status page: how the panel is by its own measure, and what staff say about it."""

from http import HTTPStatus

from django.db import Error
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from panelry import clock
from panelry.web.content import queries
from panelry.web.content.models import Incident
from panelry.web.site import health


@require_safe
def status(request: HttpRequest) -> HttpResponse:
    """Show how everything is; 503 where that is badly."""
    measured = health.reading()
    parts, incidents = health.parts(measured), _incidents()
    now = clock.now()
    shown = {
        "at": measured.at if measured else now,
        "state": health.worst(parts),
        "parts": parts,
        "providers": health.providers(measured),
        "current": [one for one in incidents if one.ended_at is None or one.ended_at > now],
        "past": [one for one in incidents if one.ended_at is not None and one.ended_at <= now],
        "now": now,
    }
    code = HTTPStatus.OK if measured else HTTPStatus.SERVICE_UNAVAILABLE
    response = render(request, "site/status.html", shown, status=code)
    response.headers["Cache-Control"] = "no-cache"
    return response


def _incidents() -> list[Incident]:
    try:
        return queries.incidents()
    except Error:
        return []
