"""`python -m panelry.ops.bench.receiver`: endpoints that take everything as fast as they can, and keep a sample of it."""

import re
from collections import Counter
from typing import Any, Final

from panelry.ops.bench.listening import serve

SAMPLE: Final = 50
"""Of so many posts one is kept whole, so that its signature can be checked."""
HEADERS: Final = ("webhook-id", "webhook-timestamp", "webhook-signature")
_NO_CONTENT: Final = b"HTTP/1.1 204 No Content\r\n\r\n"
_FIELD: Final = re.compile(rb"\r\n(webhook-[a-z]+): ([^\r]*)", re.IGNORECASE)


class Receiver:
    """What it was sent, and how often."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._posts: Counter[str] = Counter()
        self._kept: list[dict[str, Any]] = []
        self._count = 0

    def answer(self, head: bytes, body: bytes) -> bytes:
        """Take one post."""
        fields = {name.decode().lower(): value.decode() for name, value in _FIELD.findall(head)}
        self._posts[fields["webhook-id"]] += 1
        if self._count % SAMPLE == 0:
            path = head.split(b" ", 2)[1].decode()
            self._kept.append({"path": path, "body": body.decode(), **fields})
        self._count += 1
        return _NO_CONTENT

    def summary(self) -> dict[str, Any]:
        """Return how often each event came, and the sample."""
        return {"posts": self._posts, "kept": self._kept}


if __name__ == "__main__":
    receiver = Receiver()
    serve(receiver.answer, receiver.summary)
