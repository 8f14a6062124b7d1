"""Letters to people: one template each, and the way to the operator's mail server."""

from panelry.mail.composing import compose
from panelry.mail.server import MailServer, parse

__all__ = ["MailServer", "compose", "parse"]
