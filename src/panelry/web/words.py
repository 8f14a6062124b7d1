"""Words, amounts and times as people read them; all are filters in every template."""

import re
from datetime import datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

from django import template
from django.conf import settings
from django.utils.formats import date_format, number_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from panelry import clock
from panelry.domain import ids, money

register = template.Library()

SYMBOLS: Final = {"USD": "$", "EUR": "€", "GBP": "£", "INR": "₹", "TRY": "₺"}
STATES: Final[dict[str, str | Promise]] = {
    "pending": gettext_lazy("Pending"),
    "processing": gettext_lazy("Processing"),
    "in_progress": gettext_lazy("In progress"),
    "completed": gettext_lazy("Completed"),
    "partial": gettext_lazy("Partial"),
    "cancelled": gettext_lazy("Cancelled"),
    "refunded": gettext_lazy("Refunded"),
}
OTHER_STATES: Final[dict[str, str | Promise]] = {
    "active": gettext_lazy("Active"),
    "ok": gettext_lazy("Working"),
    "paused": gettext_lazy("Paused"),
    "held": gettext_lazy("On hold"),
    "failing": gettext_lazy("Failing"),
    "retrying": gettext_lazy("Trying again"),
    "revoked": gettext_lazy("Revoked"),
}
MINUTE, HOUR, DAY = 60, 3_600, 86_400
_TIME: Final = re.compile(r"([0-9]{1,4}) ?(minute|hour|day|week|month)s?", re.IGNORECASE | re.ASCII)


@register.filter
def amount(micros: int) -> str:
    """Write micros for programs: `1234.50`."""
    return money.text(micros)


@register.filter
def priced(micros: int) -> str:
    """Write micros for people, exactly, in the wallets' currency: `$1,234.50`, `$0.278`."""
    exact = money.text(abs(micros))
    digits = number_format(
        Decimal(exact), decimal_pos=len(exact.partition(".")[2]), use_l10n=True, force_grouping=True
    )
    sign = "−" if micros < 0 else ""  # noqa: RUF001 (a true minus sign)
    symbol = SYMBOLS.get(settings.PANELRY_CURRENCY)
    return f"{sign}{symbol}{digits}" if symbol else f"{sign}{digits} {settings.PANELRY_CURRENCY}"


@register.filter
def counted(number: int) -> str:
    """Write a count for people: `12,500`."""
    return str(number_format(number, use_l10n=True, force_grouping=True))


@register.filter
def percent(number: Decimal) -> str:
    """Write a percentage: `7.5%`, in Turkish `%7,5`."""
    exact = format(number.normalize(), "f")
    digits = number_format(Decimal(exact), decimal_pos=len(exact.partition(".")[2]), use_l10n=True)
    return _("%(number)s%%") % {"number": digits}


@register.filter
def order_id(id_: UUID) -> str:
    """Write an order's id as customers know it."""
    return ids.show(ids.ORDER, id_)


@register.filter
def key_id(id_: UUID) -> str:
    """Write a key's id, which is no secret."""
    return ids.show(ids.KEY, id_)


@register.filter
def short(shown: str) -> str:
    """Shorten an id to what tells it apart; the whole belongs into `title`."""
    return f"{shown[:7]}…{shown[-5:]}"


@register.filter
def state_word(state: str) -> str:
    """Name a state; those that only staff see are shown as they are stored."""
    return str(STATES.get(state) or OTHER_STATES.get(state) or state.replace("_", " ").capitalize())


@register.filter
def exactly(at: datetime) -> str:
    """Write an instant in full."""
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


@register.filter
def ago(at: datetime) -> str:
    """Write how long ago something was; a date after a week."""
    seconds = max(int((clock.now() - at).total_seconds()), 0)
    if seconds < MINUTE:
        return _("just now")
    if seconds < HOUR:
        minutes = seconds // MINUTE
        return ngettext("%(minutes)d min ago", "%(minutes)d min ago", minutes) % {"minutes": minutes}
    if seconds < DAY:
        hours = seconds // HOUR
        return ngettext("%(hours)d h ago", "%(hours)d h ago", hours) % {"hours": hours}
    if seconds < 7 * DAY:
        days = seconds // DAY
        return ngettext("%(days)d day ago", "%(days)d days ago", days) % {"days": days}
    return date_format(at, "DATE_FORMAT")


@register.filter
def usual_time(text: str) -> str:
    """Write a service's usual time in the reader's language where it is a number and a unit; else as it was told."""
    match = _TIME.fullmatch(text.strip())
    if match is None:
        return text
    count = int(match[1])
    words = {
        "minute": ngettext("%(count)d minute", "%(count)d minutes", count),
        "hour": ngettext("%(count)d hour", "%(count)d hours", count),
        "day": ngettext("%(count)d day", "%(count)d days", count),
        "week": ngettext("%(count)d week", "%(count)d weeks", count),
        "month": ngettext("%(count)d month", "%(count)d months", count),
    }
    return words[match[2].lower()] % {"count": count}
