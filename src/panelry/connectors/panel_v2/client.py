"""A provider that speaks API v2: asks, and hands the answers to those who read them."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from panelry.connectors.http import Ambiguous, HttpClient, NotAllowed, NotRead
from panelry.connectors.panel_v2 import answers, errors, evidence
from panelry.domain.providers import (
    Accepted,
    Delay,
    NotSent,
    Outcome,
    Provider,
    Rejection,
    Report,
    RowError,
    Unknown,
    UpstreamBalance,
    UpstreamOrder,
    UpstreamService,
)
from panelry.domain.refusals import PermanentFailure, TemporaryFailure

ANSWER_LIMIT: Final = 2_000_000
CATALOGUE_LIMIT: Final = 32_000_000
_SMALL: Final = 100_000


class PanelV2:
    """One provider, spoken to in API v2 with one dialect's error texts (see `Connector` for what it promises)."""

    def __init__(self, provider: Provider, http: HttpClient, table: errors.ErrorTable) -> None:
        self._provider = provider
        self._http = http
        self._table = table

    async def add(self, order: UpstreamOrder) -> Outcome:
        """Buy one order: one request on a connection of its own, never repeated here."""
        wanted = {name: value.replace("\r\n", "\n") for name, value in order.parameters.items()}
        wanted["service"] = order.service
        if self._provider.dialect.supports_request_id:
            wanted["request_id"] = order.request_id
        try:
            answer = await self._http.post_form(
                self._provider.url, self._form("add", wanted), limit=ANSWER_LIMIT, fresh=True
            )
        except NotRead as error:
            return NotSent(text=self._fit(error))
        except Ambiguous as error:
            return Unknown(text=self._fit(error))
        outcome = answers.outcome(answer, self._meaning)
        return outcome if isinstance(outcome, Accepted) else replace(outcome, text=self._fit(outcome.text))

    async def statuses(self, upstream_ids: Sequence[str]) -> Mapping[str, Report | RowError]:
        """Ask about at most 100 orders at once; an error about the whole call is a failure, not a status."""
        said = await self._ask("status", {"orders": ",".join(upstream_ids)})
        rows = answers.reports(said, upstream_ids, self._provider.dialect.words)
        if rows is None:
            raise TemporaryFailure("status: the answer is not about these orders")
        return {upstream_id: self._shown(row) for upstream_id, row in rows.items()}

    async def services(self) -> Sequence[UpstreamService]:
        """Read the catalogue, as long or as short as the provider sends it."""
        said = await self._ask("services", {}, limit=CATALOGUE_LIMIT)
        if not isinstance(said, list):
            raise TemporaryFailure("services: the answer is not a list")
        return await asyncio.to_thread(answers.services, said)

    async def balance(self) -> UpstreamBalance:
        """Read what we have left there."""
        said = answers.balance(await self._ask("balance", {}))
        if said is None:
            raise TemporaryFailure("balance: the answer has no readable balance")
        return said

    async def _ask(self, action: str, fields: Mapping[str, str], *, limit: int = ANSWER_LIMIT) -> Any:
        """Return the JSON of a question that changes nothing; every fault and every error is a failure."""
        try:
            answer = await self._http.post_form(self._provider.url, self._form(action, fields), limit=limit)
        except NotAllowed as error:
            raise PermanentFailure(f"{action}: {self._fit(error)}") from None
        except (NotRead, Ambiguous) as error:
            raise TemporaryFailure(f"{action}: {self._fit(error)}") from None
        said = await _parsed(answer.body)
        error_text = answers.error_text(said)
        if error_text and answers.decisive(answer.status) and self._meaning(error_text) is Rejection.KEY:
            raise PermanentFailure(f"{action}: {self._fit(error_text)}")
        if not 200 <= answer.status < 300 or error_text or not isinstance(said, dict | list):
            shown = error_text or answer.body.decode(errors="replace")
            raise TemporaryFailure(f"{action}: {self._fit(f'HTTP {answer.status}: {shown}')}")
        return said

    def _form(self, action: str, fields: Mapping[str, str]) -> dict[str, str]:
        return {**fields, "key": self._provider.key, "action": action}

    def _meaning(self, text: str) -> Rejection | Delay | None:
        return errors.meaning(text, self._provider.dialect.errors, self._table)

    def _fit(self, text: object) -> str:
        return evidence.fit(str(text), self._provider.key)

    def _shown(self, row: Report | RowError) -> Report | RowError:
        match row:
            case RowError():
                return RowError(text=self._fit(row.text))
            case Report():
                return replace(row, word=evidence.fit(row.word, self._provider.key, limit=100))


async def _parsed(body: bytes) -> Any:
    # A catalogue takes long enough to make everybody else wait.
    return answers.document(body) if len(body) <= _SMALL else await asyncio.to_thread(answers.document, body)
