"""Puts letters into words: a template's first line is the subject, the rest the body."""

from collections.abc import Callable, Mapping
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from string import Template
from typing import Final

from panelry.domain import ids
from panelry.domain.letters import Claimed

LETTER: Final = "let_"
_TEMPLATES: Final = Path(__file__).parent / "templates"
_WHY: Final = {
    "gone": "it answered 410 Gone, which asks us to stop",
    "failing": "none of our attempts has succeeded for five days",
}
Data = Mapping[str, str | int | None]


def compose(letter: Claimed, *, sender: Address, at: datetime) -> EmailMessage:
    """Return a letter as it is sent: plain text, and with the same Message-ID whenever it is sent again."""
    subject, _, body = Template(_template(letter.template)).substitute(_words(letter)).partition("\n")
    message = EmailMessage()
    message["From"] = sender
    message["To"] = letter.recipient
    message["Subject"] = subject
    message["Date"] = format_datetime(at)
    message["Message-ID"] = f"<{ids.show(LETTER, letter.id)}@{sender.domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(body.lstrip("\n"))
    return message


def _template(name: str) -> str:
    return (_TEMPLATES / f"{name}.txt").read_text(encoding="utf-8")


def _words(letter: Claimed) -> dict[str, str]:
    plain = {name: "" if value is None else str(value) for name, value in letter.data.items()}
    more = _MORE.get(letter.template)
    return plain | (more(letter.data) if more else {})


def _about_webhook(data: Data) -> dict[str, str]:
    return {"why": _WHY.get(str(data["reason"]), str(data["reason"]))}


def _about_tier(data: Data) -> dict[str, str]:
    discount = str(data["discount"])
    return {"gain": "" if float(discount) == 0 else f", and every service costs {discount} % less"}


_MORE: Final[Mapping[str, Callable[[Data], dict[str, str]]]] = {
    "webhook_disabled": _about_webhook,
    "tier_reached": _about_tier,
}
"""What some templates are told beside the letter's own data."""
