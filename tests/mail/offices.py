"""A mail server on this machine that takes letters, or says what a test wants it to say."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

import servers


@dataclass
class Office:
    """What came in; `says` answers recipients and `judges` letters in the place of taking them."""

    port: int = 0
    says: str = "250 OK"
    judges: str = "250 taken"
    letters: list[EmailMessage] = field(default_factory=list)
    log_ins: list[tuple[str, str]] = field(default_factory=list)

    async def handle_RCPT(  # noqa: N802 (aiosmtpd names it)
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if self.says.startswith("2"):
            envelope.rcpt_tos.append(address)
        return self.says

    async def handle_DATA(  # noqa: N802 (aiosmtpd names it)
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        if self.judges.startswith("2"):
            letter = message_from_bytes(bytes(envelope.content or b""), policy=policy.default)
            assert isinstance(letter, EmailMessage)
            self.letters.append(letter)
        return self.judges

    def authenticate(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: Any
    ) -> AuthResult:
        self.log_ins.append((data.login.decode(), data.password.decode()))
        return AuthResult(success=data.password == b"right", handled=False)


@contextmanager
def office(*, tls: ssl.SSLContext | None = None, with_passwords: bool = False) -> Iterator[Office]:
    """Open on a free port; with `tls` it offers STARTTLS."""
    one = Office(port=servers.free_port())
    controller = Controller(
        one,
        hostname="127.0.0.1",
        port=one.port,
        tls_context=tls,
        authenticator=one.authenticate if with_passwords else None,
        auth_require_tls=False,
    )
    controller.start()
    try:
        yield one
    finally:
        controller.stop()


def certificate(folder: Path) -> Path:
    """Write a certificate that nobody vouches for, with its key, into one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    start = datetime(2020, 1, 1, tzinfo=UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=36_500))
        .sign(key, hashes.SHA256())
    )
    path = folder / "certificate.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path
