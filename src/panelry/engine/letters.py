"""Sends the letters that wait. Without a mail server they wait for one, for a week."""

from datetime import timedelta
from email.headerregistry import Address
from functools import partial
from typing import Final

import structlog

from panelry import clock, mail
from panelry.domain import letters
from panelry.domain.letters import Claimed, Sending
from panelry.domain.refusals import PermanentFailure, TemporaryFailure
from panelry.engine.desk import Desk

log = structlog.get_logger()
LEASE: Final = timedelta(minutes=5)
"""Longer than any conversation with a mail server, so that no second engine sends the same letter meanwhile."""


class Letters:
    """One engine's post; letters go one after the other."""

    def __init__(self, desk: Desk) -> None:
        """Send from one desk."""
        settings = desk.settings
        self._desk = desk
        self._server = mail.parse(settings.mail_url) if settings.mail_url else None
        self._sender = Address(display_name=settings.mail_name, addr_spec=settings.mail_from)

    async def send(self) -> int:
        """Send one letter that is due, and return how many that were; what is too old to be news is given up."""
        await self._desk.database(letters.give_up)
        if self._server is None:
            return 0
        claimed = await self._desk.database(partial(letters.claim, most=1, lease=LEASE))
        for letter in claimed:
            sending = await _sent(self._server, letter, self._sender)
            await self._desk.database(partial(letters.record, claimed=letter, sending=sending))
        return len(claimed)


async def _sent(server: mail.MailServer, letter: Claimed, sender: Address) -> Sending:
    try:
        await server.send(mail.compose(letter, sender=sender, at=clock.now()))
    except TemporaryFailure as failure:
        log.warning("letter_not_taken", letter=str(letter.id), error=str(failure))
        return Sending(sent=False, message=str(failure))
    except PermanentFailure as failure:
        log.warning("letter_refused", letter=str(letter.id), error=str(failure))
        return Sending(sent=False, message=str(failure), may_try_again=False)
    return Sending(sent=True)
