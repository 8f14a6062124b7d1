"""What endpoints are told, in the order of the domain's own list: a meaning and a body for each event."""

from collections.abc import Mapping
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

_FIRST: Final = {"order": "ord_01M82JTC7HFFSV88X6951Q73K7", "request_id": "invoice-4000"}
_REFILL: Final = {"refill": "ref_01M82JTC8SF7R8DW7Z07Z3CJM1", "order": "ord_01M82JTC8JFERTE1NZGG1N0HH1"}


def _body(id_: str, type_: str, at: str, data: Mapping[str, Any], sequence: int) -> dict[str, Any]:
    stamp = f"2026-11-22T{at}Z"
    return {"id": f"evt_{id_}", "type": type_, "timestamp": stamp, "data": {**data, "sequence": sequence}}


def _standing(status: str, charge: str, start_count: str, remains: str) -> dict[str, str]:
    return {
        "status": status,
        "charge": charge,
        "start_count": start_count,
        "remains": remains,
        "currency": "USD",
    }


def _order(name: str, request_id: str) -> dict[str, str]:
    return {"order": f"ord_{name}", "request_id": request_id}


_TOLD: Final[tuple[tuple[str | Promise, dict[str, Any]], ...]] = (
    (
        _(
            "The order exists and is paid for. The runs of a drip-feed are not told one by one: theirs is the order that "
            "asked for them."
        ),
        _body("01M82JTC7HEHH8TBGTKETQZ7Z2", "order.created", "21:32:57", {**_FIRST, **_standing("pending", "4.00", "0", "4000")}, 1),
    ),
    (
        _("It is being sent on. Where that came to nothing it waits as `pending`, untold, and this may be told again."),
        _body("01M82JTC7PE6KS53DJ0GQQFC4X", "order.processing", "21:32:57", {**_FIRST, **_standing("processing", "4.00", "0", "4000")}, 2),
    ),
    (
        _("Delivery has begun. Counts that change later are told with the next event, or asked for with `status`."),
        _body("01M82JTC7VFVM8R0Y3SK94X229", "order.in_progress", "21:32:59", {**_FIRST, **_standing("in_progress", "4.00", "1830", "3200")}, 3),
    ),
    (
        _("All of it was delivered."),
        _body("01M82JTC8RF2QTMH63NKFNRS0R", "order.completed", "21:33:12", {**_order("01M82JTC8JFERTE1NZGG1N0HH1", "invoice-500"), **_standing("completed", "0.50", "1830", "0")}, 3),
    ),
    (
        _("Part of it was delivered. What was not is paid back: `charge` says what the order costs now."),
        _body("01M82JTC7XFMKRPSGXY7WYNKC4", "order.partial", "21:33:40", {**_FIRST, **_standing("partial", "3.00", "1830", "1000")}, 4),
    ),
    (
        _("It was cancelled, by you, the operator or who delivers."),
        _body("01M82JTC85FD5TT5QVGBBRS317", "order.cancelled", "21:33:05", {**_order("01M82JTC81ET7SNSQCXP72YS0H", "invoice-2000"), **_standing("cancelled", "0.00", "0", "2000")}, 2),
    ),
    (
        _("It could not be delivered. Its status is `refunded`."),
        _body("01M82JTC8EEJRVXHHRZTZJVN8E", "order.failed", "21:33:07", {**_order("01M82JTC89FM88AA0M93E81CF6", "invoice-1000"), **_standing("refunded", "0.00", "0", "1000")}, 3),
    ),
    (
        _(
            "Money went back to the wallet, whatever the reason: `refund` says how much. It comes beside the event of the "
            "ending, and later again where the provider corrects its counts; add them up. What a coupon had paid does not go "
            "to the wallet and is not counted."
        ),
        _body("01M82JTC7XFS9VS0PJWECCR2KM", "order.refunded", "21:33:40", {**_FIRST, **_standing("partial", "3.00", "1830", "1000"), "refund": "1.00"}, 5),
    ),
    (
        _("You asked for a refill, or somebody did for you."),
        _body("01M82JTC8VFH2BD3KMAKRHZZPB", "refill.created", "21:35:57", {**_REFILL, "status": "pending"}, 1),
    ),
    (
        _("What had dropped is there again."),
        _body("01M82JTC8YFSNBT0DDNFBFSEWR", "refill.completed", "21:38:57", {**_REFILL, "status": "completed"}, 2),
    ),
    (
        _("Nothing was refilled, and it does not count towards the limit."),
        _body("01M82JTC91EZ4V6YVJ4W3H9YS9", "refill.rejected", "21:39:57", {**_REFILL, "refill": "ref_01M82JTC8YEZ5S2E09NPARWSJJ", "status": "rejected"}, 2),
    ),
    (
        _(
            "The balance fell below the account's threshold, which the panel's operator sets for you. It is told again when "
            "the balance has been above it and falls below once more."
        ),
        _body("01M82JTC93F4JARK7J2S2VZHJE", "balance.low", "21:40:57", {"balance": "10.50", "threshold": "15.00", "currency": "USD"}, 9),
    ),
    (
        _("You asked for it with `webhook.test`, to see that your endpoint works."),
        _body("01M82JTC94F4N86A6KBR76CGVC", "webhook.test", "21:33:57", {"webhook": "whk_01M82JTC7DE52VECKXJPD3VNH9"}, 1),
    ),
)  # fmt: skip

EVENTS: Final[Mapping[str, tuple[str | Promise, dict[str, Any]]]] = {told[1]["type"]: told for told in _TOLD}
"""By the event's name."""
