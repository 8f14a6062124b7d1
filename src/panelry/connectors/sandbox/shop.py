"""What was ordered: the sandbox's memory. Every change is a line of the log, and reading the log rebuilds it."""

import re
from datetime import datetime
from typing import Final

from panelry import clock
from panelry.connectors.sandbox import behaviours, orders
from panelry.connectors.sandbox.behaviours import Behaviour, Refilling
from panelry.connectors.sandbox.catalog import SERVICES, Service
from panelry.connectors.sandbox.drafts import Draft
from panelry.connectors.sandbox.log import Line, Log
from panelry.connectors.sandbox.orders import REFILL_ENDED, Order, Pulse, Refill, RefillWord
from panelry.connectors.sandbox.paces import FINISHED, Progress, Word
from panelry.connectors.sandbox.refusals import Problem, Refused
from panelry.connectors.sandbox.service_types import Fields
from panelry.domain import ids
from panelry.domain.money import UNIT, Micros

OPENING_BALANCE: Final = Micros(1000 * UNIT)
_ID: Final = re.compile(r"[0-9]{1,18}", re.ASCII)


class Shop:
    """Orders, refills and cancels of one log.

    A link's behaviour is found again after a restart, one set through `faults` is not, nor are runs and posts: the
    log does not have them.
    """

    def __init__(self, log: Log, *, speed: float, numeric_ids: bool) -> None:
        self.log = log
        self.orders: dict[str, Order] = {}
        self.refills: dict[str, Refill] = {}
        self.requests: dict[str, Order] = {}
        self._speed = speed
        self._numeric_ids = numeric_ids
        self._last_id = {ids.ORDER: 0, ids.REFILL: 0}
        self._refills_of: dict[str, list[Refill]] = {}
        self._cancels: dict[str, datetime] = {}
        self._latest: dict[tuple[int, str], Order] = {}
        self._spent = 0
        for line in log.lines:
            self._replay(line)

    @property
    def balance_micros(self) -> Micros:
        """What is left: it falls with each accepted order, never below nothing, and refunds do not raise it."""
        return Micros(max(0, OPENING_BALANCE - self._spent))

    def check_exclusive(self, service: Service, link: str) -> None:
        """Refuse while the latest order for this link is unfinished."""
        older = self._latest.get((service.id, link))
        if older and self.progress(older).word not in FINISHED:
            raise Refused(Problem.SAID, text=behaviours.BUSY)

    def accept(
        self, service: Service, behaviour: Behaviour, draft: Draft, *, request_id: str | None, sent: Fields
    ) -> Order:
        """Take an order; durable only after `log.durable`."""
        order = Order(
            id=self._new_id(ids.ORDER),
            service=service,
            behaviour=behaviour,
            draft=draft,
            request_id=request_id,
            at=clock.now(),
            sent=sent,
        )
        self._keep(order)
        self.log.append(
            {
                "order": self.shown(order.id),
                "service": service.id,
                "link": draft.link,
                "quantity": draft.units,
                "request_id": request_id,
                "at": order.at.isoformat(),
            }
        )
        return order

    def progress(self, order: Order) -> Progress:
        """Return where an order stands now."""
        refills = self._refills_of.get(order.id, ())
        return orders.progress(order, self.pulse(), cancel_at=self._cancels.get(order.id), refills=refills)

    def refill(self, order: Order) -> Refill:
        """Ask for a refill of a completed or partial order, one at a time; durable only after `log.durable`."""
        if not order.service.refill:
            raise Refused(Problem.REFILL_UNAVAILABLE)
        is_refused = order.behaviour.refilling is Refilling.REFUSED
        if is_refused or self.progress(order).word not in {Word.COMPLETED, Word.PARTIAL}:
            raise Refused(Problem.NOT_REFILLABLE)
        if not {self.refill_word(refill) for refill in self._refills_of.get(order.id, ())} <= REFILL_ENDED:
            raise Refused(Problem.REFILL_PENDING)
        refill = Refill(id=self._new_id(ids.REFILL), order=order.id, at=clock.now())
        self._keep_refill(refill)
        shown = {"refill": self.shown(refill.id), "order": self.shown(order.id)}
        self.log.append({**shown, "at": refill.at.isoformat()})
        return refill

    def refill_word(self, refill: Refill) -> RefillWord:
        """Return where a refill stands now."""
        return orders.refill_word(self.orders[refill.order], refill, self.pulse())

    def was_refilled(self, order: Order) -> bool:
        """Say whether a refill was granted before."""
        return order.id in self._refills_of

    def was_cancelled(self, order: Order) -> bool:
        """Say whether a cancel was granted before."""
        return order.id in self._cancels

    def cancel(self, order: Order) -> str | int:
        """Ask for a cancel and return what answers it; twice is once. Durable only after `log.durable`."""
        answer = 1 if self._numeric_ids else order.id
        if self.was_cancelled(order):
            return answer
        granted = order.service.cancel and order.behaviour.grants_cancel
        if not granted or self.progress(order).word in FINISHED:
            raise Refused(Problem.CANCEL)
        self._cancels[order.id] = clock.now()
        at = self._cancels[order.id].isoformat()
        self.log.append({"cancel": answer, "order": self.shown(order.id), "at": at})
        return answer

    def pulse(self) -> Pulse:
        """Return the time to read states at."""
        return Pulse(now=clock.now(), speed=self._speed)

    def shown(self, id_: str) -> str | int:
        """Return an id as the client sees it; one that is no number stays as it was asked for."""
        return int(id_) if self._numeric_ids and _ID.fullmatch(id_) else id_

    def _new_id(self, prefix: str) -> str:
        if not self._numeric_ids:
            return ids.show(prefix, ids.new())
        return str(self._last_id[prefix] + 1)

    def _keep(self, order: Order) -> None:
        self.orders[order.id] = order
        self._saw_id(ids.ORDER, order.id)
        self._latest[order.service.id, order.draft.link] = order
        self._spent += order.service.charge_micros(order.draft.units)
        if order.request_id is not None:
            self.requests[order.request_id] = order

    def _keep_refill(self, refill: Refill) -> None:
        self.refills[refill.id] = refill
        self._saw_id(ids.REFILL, refill.id)
        self._refills_of.setdefault(refill.order, []).append(refill)

    def _saw_id(self, prefix: str, id_: str) -> None:
        if id_.isdigit():
            self._last_id[prefix] = max(self._last_id[prefix], int(id_))

    def _replay(self, line: Line) -> None:
        order, at = str(line["order"]), datetime.fromisoformat(str(line["at"]))
        if "cancel" in line:
            self._cancels[order] = at
        elif "refill" in line:
            self._keep_refill(Refill(id=str(line["refill"]), order=order, at=at))
        else:
            service, link = SERVICES[int(line["service"] or 0)], str(line["link"])
            self._keep(
                Order(
                    id=order,
                    service=service,
                    behaviour=behaviours.choose(service.behaviour, link),
                    draft=Draft(link=link, units=int(line["quantity"] or 0)),
                    request_id=None if line["request_id"] is None else str(line["request_id"]),
                    at=at,
                )
            )
