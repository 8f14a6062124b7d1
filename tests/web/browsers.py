"""What the tests of pages share."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from html import unescape

from django.contrib.auth import get_user_model
from django.http import HttpResponse
from django.test import Client

from given import Customer, Given

Stored = Callable[[], AbstractContextManager[Given]]
Login = Callable[[Customer], Client]


def signed_in(client: Client, email: str) -> Client:
    """Sign somebody in without a password."""
    client.force_login(get_user_model().objects.get(email=email))
    return client


def text(answer: HttpResponse) -> str:
    """Return a page as it reads, without its tags."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", answer.content.decode())).split())


def request_id(answer: HttpResponse) -> str:
    """Return what the order form of a page carries so that it orders once."""
    [value] = re.findall(r'name="request_id" value="([^"]+)"', answer.content.decode())
    return str(value)
