"""The operator's mail server: one letter, one attempt."""

from dataclasses import dataclass, field
from email.message import EmailMessage
from ipaddress import ip_address
from typing import Final
from urllib.parse import unquote, urlsplit

from aiosmtplib import (
    SMTP,
    SMTPDataError,
    SMTPException,
    SMTPRecipientRefused,
    SMTPRecipientsRefused,
    SMTPResponseException,
    SMTPSenderRefused,
)

from panelry.domain.refusals import PermanentFailure, TemporaryFailure
from panelry.settings import InvalidSetting

TIMEOUT_SECONDS: Final = 20.0
_PORTS: Final = {"smtp": 587, "smtps": 465}
_ABOUT_THE_LETTER: Final = (SMTPRecipientRefused, SMTPSenderRefused, SMTPDataError)


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """Where letters are handed in. `tls_first` means TLS from the first byte, else STARTTLS where it is offered."""

    host: str
    port: int
    tls_first: bool
    user: str = ""
    password: str = field(default="", repr=False)

    async def send(self, message: EmailMessage, *, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        """Hand in one letter. A password goes only through TLS, or to this machine itself.

        Raises `TemporaryFailure` where another attempt may go better, `PermanentFailure` where the server refused the
        letter or its reader for good.
        """
        smtp = SMTP(hostname=self.host, port=self.port, use_tls=self.tls_first, timeout=timeout_seconds)
        try:
            async with smtp:
                if self.user:
                    await self._log_in(smtp)
                await smtp.send_message(message)
        except SMTPRecipientsRefused as refused:
            [one] = refused.recipients
            raise _failure(one) from refused
        except _ABOUT_THE_LETTER as refused:
            raise _failure(refused) from refused
        except (SMTPException, OSError, ValueError) as error:
            raise TemporaryFailure(f"{type(error).__name__}: {error}".removesuffix(": ")) from error

    async def _log_in(self, smtp: SMTP) -> None:
        if smtp.get_transport_info("sslcontext") is None and not _is_this_machine(self.host):
            raise TemporaryFailure("the mail server offers no TLS, so no password is sent to it")
        await smtp.login(self.user, self.password)


def parse(url: str) -> MailServer:
    """Read `smtp://user:password@host:587` or `smtps://…:465`. Raises `InvalidSetting`."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    if parts.scheme not in _PORTS or not host or parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise InvalidSetting("PANELRY_MAIL_URL must look like smtp://user:password@mail.example.com:587")
    return MailServer(
        host=host,
        port=port or _PORTS[parts.scheme],
        tls_first=parts.scheme == "smtps",
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
    )


def _failure(refused: SMTPResponseException) -> TemporaryFailure | PermanentFailure:
    kind = PermanentFailure if 500 <= refused.code < 600 else TemporaryFailure
    return kind(f"{refused.code} {refused.message}")


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
