"""Letters in words."""

from datetime import UTC, datetime
from email.headerregistry import Address
from pathlib import Path
from typing import Final

import pytest

from panelry import mail
from panelry.domain import ids
from panelry.domain.letters import Claimed, LetterId

SENDER: Final = Address(display_name="The panel", addr_spec="panel@example.com")
AT: Final = datetime(2026, 11, 22, 3, 4, 5, tzinfo=UTC)
WEBHOOK: Final = {
    "url": "https://hooks.example.com/in?a=$b",
    "webhook": "whk_01KAP4B6Z2X3V8T9QWERTY0ABC",
    "reason": "failing",
    "since": "2026-11-17T03:04:05Z",
    "last_result": "500 Internal Server Error",
}
DATA: Final = {
    "webhook_disabled": WEBHOOK,
    "tier_reached": {"tier": "Reseller", "discount": "3", "per_minute": 1000},
    "message_received": {
        "number": 7,
        "subject": "order",
        "name": "Ada",
        "email": "ada@example.com",
        "language": "tr",
        "text": "Where is my order?",
        "address": "https://panel.example/office/admin/content/message/7/change/",
    },
}
TEMPLATES: Final = Path(mail.__file__).parent / "templates"


def letter(template: str, **data: str | int | None) -> Claimed:
    return Claimed(
        id=LetterId(ids.new()),
        recipient="owner@example.com",
        template=template,
        data=data or DATA[template],  # type: ignore[arg-type]
        attempt=1,
    )


def test_each_template_has_an_example_here() -> None:
    assert {path.stem for path in TEMPLATES.glob("*.txt")} == DATA.keys()


@pytest.mark.parametrize("template", DATA)
def test_a_letter_has_a_subject_a_body_and_nothing_left_to_fill_in(template: str) -> None:
    message = mail.compose(letter(template), sender=SENDER, at=AT)
    assert message["To"] == "owner@example.com"
    assert message["From"] == "The panel <panel@example.com>"
    assert message["Date"] == "Sun, 22 Nov 2026 03:04:05 +0000"
    assert message["Subject"]
    body = message.get_content()
    assert body.startswith("Hello,")
    assert "$" not in body.replace(WEBHOOK["url"], "")


def test_a_letter_about_a_webhook_says_which_and_why() -> None:
    body = mail.compose(letter("webhook_disabled"), sender=SENDER, at=AT).get_content()
    for said in (WEBHOOK["url"], WEBHOOK["webhook"], "for five days", "500 Internal Server Error"):
        assert said in body
    gone = mail.compose(letter("webhook_disabled", **(WEBHOOK | {"reason": "gone"})), sender=SENDER, at=AT)
    assert "410 Gone" in gone.get_content()


def test_a_tier_without_a_discount_promises_none() -> None:
    said = {"tier": "Agency", "per_minute": 5000}
    with_discount = mail.compose(letter("tier_reached", **said, discount="7.5"), sender=SENDER, at=AT)
    without = mail.compose(letter("tier_reached", **said, discount="0.00"), sender=SENDER, at=AT)
    assert "7.5 % less" in with_discount.get_content()
    assert "%" not in without.get_content()


def test_a_letter_that_is_sent_again_is_the_same_to_its_reader() -> None:
    one = letter("tier_reached")
    first, second = (mail.compose(one, sender=SENDER, at=AT) for _ in range(2))
    other = mail.compose(letter("tier_reached"), sender=SENDER, at=AT)
    assert first["Message-ID"] == second["Message-ID"] != other["Message-ID"]
    assert first["Message-ID"].endswith("@example.com>")


def test_no_data_of_others_becomes_a_header() -> None:
    data = WEBHOOK | {"url": "https://x.example/\r\nBcc: all@example.com\r\n\r\nhello"}
    message = mail.compose(letter("webhook_disabled", **data), sender=SENDER, at=AT)
    assert message["Bcc"] is None
    assert b"\nBcc" not in message.as_bytes().partition(b"\n\n")[0]
