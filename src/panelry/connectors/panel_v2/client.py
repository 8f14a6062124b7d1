"""A provider that speaks API v2: asks, and hands the answers to those who read them."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from msgspec import structs

from panelry.connectors.http import Ambiguous, Answer, HttpClient, NotAllowed, NotRead
from panelry.connectors.panel_v2 import answers, complaints, errors, evidence, reports, wishes
from panelry.domain.providers import (
    Accepted,
    CancelAnswer,
    CancelAsked,
    CancelRefused,
    Delay,
    NotSent,
    Outcome,
    Provider,
    RefillAnswer,
    RefillReport,
    RefillTaken,
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
        rows = reports.orders(said, upstream_ids, self._provider.dialect.words)
        if rows is None:
            raise self._off_topic("status", said)
        return {upstream_id: self._shown(row) for upstream_id, row in rows.items()}

    async def cancel(self, upstream_ids: Sequence[str]) -> Mapping[str, CancelAnswer]:
        """Ask to cancel at most 100 orders at once; an error about the whole call of several is a failure."""
        said = await self._wish("cancel", {"orders": ",".join(upstream_ids)})
        rows = wishes.cancels(said, upstream_ids)
        if rows is None:
            raise self._off_topic("cancel", said)
        decided: dict[str, CancelAnswer] = {}
        for upstream_id, row in rows.items():
            match row:
                case CancelAsked():
                    decided[upstream_id] = row
                case CancelRefused(text=text) if self._is_decided("cancel", text):
                    decided[upstream_id] = CancelRefused(text=self._fit(text))
        return decided

    async def refill(self, upstream_id: str) -> RefillAnswer:
        """Ask for one refill; what was not answered may have been taken, and then asking again says that it is open."""
        said = await self._wish("refill", {"order": upstream_id})
        answer = wishes.refill(said, upstream_id)
        if answer is None:
            raise self._off_topic("refill", said)
        if isinstance(answer, RefillTaken):
            return answer
        if not self._is_decided("refill", answer.text):
            raise TemporaryFailure(f"refill: {self._fit(answer.text)}")
        return replace(answer, text=self._fit(answer.text))

    async def refill_status(self, refill_id: str) -> RefillReport | RowError:
        """Ask how one refill is doing."""
        said = await self._wish("refill_status", {"refill": refill_id})
        report = reports.refill(said, refill_id)
        match report:
            case None:
                raise self._off_topic("refill_status", said)
            case RowError(text=text):
                if not self._is_decided("refill_status", text):
                    raise TemporaryFailure(f"refill_status: {self._fit(text)}")
                return RowError(text=self._fit(text))
            case RefillReport():
                return replace(report, word=self._fit_word(report.word))

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
        """Return the JSON of a question about more than one order; every fault and every error is a failure."""
        answer, said = await self._call(action, fields, limit=limit)
        if not 200 <= answer.status < 300 or complaints.text(said) or not isinstance(said, dict | list):
            raise self._no_answer(action, answer, said)
        return said

    async def _wish(self, action: str, fields: Mapping[str, str]) -> Any:
        """Return the JSON of what is granted or refused; every fault is a failure, and so is an error that passes."""
        answer, said = await self._call(action, fields)
        if isinstance(said, str):
            said = {"error": said}
        error = complaints.text(said)
        decided = answers.decisive(answer.status) and answer.status != 429
        told = answer.status < 300 or error not in {None, complaints.WORDLESS}
        if not (decided and told and isinstance(said, dict | list)):
            raise self._no_answer(action, answer, said)
        if error and not self._is_decided(action, error):
            raise self._no_answer(action, answer, said)
        return said

    async def _call(
        self, action: str, fields: Mapping[str, str], *, limit: int = ANSWER_LIMIT
    ) -> tuple[Answer, Any]:
        try:
            answer = await self._http.post_form(self._provider.url, self._form(action, fields), limit=limit)
        except NotAllowed as error:
            raise PermanentFailure(f"{action}: {self._fit(error)}") from None
        except (NotRead, Ambiguous) as error:
            raise TemporaryFailure(f"{action}: {self._fit(error)}") from None
        said = await _parsed(answer.body)
        text = complaints.text(said)
        if text and answers.decisive(answer.status):
            self._check_key(action, text)
        return answer, said

    def _is_decided(self, action: str, text: str) -> bool:
        """Tell whether an error is about an order, not about the moment; raises for one that is about our key."""
        self._check_key(action, text)
        return self._meaning(text) is not Delay.RATE and not errors.says(text, errors.PASSING)

    def _check_key(self, action: str, text: str) -> None:
        if self._meaning(text) is Rejection.KEY:
            raise PermanentFailure(f"{action}: {self._fit(text)}")

    def _no_answer(self, action: str, answer: Answer, said: Any) -> TemporaryFailure:
        shown = complaints.text(said) or answer.body.decode(errors="replace")
        return TemporaryFailure(f"{action}: {self._fit(f'HTTP {answer.status}: {shown}')}")

    def _off_topic(self, action: str, said: Any) -> TemporaryFailure:
        text = complaints.text(said)
        return TemporaryFailure(
            f"{action}: {self._fit(text) if text else 'the answer is not about what was asked'}"
        )

    def _form(self, action: str, fields: Mapping[str, str]) -> dict[str, str]:
        return {**fields, "key": self._provider.key, "action": action}

    def _meaning(self, text: str) -> Rejection | Delay | None:
        return errors.meaning(text, self._provider.dialect.errors, self._table)

    def _fit(self, text: object) -> str:
        return evidence.fit(str(text), self._provider.key)

    def _fit_word(self, word: str) -> str:
        return evidence.fit(word, self._provider.key, limit=100)

    def _shown(self, row: Report | RowError) -> Report | RowError:
        match row:
            case RowError():
                return RowError(text=self._fit(row.text))
            case Report():
                word, expiry = self._fit_word(row.word), self._fit_word(row.expiry) if row.expiry else ""
                is_fit = (word, expiry) == (row.word, row.expiry)
                return row if is_fit else structs.replace(row, word=word, expiry=expiry)


async def _parsed(body: bytes) -> Any:
    # A catalogue takes long enough to make everybody else wait.
    return answers.document(body) if len(body) <= _SMALL else await asyncio.to_thread(answers.document, body)
