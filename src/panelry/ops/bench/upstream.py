"""`python -m panelry.ops.bench.upstream`: a provider that answers from memory as fast as it can.

Its orders are numbers. What it takes itself is completed at once. Of the others nine in ten have not moved since they
were looked at last (see `KNOWN`); of every hundred, six have delivered more, three are completed, one ended in part.
"""

import json
from collections import Counter
from typing import Final
from urllib.parse import parse_qsl

from panelry.ops.bench.listening import serve

QUANTITY: Final = 100
KNOWN: Final = {"charge": "0.05", "start_count": "100", "status": "In progress", "remains": "50"}
MORE: Final = {**KNOWN, "remains": "40"}
COMPLETED: Final = {**KNOWN, "status": "Completed", "remains": "0"}
PARTIAL: Final = {**KNOWN, "status": "Partial", "remains": "30"}

_HEAD: Final = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
_STATUS: Final = b"action=status"


def report(number: int) -> dict[str, str]:
    """Return what it says of an order that it did not take itself."""
    if number % 10:
        return KNOWN
    return {7: COMPLETED, 8: COMPLETED, 9: COMPLETED, 6: PARTIAL}.get(number // 10 % 10, MORE)


_OWN: Final = json.dumps({**COMPLETED, "currency": "USD"}).encode()
_LONGEST_OWN: Final = 7
_ROWS: Final = [json.dumps({**report(number), "currency": "USD"}).encode() for number in range(100)]


class Upstream:
    """What it was asked, and how often."""

    def __init__(self) -> None:
        """Begin with no order of its own."""
        self.calls: Counter[str] = Counter()
        self._last = 0

    def answer(self, _: bytes, body: bytes) -> bytes:
        """Answer one call."""
        said = self._statuses(body) if _STATUS in body else json.dumps(self._said(body)).encode()
        return _HEAD % (len(said), said)

    def _statuses(self, body: bytes) -> bytes:
        start = body.index(b"orders=") + 7
        asked = body[start:].partition(b"&")[0].split(b"%2C")
        self.calls["status"] += 1
        self.calls["statuses"] += len(asked)
        rows = [
            b'"%b":%b' % (id_, _ROWS[int(id_[-2:])] if len(id_) > _LONGEST_OWN else _OWN) for id_ in asked
        ]
        return b"{" + b",".join(rows) + b"}"

    def _said(self, body: bytes) -> object:
        form = dict(parse_qsl(body.decode()))
        self.calls[form["action"]] += 1
        match form["action"]:
            case "add":
                self._last += 1
                return {"order": self._last}
            case "balance":
                return {"balance": "1000000.00", "currency": "USD"}
            case _:
                return {"error": "this is not answered here"}


if __name__ == "__main__":
    upstream = Upstream()
    serve(upstream.answer, lambda: dict(upstream.calls))
