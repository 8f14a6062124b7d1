"""Settings are refused with the name of the variable, never guessed."""

import pytest

from panelry import settings
from panelry.settings import InvalidSetting


@pytest.mark.parametrize(
    "environ",
    [
        {"PANELRY_DEVELOPMENT": "maybe"},
        {"PANELRY_CURRENCY": "usd"},
        {"PANELRY_CURRENCY": "EURO"},
        {"PANELRY_LIMITS": "off"},
        {"PANELRY_POLL_SECONDS": "0"},
        {"PANELRY_POLL_SECONDS": "nan"},
        {"PANELRY_LEASE_SECONDS": "soon"},
        {"PANELRY_LEASE_SECONDS": "30"},
        {"PANELRY_PROVIDER_TOTAL_SECONDS": "56"},
        {"PANELRY_UNKNOWN_REFUND_HOURS": "-1"},
        {"PANELRY_UNKNOWN_REFUND_HOURS": "never"},
        {"PANELRY_UNKNOWN_REFUND_HOURS": "1e3"},
        {"PANELRY_PRICE_MOVE_PERCENT": "-1"},
        {"PANELRY_PRICE_MOVE_PERCENT": "1e3"},
        {"PANELRY_PRICE_MOVE_PERCENT": "25%"},
        {"PANELRY_IP_PER_MINUTE": "0"},
        {"PANELRY_IP_PER_MINUTE": "many"},
        {"PANELRY_TRUSTED_PROXIES": "*"},
        {"PANELRY_TRUSTED_PROXIES": "10.0.0.1/8"},
        {"PANELRY_METRICS_ALLOW": "localhost"},
        {"PANELRY_VALKEY_URL": "localhost:6379"},
        {"PANELRY_SENTRY_DSN": "https://example.com"},
        {"PANELRY_WEBHOOK_PORTS": "22"},
        {"PANELRY_WEBHOOK_PORTS": "443,"},
        {"PANELRY_WEBHOOK_PORTS": "443 8443"},
        {"PANELRY_WEBHOOK_TOTAL_SECONDS": "0"},
    ],
    ids=str,
)
def test_a_setting_that_cannot_be_is_refused_by_name(environ: dict[str, str]) -> None:
    [name] = environ
    with pytest.raises(InvalidSetting, match=name):
        settings.load(environ)


def test_an_empty_variable_is_an_absent_one() -> None:
    names = (
        "DATABASE_URL",
        "PANELRY_CURRENCY",
        "PANELRY_DEVELOPMENT",
        "PANELRY_HOSTS",
        "PANELRY_LEASE_SECONDS",
    )
    assert settings.load(dict.fromkeys(names, "")) == settings.load({})
