"""One frozen `Settings`, read from the environment once. Each is described in docs/operators/settings.md."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Final

from panelry import peers
from panelry.peers import LOOPBACK, NOBODY, Peers

PREFIX: Final = "PANELRY_"
DEFAULT_HOSTS: Final = ("localhost", "127.0.0.1", "[::1]")
SWITCH: Final = {"1": True, "on": True, "true": True, "0": False, "off": False, "false": False, "": False}


class InvalidSetting(Exception):
    """A setting has a value that the program cannot work with; the text says which and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What an operator can choose. Durations are in seconds unless their name says otherwise; `data` is absolute."""

    data: Path
    database_url: str | None = field(default=None, repr=False)  # may hold a password
    currency: str = "USD"
    development: bool = False
    limits: bool = True
    providers_private: bool = False
    secret_key: str | None = field(default=None, repr=False)
    prepare: bool = True
    hosts: tuple[str, ...] = DEFAULT_HOSTS
    provider_connect_seconds: float = 3.0
    provider_total_seconds: float = 25.0
    lease_seconds: float = 60.0
    poll_seconds: float = 0.2
    price_move_percent: Decimal = Decimal(25)
    unknown_refund_hours: float = 72.0
    webhook_ports: frozenset[int] = frozenset({443})
    webhook_total_seconds: float = 15.0
    mail_url: str | None = field(default=None, repr=False)  # may hold a password
    mail_from: str = "panelry@localhost"
    mail_name: str = "Panelry"
    ip_per_minute: int = 300
    trusted_proxies: Peers = NOBODY
    metrics_allow: Peers = LOOPBACK
    valkey_url: str | None = field(default=None, repr=False)  # may hold a password
    sentry_dsn: str | None = field(default=None, repr=False)

    @property
    def private_addresses_allowed(self) -> bool:
        """Whether providers may be http, on private or loopback addresses and on any port."""
        return self.development or self.providers_private


def load(environ: Mapping[str, str] | None = None, *, data: Path | None = None) -> Settings:
    """Read the settings; `data` (the command line's `--data`) wins over `PANELRY_DATA`.

    Raises `InvalidSetting` naming the variable.
    """
    source = os.environ if environ is None else environ  # noqa: TID251 (this is the one place)
    settings = Settings(
        data=(data or Path(source.get("PANELRY_DATA") or "data")).absolute(),
        database_url=source.get("DATABASE_URL") or None,
        currency=_currency(source),
        development=_switch(source, "DEVELOPMENT", default=False),
        limits=_switch(source, "LIMITS", default=True),
        providers_private=_switch(source, "PROVIDERS_PRIVATE", default=False),
        secret_key=source.get("PANELRY_SECRET_KEY") or None,
        prepare=_switch(source, "PREPARE", default=True),
        hosts=_hosts(source),
        provider_connect_seconds=_seconds(source, "PROVIDER_CONNECT_SECONDS", default=3.0),
        provider_total_seconds=_seconds(source, "PROVIDER_TOTAL_SECONDS", default=25.0),
        lease_seconds=_seconds(source, "LEASE_SECONDS", default=60.0),
        poll_seconds=_seconds(source, "POLL_SECONDS", default=0.2),
        price_move_percent=_move_percent(source),
        unknown_refund_hours=_hours(source, "UNKNOWN_REFUND_HOURS", default=72.0),
        webhook_ports=_webhook_ports(source),
        webhook_total_seconds=_seconds(source, "WEBHOOK_TOTAL_SECONDS", default=15.0),
        mail_url=source.get("PANELRY_MAIL_URL") or None,
        mail_from=_mail_from(source),
        mail_name=source.get("PANELRY_MAIL_NAME") or "Panelry",
        ip_per_minute=_ip_per_minute(source),
        trusted_proxies=_peers(source, "PANELRY_TRUSTED_PROXIES", default=NOBODY),
        metrics_allow=_peers(source, "PANELRY_METRICS_ALLOW", default=LOOPBACK),
        valkey_url=_valkey_url(source),
        sentry_dsn=_sentry_dsn(source),
    )
    if not settings.limits and not settings.development:
        raise InvalidSetting("PANELRY_LIMITS=off needs PANELRY_DEVELOPMENT=1")
    if settings.lease_seconds <= settings.provider_total_seconds + 5:
        raise InvalidSetting(
            "PANELRY_LEASE_SECONDS must exceed PANELRY_PROVIDER_TOTAL_SECONDS by more than 5"
        )
    return settings


def _switch(source: Mapping[str, str], name: str, *, default: bool) -> bool:
    text = source.get(PREFIX + name)
    if text is None:
        return default
    if text.lower() not in SWITCH:
        raise InvalidSetting(f"{PREFIX}{name} must be 1 or 0, on or off; it is {text!r}")
    return SWITCH[text.lower()]


def _seconds(source: Mapping[str, str], name: str, *, default: float) -> float:
    text = source.get(PREFIX + name)
    if not text:
        return default
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0.01 <= seconds <= 86_400:
        raise InvalidSetting(f"{PREFIX}{name} must be a number of seconds from 0.01 to 86400; it is {text!r}")
    return seconds


def _hours(source: Mapping[str, str], name: str, *, default: float) -> float:
    text = source.get(PREFIX + name)
    if not text:
        return default
    if not re.fullmatch(r"[0-9]{1,5}(\.[0-9]{1,6})?", text, re.ASCII):
        raise InvalidSetting(f"{PREFIX}{name} must be a number of hours such as 72, or 0; it is {text!r}")
    return float(text)


def _move_percent(source: Mapping[str, str]) -> Decimal:
    text = source.get("PANELRY_PRICE_MOVE_PERCENT") or "25"
    if not re.fullmatch(r"[0-9]{1,4}(\.[0-9]{1,6})?", text, re.ASCII):
        raise InvalidSetting(
            f"PANELRY_PRICE_MOVE_PERCENT must be a percentage from 0 to 9999 such as 25; it is {text!r}"
        )
    return Decimal(text)


def _webhook_ports(source: Mapping[str, str]) -> frozenset[int]:
    text = source.get("PANELRY_WEBHOOK_PORTS") or "443"
    ports = {port.strip() for port in text.split(",")}
    if not ports <= {"80", "443", "8443"}:
        raise InvalidSetting(f"PANELRY_WEBHOOK_PORTS must be some of 80, 443 and 8443; it is {text!r}")
    return frozenset(map(int, ports)) | {443}


def _ip_per_minute(source: Mapping[str, str]) -> int:
    text = source.get("PANELRY_IP_PER_MINUTE") or "300"
    if not re.fullmatch(r"0*[1-9][0-9]{0,6}", text, re.ASCII):
        raise InvalidSetting(
            f"PANELRY_IP_PER_MINUTE must be a number of requests from 1 to 9999999; it is {text!r}"
        )
    return int(text)


def _peers(source: Mapping[str, str], name: str, *, default: Peers) -> Peers:
    text = source.get(name)
    if not text:
        return default
    try:
        return peers.parse(text)
    except ValueError as error:
        raise InvalidSetting(
            f"{name} must be addresses and networks such as 10.0.0.5,192.168.0.0/16: {error}"
        ) from None


def _valkey_url(source: Mapping[str, str]) -> str | None:
    text = source.get("PANELRY_VALKEY_URL") or None
    if text and not re.match(r"(redis|rediss|valkey|valkeys|unix)://.", text):  # its text may hold a password
        raise InvalidSetting("PANELRY_VALKEY_URL must be an address such as redis://:password@host:6379/0")
    return text


def _sentry_dsn(source: Mapping[str, str]) -> str | None:
    text = source.get("PANELRY_SENTRY_DSN") or None
    if text and not re.fullmatch(r"https?://[^@/\s]+@[^@\s]+/[0-9]+", text):
        raise InvalidSetting("PANELRY_SENTRY_DSN must be an address such as https://key@host/1")
    return text


def _currency(source: Mapping[str, str]) -> str:
    text = source.get("PANELRY_CURRENCY") or "USD"
    if not (len(text) == 3 and text.isascii() and text.isalpha() and text.isupper()):
        raise InvalidSetting(f"PANELRY_CURRENCY must be three capital letters such as USD; it is {text!r}")
    return text


def _mail_from(source: Mapping[str, str]) -> str:
    text = source.get("PANELRY_MAIL_FROM")
    if text and not re.fullmatch(r"[^@\s<>]{1,64}@[^@\s<>]{1,185}", text, re.ASCII):
        raise InvalidSetting(f"PANELRY_MAIL_FROM must be an e-mail address; it is {text!r}")
    if not text and source.get("PANELRY_MAIL_URL"):
        raise InvalidSetting("PANELRY_MAIL_URL needs PANELRY_MAIL_FROM: whom letters come from")
    return text or "panelry@localhost"


def _hosts(source: Mapping[str, str]) -> tuple[str, ...]:
    text = source.get("PANELRY_HOSTS")
    names = tuple(host.strip() for host in (text or "").split(",") if host.strip())
    return names or DEFAULT_HOSTS


def publish(database_url: str, data: Path) -> None:
    """Let this process, Django in it and its children use one database and data directory from now on."""
    os.environ["DATABASE_URL"] = database_url  # noqa: TID251 (this is the one place)
    os.environ["PANELRY_DATA"] = str(data)  # noqa: TID251 (this is the one place)


def choose_django_settings() -> None:
    """Tell Django which module configures it."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "panelry.web.configuration"  # noqa: TID251 (this is the one place)


def child_environment(**more: str) -> dict[str, str]:
    """Return the environment for a child process: ours, and more."""
    return {**os.environ, **more}  # noqa: TID251 (this is the one place)


def clean_environment(**more: str) -> dict[str, str]:
    """Return the environment for a child process that none of our settings reach, and more."""
    return {name: text for name, text in os.environ.items() if not _is_ours(name)} | more  # noqa: TID251 (this is the one place)


def _is_ours(name: str) -> bool:
    return name.startswith(PREFIX) or name == "DATABASE_URL"


def lifeline() -> int | None:
    """Return the pipe by which a child learns of its parent's end, where the parent gave it one."""
    descriptor = os.environ.get("PANELRY_LIFELINE")  # noqa: TID251 (this is the one place)
    return int(descriptor) if descriptor else None
