"""Handing letters in at a real mail server."""

import asyncio
import socket
import ssl
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from pathlib import Path

import pytest

from mail.offices import certificate, office
from panelry import mail
from panelry.domain.refusals import PermanentFailure, TemporaryFailure
from panelry.settings import InvalidSetting


def letter() -> EmailMessage:
    message = EmailMessage()
    message["From"] = Address(display_name="Panel", addr_spec="panel@example.com")
    message["To"] = "owner@example.com"
    message["Subject"] = "Grüße مرحبا"
    message["Date"] = datetime(2026, 11, 22, tzinfo=UTC)
    message.set_content("Hello — İstanbul\n")
    return message


def send(url: str, *, timeout_seconds: float = 5.0) -> None:
    asyncio.run(mail.parse(url).send(letter(), timeout_seconds=timeout_seconds))


def test_a_letter_arrives_as_it_was_written() -> None:
    with office() as post:
        send(f"smtp://127.0.0.1:{post.port}")
        [got] = post.letters
    assert (got["Subject"], got["To"]) == ("Grüße مرحبا", "owner@example.com")
    assert got.get_content().strip() == "Hello — İstanbul"


def test_a_log_in_is_given_where_one_is_set() -> None:
    with office(with_passwords=True) as post:
        send(f"smtp://us%40er:right@127.0.0.1:{post.port}")
        assert post.log_ins == [("us@er", "right")]
        assert len(post.letters) == 1
        with pytest.raises(TemporaryFailure, match="535"):
            send(f"smtp://user:wrong@127.0.0.1:{post.port}")
        assert len(post.letters) == 1


@pytest.mark.parametrize(
    ("where", "answer", "failure"),
    [
        ("says", "450 mailbox busy", TemporaryFailure),
        ("says", "550 no such person", PermanentFailure),
        ("judges", "451 try later", TemporaryFailure),
        ("judges", "554 looks like spam", PermanentFailure),
    ],
)
def test_what_the_server_refuses_for_good_is_told_from_what_may_go_better(
    where: str, answer: str, failure: type[Exception]
) -> None:
    with office() as post:
        setattr(post, where, answer)
        with pytest.raises(failure, match=answer):
            send(f"smtp://127.0.0.1:{post.port}")
        assert post.letters == []


def test_a_server_whose_certificate_nobody_vouches_for_gets_neither_letter_nor_password(
    tmp_path: Path,
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate(tmp_path))
    with office(tls=context, with_passwords=True) as post:
        with pytest.raises(TemporaryFailure):
            send(f"smtp://user:right@127.0.0.1:{post.port}")
        assert (post.letters, post.log_ins) == ([], [])


def test_no_password_goes_to_another_machine_without_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("panelry.mail.server._is_this_machine", lambda _: False)
    with office(with_passwords=True) as post:
        with pytest.raises(TemporaryFailure, match="offers no TLS"):
            send(f"smtp://user:right@127.0.0.1:{post.port}")
        assert (post.letters, post.log_ins) == ([], [])
        send(f"smtp://127.0.0.1:{post.port}")
        assert len(post.letters) == 1


def test_a_server_that_is_not_there_or_says_nothing_is_tried_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(TemporaryFailure):
            send(f"smtp://127.0.0.1:{port}", timeout_seconds=0.2)
    with pytest.raises(TemporaryFailure):
        send(f"smtp://127.0.0.1:{port}")


@pytest.mark.parametrize(
    "url", ["", "mail.example.com", "http://mail.example.com", "smtp://", "smtp://mail:x", "smtp://mail/path", "smtp://mail?a=b"]
)  # fmt: skip
def test_a_setting_that_names_no_mail_server_is_refused(url: str) -> None:
    with pytest.raises(InvalidSetting, match="PANELRY_MAIL_URL"):
        mail.parse(url)


def test_ports_are_those_of_the_trade_and_the_password_is_not_shown() -> None:
    assert (mail.parse("smtp://m.example").port, mail.parse("smtps://m.example").port) == (587, 465)
    assert "hidden" not in repr(mail.parse("smtp://user:hidden@m.example"))
