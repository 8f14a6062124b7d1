"""What the documentation says about the very panel that it stands on."""

from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.http import HttpRequest

from panelry.domain import accounts, webhooks
from panelry.schema.models import Tier
from panelry.web.site.addresses import root
from panelry.web.words import counted

PLACE: Final = "https://panel.example"
"""What texts and examples call the panel's address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A panel's public address without a slash at its end, its currency, and its limits of requests a minute.

    `tiers` are names with limits over all keys, lowest first. The defaults are those of a new panel.
    """

    address: str = PLACE
    currency: str = "USD"
    ip_per_minute: int = 300
    tiers: tuple[tuple[str, int], ...] = (("Standard", 200), ("Reseller", 1000), ("Agency", 5000))
    webhook_seconds: float = 15
    unknown_refund_hours: float = 72

    @property
    def endpoint(self) -> str:
        """Return the address of the API."""
        return f"{self.address}/api/v2"

    def named(self, text: str) -> str:
        """Put the panel's own address and figures into a text."""
        figures = {
            "ip_per_minute": counted(self.ip_per_minute),
            "key_per_minute": counted(accounts.KEY_PER_MINUTE),
            "most_keys": counted(accounts.MAX_ACTIVE_KEYS),
            "most_webhooks": counted(webhooks.MOST_PER_KEY),
            "webhook_seconds": f"{self.webhook_seconds:g}",
            "unknown_refund_hours": f"{self.unknown_refund_hours:g}",
        }
        for name, figure in figures.items():
            text = text.replace("{{" + name + "}}", figure)
        return text.replace(PLACE, self.address)


def of(request: HttpRequest) -> Panel:
    """Return the panel that a request came to; its host was checked."""
    return Panel(
        address=root(request),
        currency=settings.PANELRY_CURRENCY,
        ip_per_minute=settings.PANELRY_IP_PER_MINUTE,
        tiers=tuple(Tier.objects.order_by("position").values_list("name", "per_minute")),
        webhook_seconds=settings.PANELRY_WEBHOOK_TOTAL_SECONDS,
        unknown_refund_hours=settings.PANELRY_UNKNOWN_REFUND_HOURS,
    )
