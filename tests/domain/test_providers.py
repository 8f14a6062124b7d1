"""Providers: their keys, pauses and lists."""

from decimal import Decimal

import psycopg
import pytest
from submissions import provider_state

from given import VAULT, Given, upstream_service
from panelry.database.pool import Conn
from panelry.domain import providers
from panelry.domain.providers import (
    Delay,
    InvalidProviderUrl,
    ProviderId,
    ProviderNameTaken,
    ProviderNotFound,
    Rejection,
    UnknownDialect,
    UpstreamBalance,
    UpstreamState,
)
from panelry.domain.providers.rules import check_url, dialect
from panelry.domain.refusals import PermanentFailure, TemporaryFailure
from panelry.domain.vault import Vault

KEY = "the key that nobody may see 7d1f"


def add(conn: Conn, name: str = "upstream", key: str = KEY) -> ProviderId:
    return providers.add(conn, VAULT, name, url="https://panel.example/api/v2", key=key)


def balance(amount: str, currency: str = "USD") -> UpstreamBalance:
    return UpstreamBalance(amount=Decimal(amount), currency=currency)


def test_a_providers_key_is_stored_sealed_and_opened_for_its_connector_only(conn: Conn) -> None:
    provider = add(conn)
    [[stored, row]] = conn.execute(
        "SELECT sealed_key, to_jsonb(p)::text FROM providers p WHERE id = %s", [provider]
    ).fetchall()
    assert KEY.encode() not in stored
    assert KEY not in row
    found = providers.by_name(conn, VAULT, "upstream")
    assert found.key == KEY
    assert KEY not in repr(found)


def test_a_key_that_was_moved_to_another_provider_does_not_open(conn: Conn) -> None:
    one, other = add(conn), add(conn, "other")
    conn.execute(
        "UPDATE providers SET sealed_key = (SELECT sealed_key FROM providers WHERE id = %s) WHERE id = %s",
        [one, other],
    )
    with pytest.raises(PermanentFailure):
        providers.every(conn, VAULT)


def test_with_another_secret_no_key_opens(conn: Conn) -> None:
    add(conn)
    with pytest.raises(PermanentFailure):
        providers.every(conn, Vault(b"another secret, also 32 bytes long"))


def test_a_name_is_taken_once(conn: Conn) -> None:
    add(conn)
    with pytest.raises(ProviderNameTaken):
        add(conn)
    with pytest.raises(ProviderNotFound):
        providers.by_name(conn, VAULT, "Upstream")


def test_a_dialect_must_be_one_that_is_spoken(conn: Conn) -> None:
    with pytest.raises(UnknownDialect):
        providers.add(conn, VAULT, "x", url="https://panel.example", key=KEY, dialect="panel_v3")


def test_a_providers_own_spellings_are_part_of_its_dialect() -> None:
    bent = dialect(
        "panel_v2", {"errors": {"No MONEY": "funds", "Later": "rate"}, "words": {"Ready": "completed"}}
    )
    assert bent.errors == {"no money": Rejection.FUNDS, "later": Delay.RATE}
    assert bent.words == {"ready": UpstreamState.COMPLETED}
    assert not bent.supports_request_id
    assert dialect("panelry", {}).supports_request_id
    with pytest.raises(ValueError, match="whatever"):
        dialect("panel_v2", {"errors": {"x": "whatever"}})


@pytest.mark.parametrize(
    "url",
    ["https://panel.example", "http://panel.example/api/v2", "https://panel.example:8443/api.php", "http://[::1]:80/",
     "https://xn--pnl-example/api?x=1"],
)  # fmt: skip
def test_an_address_that_could_be_dialled_is_taken(url: str) -> None:
    check_url(url)


@pytest.mark.parametrize(
    "url",
    ["", "panel.example", "ftp://panel.example", "https://", "https://u@panel.example", "https://u:p@panel.example",
     "https://panel.example/#x", "https://panel.example:99999", "https://[::1", "https://panel example", "https://panel.example/\n",
     "javascript:alert(1)", "file:///etc/passwd", "https://panel.example/" + "a" * 500, "https:///api"],
)  # fmt: skip
def test_an_address_that_never_could_is_refused(url: str) -> None:
    with pytest.raises(InvalidProviderUrl):
        check_url(url)


# Pauses


def test_a_paused_provider_keeps_its_first_reason(conn: Conn) -> None:
    provider = add(conn)
    providers.pause(conn, [provider], "by hand")
    providers.pause(conn, [provider], Rejection.FUNDS)
    assert provider_state(conn, provider) == ("paused", "by hand")


