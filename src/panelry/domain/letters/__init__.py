"""Letters to people: written in the transaction of what they tell of, sent when the mail server takes them."""

from panelry.domain.letters.operations import claim, give_up, record, write
from panelry.domain.letters.queries import backlog
from panelry.domain.letters.values import Backlog, Claimed, Letter, LetterId, Sending

__all__ = [
    "Backlog",
    "Claimed",
    "Letter",
    "LetterId",
    "Sending",
    "backlog",
    "claim",
    "give_up",
    "record",
    "write",
]
