"""Laws of sealed secrets."""

from pathlib import Path
from threading import Barrier, Thread

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from panelry.domain.accounts import IssuedKey
from panelry.domain.providers import Dialect, Provider, ProviderId, ProviderState
from panelry.domain.refusals import PermanentFailure
from panelry.domain.vault import KEY_FILE, Vault, open_vault
from panelry.settings import InvalidSetting, Settings

SECRET = "a secret that must never be seen anywhere"
SECRETS = st.binary(min_size=32, max_size=64)
PURPOSES = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
PLAINS = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


@for_all(SECRETS, PLAINS, PURPOSES)
def test_what_was_sealed_opens_for_the_same_purpose(secret: bytes, plain: str, purpose: str) -> None:
    sealed = Vault(secret).seal(plain, purpose=purpose)
    assert Vault(secret).open(sealed, purpose=purpose) == plain


@for_all(SECRETS, PLAINS, PURPOSES, PURPOSES)
def test_what_was_sealed_for_one_purpose_never_opens_for_another(
    secret: bytes, plain: str, purpose: str, other: str
) -> None:
    sealed = Vault(secret).seal(plain, purpose=purpose)
    if purpose != other:
        with pytest.raises(PermanentFailure):
            Vault(secret).open(sealed, purpose=other)


@for_all(SECRETS, SECRETS, PLAINS)
def test_what_was_sealed_with_one_secret_never_opens_with_another(
    secret: bytes, other: bytes, plain: str
) -> None:
    sealed = Vault(secret).seal(plain, purpose="p")
    if secret != other:
        with pytest.raises(PermanentFailure):
            Vault(other).open(sealed, purpose="p")


@for_all(PLAINS, st.data())
def test_one_changed_or_missing_byte_and_nothing_opens(plain: str, data: st.DataObject) -> None:
    vault = Vault(bytes(32))
    sealed = vault.seal(plain, purpose="p")
    at = data.draw(st.integers(0, len(sealed) - 1))
    changed = sealed[:at] + bytes([sealed[at] ^ data.draw(st.integers(1, 255))]) + sealed[at + 1 :]
    for broken in (changed, sealed[:at], sealed + b"\0"):
        with pytest.raises(PermanentFailure):
            vault.open(broken, purpose="p")


def test_sealing_twice_never_gives_the_same_bytes_and_shows_nothing_of_the_text() -> None:
    vault = Vault(bytes(32))
    sealed = {vault.seal(SECRET, purpose="p") for _ in range(100)}
    assert len(sealed) == 100
    assert not any(SECRET.encode() in one for one in sealed)


@for_all(PURPOSES, PURPOSES)
def test_keys_for_two_purposes_are_two_keys(purpose: str, other: str) -> None:
    vault = Vault(bytes(32))
    assert (vault.derive(purpose) == vault.derive(other)) == (purpose == other)


def test_no_value_that_holds_a_secret_shows_it() -> None:
    provider = Provider(
        id=ProviderId(1), name="n", url="u", key=SECRET, dialect=Dialect(), state=ProviderState.ACTIVE, currency="",
        max_in_flight=1, per_second=1,
    )  # fmt: skip
    values = [
        Vault(SECRET.encode()),
        IssuedKey(key=SECRET, prefix="pnl_"),
        provider,
    ]
    for value in values:
        assert SECRET not in repr(value), type(value).__name__
        assert SECRET not in f"{value}", type(value).__name__


def test_settings_never_show_a_secret(tmp_path: Path) -> None:
    settings = Settings(
        data=tmp_path, secret_key=SECRET, database_url=f"postgresql://panelry:{SECRET}@db/panelry"
    )
    assert SECRET not in repr(settings)


def test_a_secret_of_fewer_than_32_characters_is_not_accepted(tmp_path: Path) -> None:
    with pytest.raises(InvalidSetting):
        open_vault(Settings(data=tmp_path, secret_key="x" * 31))
    (tmp_path / KEY_FILE).write_text("x" * 31)
    with pytest.raises(InvalidSetting):
        open_vault(Settings(data=tmp_path))


def test_the_key_file_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path / "new" / "data")
    first = open_vault(settings)
    assert open_vault(settings).secret == first.secret
    path = settings.data / KEY_FILE
    assert path.stat().st_mode & 0o777 == 0o600
    assert [p.name for p in settings.data.iterdir()] == [KEY_FILE]


def test_of_programs_that_start_at_once_all_use_one_key(tmp_path: Path) -> None:
    start, found = Barrier(8), []

    def run() -> None:
        start.wait()
        found.append(open_vault(Settings(data=tmp_path)).secret)

    threads = [Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1
