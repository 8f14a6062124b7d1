"""A real Redis or Valkey for tests, which can be killed and started again."""

import os
import shutil
import subprocess
import time
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import IPv4Address
from pathlib import Path

import pytest
import valkey
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

import servers
from panelry import clock
from panelry import settings as panelry_settings

PASSWORD = "a password of the tests"


@dataclass
class Valkey:
    """A server that keeps nothing on disk, with a password."""

    folder: Path
    port: int = field(default_factory=servers.free_port)
    tls_port: int = field(default_factory=servers.free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"valkey://:{PASSWORD.replace(' ', '%20')}@127.0.0.1:{self.port}/3"

    @property
    def unix_url(self) -> str:
        return f"unix://:{PASSWORD.replace(' ', '%20')}@{self.folder}/valkey.sock?db=3"

    @property
    def tls_url(self) -> str:
        where = f"127.0.0.1:{self.tls_port}/3"
        return f"rediss://:{PASSWORD.replace(' ', '%20')}@{where}?ssl_ca_certs={self.folder}/certificate.pem"

    @property
    def client(self) -> valkey.Valkey:
        return valkey.Valkey.from_url(self.url)

    def start(self) -> None:
        """Start it and wait until it answers."""
        self._certify()
        self.process = subprocess.Popen(
            [_program(), "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
             "--requirepass", PASSWORD, "--unixsocket", str(self.folder / "valkey.sock"), "--dir", str(self.folder),
             "--tls-port", str(self.tls_port), "--tls-auth-clients", "no",
             "--tls-cert-file", str(self.folder / "certificate.pem"), "--tls-key-file", str(self.folder / "key.pem"),
             "--tls-ca-cert-file", str(self.folder / "certificate.pem"),
             "--logfile", str(self.folder / "valkey.log")],
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        until = time.monotonic() + 10
        while True:
            try:
                self.client.ping()
            except valkey.ValkeyError:
                assert time.monotonic() < until, (self.folder / "valkey.log").read_text()
                time.sleep(0.02)
            else:
                return

    def kill(self) -> None:
        """End it at once; what it knew is lost."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def _certify(self) -> None:
        """Give it a certificate for 127.0.0.1 that signs itself."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tests")])
        certificate = (
            x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
            .not_valid_before(clock.now() - timedelta(days=1))
            .not_valid_after(clock.now() + timedelta(days=1))
            .add_extension(
                x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False
            )
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(key, hashes.SHA256())
        )
        (self.folder / "certificate.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
        plain = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (self.folder / "key.pem").write_bytes(plain)


def _program() -> str:
    """Find the server; in CI it must be there."""
    found = shutil.which("valkey-server") or shutil.which("redis-server")
    if found is None:
        assert panelry_settings.child_environment().get("CI") != "true", "run tests/install-system-packages"
        pytest.skip("no redis-server: run tests/install-system-packages")
    return os.fspath(found)
