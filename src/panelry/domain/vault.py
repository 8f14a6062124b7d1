"""Secrets at rest: provider keys are sealed with AES-256-GCM, each bound to what it belongs to."""

import base64
import hashlib
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from panelry.domain.refusals import PermanentFailure
from panelry.settings import InvalidSetting, Settings

KEY_FILE: Final = "secret.key"
_NONCE: Final = 12


@dataclass(frozen=True, slots=True)
class Vault:
    """Seals and opens with keys derived from one secret of at least 32 characters."""

    secret: bytes = field(repr=False)

    def seal(self, plain: str, *, purpose: str) -> bytes:
        """Encrypt; only `open` with the same purpose gives it back."""
        nonce = secrets.token_bytes(_NONCE)
        return nonce + AESGCM(self.derive("vault")).encrypt(nonce, plain.encode(), purpose.encode())

    def open(self, sealed: bytes, *, purpose: str) -> str:
        """Decrypt what `seal` made. Raises `PermanentFailure` when the secret key is not the one that sealed it."""
        try:
            plain = AESGCM(self.derive("vault")).decrypt(sealed[:_NONCE], sealed[_NONCE:], purpose.encode())
        except (InvalidTag, ValueError):  # the latter where it is too short to be anything
            raise PermanentFailure(
                "a stored secret cannot be opened: PANELRY_SECRET_KEY or the key file changed"
            ) from None
        return plain.decode()

    def derive(self, purpose: str) -> bytes:
        """Return 32 bytes for one purpose, independent of those for any other."""
        return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"panelry " + purpose.encode()).derive(
            self.secret
        )

    def derive_text(self, purpose: str) -> str:
        """Return `derive` as printable text."""
        return base64.urlsafe_b64encode(self.derive(purpose)).decode()


def open_vault(settings: Settings) -> Vault:
    """Take the secret from `PANELRY_SECRET_KEY`, else from the data directory's key file, made on first use."""
    if settings.secret_key is not None:
        if len(settings.secret_key) < 32:
            raise InvalidSetting("PANELRY_SECRET_KEY must have at least 32 characters")
        return Vault(hashlib.sha256(settings.secret_key.encode()).digest())
    return Vault(_key_file(settings.data / KEY_FILE))


def _key_file(path: Path) -> bytes:
    """Read the key file, making it first; of several programs at once the first one's key is everyone's."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(32) + "\n")
        try:
            path.hardlink_to(draft)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    secret = path.read_text().strip()
    if len(secret) < 32:
        raise InvalidSetting(f"{path} does not hold a secret key")
    return hashlib.sha256(secret.encode()).digest()
