"""Whether a URL may become an endpoint of a customer; it is checked again whenever it is dialled."""

from yarl import URL

from panelry.connectors.addresses import ANYWHERE, AddressPolicy
from panelry.connectors.names import is_reachable
from panelry.domain.webhooks import (
    LONGEST_URL,
    InvalidWebhookUrl,
    WebhookUrlNotHttps,
    WebhookUrlNotPublic,
)


async def check(url: str, policy: AddressPolicy) -> None:
    """Look whether a URL may be an endpoint; resolving its name takes 3 s at most.

    Raises `InvalidWebhookUrl`, `WebhookUrlNotHttps` or `WebhookUrlNotPublic`.
    """
    if len(url) > LONGEST_URL or ANYWHERE.objection(url) is not None:
        raise InvalidWebhookUrl
    parsed = URL(url)
    if parsed.scheme not in policy.schemes:
        raise WebhookUrlNotHttps
    if policy.ports is not None and parsed.port not in policy.ports:
        raise InvalidWebhookUrl
    if not await is_reachable(url, policy):
        raise WebhookUrlNotPublic
