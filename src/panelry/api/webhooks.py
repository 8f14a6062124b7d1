"""The actions webhook.… of API v2 (api-v2.md, 4)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from panelry.api.answers import Answer, success
from panelry.api.calls import Calls
from panelry.connectors import endpoints
from panelry.connectors.addresses import AddressPolicy
from panelry.contract import UnknownAction
from panelry.domain import ids, webhooks
from panelry.domain.accounts import AccountId, Caller
from panelry.domain.orders import CUSTOMER, MissingParameter
from panelry.domain.vault import Vault
from panelry.domain.webhooks import Webhook, WebhookId, WebhookNotFound

Fields = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hooks:
    """What callers do with their endpoints: `vault` seals their secrets, `policy` says which URLs they may have."""

    calls: Calls
    vault: Vault = field(repr=False)
    policy: AddressPolicy

    async def answer(self, action: str, fields: Fields, caller: Caller) -> Answer:
        """Answer one request; raises the refusal that it deserves."""
        account_id = caller.account_id
        match action:
            case "webhook.add":
                return await self._add(fields, caller)
            case "webhook.list":
                found = await self.calls.alone(lambda conn: webhooks.of_account(conn, account_id))
                return success([_row(webhook) for webhook in found])
            case "webhook.remove":
                return await self._remove(_named(fields), account_id)
            case "webhook.test":
                return await self._test(_named(fields), account_id)
            case _:
                raise UnknownAction

    async def _add(self, fields: Fields, caller: Caller) -> Answer:
        if "url" not in fields:
            raise MissingParameter(parameter="url")
        url = fields["url"]
        events = webhooks.wanted(filter(None, map(str.strip, fields.get("events", "").split(","))))
        await endpoints.check(url, self.policy)
        # The id is made here, once: tried again after a lost connection, it is still one endpoint.
        id_ = WebhookId(ids.new())
        added = await self.calls.alone(
            lambda conn: webhooks.add(
                conn,
                self.vault,
                caller.account_id,
                url=url,
                events=events,
                key_id=caller.key_id,
                webhook_id=id_,
            )
        )
        shown = {"webhook": ids.show(ids.WEBHOOK, added.id), "url": added.url, "events": added.events}
        return success({**shown, "secret": added.secret})

    async def _remove(self, webhook_id: WebhookId, account_id: AccountId) -> Answer:
        await self.calls.alone(lambda conn: webhooks.remove(conn, account_id, webhook_id))
        return success({"removed": ids.show(ids.WEBHOOK, webhook_id)})

    async def _test(self, webhook_id: WebhookId, account_id: AccountId) -> Answer:
        event_id = await self.calls.alone(
            lambda conn: webhooks.test(conn, account_id, webhook_id, actor=CUSTOMER)
        )
        return success({"webhook": ids.show(ids.WEBHOOK, webhook_id), "event": ids.show(ids.EVENT, event_id)})


def _named(fields: Fields) -> WebhookId:
    if "webhook" not in fields:
        raise MissingParameter(parameter="webhook")
    id_ = ids.parse(ids.WEBHOOK, fields["webhook"])
    if id_ is None:
        raise WebhookNotFound
    return WebhookId(id_)


def _row(webhook: Webhook) -> dict[str, Any]:
    return {
        "webhook": ids.show(ids.WEBHOOK, webhook.id),
        "url": webhook.url,
        "events": webhook.events,
        "state": webhook.state,
        "reason": webhook.reason,
        "last_result": webhook.last_result,
        "last_attempt": _instant(webhook.last_attempt_at),
        "last_success": _instant(webhook.last_success_at),
        "created": webhooks.instant(webhook.created_at),
    }


def _instant(at: datetime | None) -> str | None:
    return None if at is None else webhooks.instant(at)