@pytest.mark.parametrize(
    ("reason", "amount", "state"),
    [
        ("funds", "0.01", "active"), ("funds", "0", "paused"), ("funds", "-5", "paused"), ("funds", "0.0000001", "paused"),
        ("key", "5", "active"), ("key", "0", "active"), ("by hand", "5", "paused"), ("", "5", "paused"),
    ],
)  # fmt: skip
def test_a_pause_ends_when_a_balance_disproves_its_reason_and_a_persons_never(
    conn: Conn, reason: str, amount: str, state: str
) -> None:
    provider = add(conn)
    providers.pause(conn, [provider], reason)
    providers.record_balance(conn, provider, balance(amount))
    assert provider_state(conn, provider)[0] == state


def test_a_balance_heals_only_its_own_provider(conn: Conn) -> None:
    one, other = add(conn), add(conn, "other")
    providers.pause(conn, [one, other], Rejection.FUNDS)
    providers.record_balance(conn, one, balance("5"))
    assert [provider_state(conn, p)[0] for p in (one, other)] == ["active", "paused"]


@pytest.mark.parametrize(
    ("amount", "micros"),
    [("12.3456789", 12_345_678), ("-0.0000001", -1), ("0", 0), ("1" + "0" * 40, 9 * 10**18)],
)
def test_a_balance_is_kept_as_told_rounded_down(conn: Conn, amount: str, micros: int) -> None:
    provider = add(conn)
    providers.record_balance(conn, provider, balance(amount, "INR"))
    [report] = [r for r in providers.reports(conn, VAULT) if r.provider.id == provider]
    assert (report.balance_micros, report.provider.currency) == (micros, "INR")
    assert report.balance_at is not None


def test_a_balance_without_a_currency_leaves_the_known_one(conn: Conn) -> None:
    provider = add(conn)
    providers.record_balance(conn, provider, balance("5", "INR"))
    providers.record_balance(conn, provider, balance("5", ""))
    assert providers.by_name(conn, VAULT, "upstream").currency == "INR"


# Lists


def names(conn: Conn, provider: ProviderId) -> list[str]:
    return [row.service for row in providers.snapshot(conn, provider)]


def test_a_list_is_kept_as_read_and_replaced_by_the_next(conn: Conn) -> None:
    provider = add(conn)
    providers.record_snapshot(conn, provider, [upstream_service(s) for s in ("10", "9", "100")])
    assert names(conn, provider) == ["9", "10", "100"]
    providers.record_snapshot(conn, provider, [upstream_service(s) for s in ("9", "10", "11")])
    assert names(conn, provider) == ["9", "10", "11"]


def test_of_two_rows_with_one_id_the_first_counts(conn: Conn) -> None:
    provider = add(conn)
    providers.record_snapshot(
        conn, provider, [upstream_service("1", rate="1"), upstream_service("1", rate="2")]
    )
    assert [row.rate_micros for row in providers.snapshot(conn, provider)] == [1_000_000]


@pytest.mark.parametrize(
    ("kept", "added", "believed"), [(10, 0, True), (5, 0, True), (5, 50, True), (4, 0, False), (4, 50, False)]
)
def test_a_list_that_lost_more_than_half_is_not_believed(
    conn: Conn, kept: int, added: int, *, believed: bool
) -> None:
    provider = add(conn)
    providers.record_snapshot(conn, provider, [upstream_service(str(n)) for n in range(10)])
    before = names(conn, provider)
    wanted = [upstream_service(str(n)) for n in [*range(kept), *range(100, 100 + added)]]
    if believed:
        providers.record_snapshot(conn, provider, wanted)
        assert len(names(conn, provider)) == kept + added
    else:
        with pytest.raises(TemporaryFailure):
            providers.record_snapshot(conn, provider, wanted)
        assert names(conn, provider) == before


def test_an_empty_list_is_never_believed_not_even_the_first(conn: Conn) -> None:
    provider = add(conn)
    with pytest.raises(TemporaryFailure):
        providers.record_snapshot(conn, provider, [])
    [report] = [r for r in providers.reports(conn, VAULT) if r.provider.id == provider]
    assert report.synced_at is None


def test_a_rate_is_rounded_up_and_the_largest_figures_fit(conn: Conn, given: Given) -> None:
    provider = add(conn)
    rows = [
        upstream_service("1", rate="0.0000001"), upstream_service("2", rate="999999999"),
        upstream_service("3", rate="999999999999.99999999", minimum=None, maximum=2**63 - 1),
    ]  # fmt: skip
    providers.record_snapshot(conn, provider, rows)
    assert [row.rate_micros for row in providers.snapshot(conn, provider)] == [1, 999_999_999 * 10**6, 10**18]


@pytest.mark.parametrize("column", ["state", "max_in_flight", "per_second", "currency_rate"])
def test_settings_that_make_no_sense_are_refused_by_the_database(conn: Conn, column: str) -> None:
    provider = add(conn)
    value = "'closed'" if column == "state" else "0"
    with pytest.raises(psycopg.errors.CheckViolation):
        conn.execute(f"UPDATE providers SET {column} = {value} WHERE id = {provider}".encode())  # noqa: S608 (constants)
