"""What error texts mean. Data: a text that is not here, nor in the provider's own table, means nothing.

A substring stands here only where the text says that nothing was bought: what it is mapped to may be sent again, here
or elsewhere.
"""

from collections.abc import Mapping
from typing import Final

from panelry.connectors.panel_v2 import words
from panelry.domain.providers import Delay, Rejection

ErrorTable = tuple[tuple[str, Rejection | Delay], ...]
"""Lower-case substrings and what they mean; the first that occurs in a text decides, so the order matters."""

CLASSIC: Final[ErrorTable] = (
    # Before the links: "neworder.error.link_duplicate" contains "error.link".
    ("active order with this link", Delay.DUPLICATE_LINK),
    ("active order for this link", Delay.DUPLICATE_LINK),
    ("already an active order", Delay.DUPLICATE_LINK),
    ("already have an active order", Delay.DUPLICATE_LINK),
    ("link_duplicate", Delay.DUPLICATE_LINK),
    ("orden activa con este enlace", Delay.DUPLICATE_LINK),
    ("pedido activo con este enlace", Delay.DUPLICATE_LINK),
    ("pedido ativo com este link", Delay.DUPLICATE_LINK),
    ("уже есть активный заказ", Delay.DUPLICATE_LINK),
    ("too many requests", Delay.RATE),
    ("rate limit exceeded", Delay.RATE),
    ("demasiadas solicitudes", Delay.RATE),
    ("слишком много запросов", Delay.RATE),
    # Before "… is required".
    ("invalid api key", Rejection.KEY),
    ("incorrect api key", Rejection.KEY),
    ("wrong api key", Rejection.KEY),
    ("api key is invalid", Rejection.KEY),
    ("api key is incorrect", Rejection.KEY),
    ("api key is required", Rejection.KEY),
    ("invalid_api_key", Rejection.KEY),
    ("incorrect_api_key", Rejection.KEY),
    ("api is disable", Rejection.KEY),
    ("clave api incorrecta", Rejection.KEY),
    ("clave de api incorrecta", Rejection.KEY),
    ("неверный api ключ", Rejection.KEY),
    ("not enough funds", Rejection.FUNDS),
    ("not_enough_funds", Rejection.FUNDS),
    ("insufficient balance", Rejection.FUNDS),
    ("insufficient funds", Rejection.FUNDS),
    ("insufficient_balance", Rejection.FUNDS),
    ("insufficient_funds", Rejection.FUNDS),
    ("not enough balance", Rejection.FUNDS),
    ("no tiene fondos", Rejection.FUNDS),
    ("fondos insuficientes", Rejection.FUNDS),
    ("saldo insuficiente", Rejection.FUNDS),
    ("solde insuffisant", Rejection.FUNDS),
    ("yetersiz bakiye", Rejection.FUNDS),
    ("недостаточно средств", Rejection.FUNDS),
    ("incorrect service id", Rejection.SERVICE),
    ("incorrect_service_id", Rejection.SERVICE),
    ("invalid service id", Rejection.SERVICE),
    ("service id does not exist", Rejection.SERVICE),
    ("service id doesn't exist", Rejection.SERVICE),
    ("service not found", Rejection.SERVICE),
    ("service_not_found", Rejection.SERVICE),
    ("servicio no encontrado", Rejection.SERVICE),
    ("услуга не найдена", Rejection.SERVICE),
    ("quantity less than", Rejection.QUANTITY),
    ("quantity more than", Rejection.QUANTITY),
    ("quantity must be", Rejection.QUANTITY),
    ("quantity is required", Rejection.QUANTITY),
    ("out of range", Rejection.QUANTITY),
    ("min_quantity", Rejection.QUANTITY),
    ("max_quantity", Rejection.QUANTITY),
    ("bad link", Rejection.LINK),
    ("incorrect link", Rejection.LINK),
    ("invalid link", Rejection.LINK),
    ("wrong link", Rejection.LINK),
    ("link required", Rejection.LINK),
    ("link is required", Rejection.LINK),
    ("incorrect_link", Rejection.LINK),
    ("error.link", Rejection.LINK),
    ("enlace incorrecto", Rejection.LINK),
    ("неверная ссылка", Rejection.LINK),
    ("does not support drip", Rejection.EXTRAS),
    ("doesn't support drip", Rejection.EXTRAS),
    ("is required", Rejection.EXTRAS),
)

# api-v2.md §1 to §5. "request_id was already used with different parameters" is missing on purpose: a person looks.
PANELRY: Final[ErrorTable] = (
    ("account suspended", Rejection.KEY),
    ("link must be", Rejection.LINK),
    ("missing required parameter: link", Rejection.LINK),
    ("missing required parameter: quantity", Rejection.QUANTITY),
    ("missing required parameter: request_id", Rejection.EXTRAS),
    ("missing required parameter:", Rejection.EXTRAS),
    ("drip-feed is not available", Rejection.EXTRAS),
    *CLASSIC,
    ("must be a positive integer", Rejection.EXTRAS),
    ("must be at most", Rejection.EXTRAS),
    ("must be between", Rejection.EXTRAS),
    # Last, because its reason is free text. Another provider may accept the same order.
    ("order not accepted:", Rejection.EXTRAS),
)


# The tables below: lower case, with "_" and "-" read as spaces.

PASSING: Final = (
    "internal error",
    "internal server error",
    "service temporarily unavailable",
    "under maintenance",
    "temporary error",
)
"""What says nothing about the order: the provider is not well, and may answer later."""

CANCEL_ASKED: Final = (
    "already requested",
    "already been requested",
    "already sent",
    "already been sent",
    "already submitted",
    "already canceled",
    "already cancelled",
    "already been canceled",
    "already been cancelled",
    "already is canceled",
    "already is cancelled",
    "cancel request already",
    "cancel request is pending",
    "cancel already pending",
    "cancel is already pending",
    "cancellation already",
    "cancellation is already",
    "ya fue cancelad",
    "ya ha sido cancelad",
    "ya está cancelad",
    "ya fue solicitad",
    "ya ha sido solicitad",
    "já foi cancelad",
    "já está cancelad",
    "já foi solicitad",
    "déjà annulé",
    "déjà été annulé",
    "déjà demandé",
    "уже отмен",
    "отмена уже",
    "zaten iptal",
)
"""What refuses a cancel because it was asked for before."""

REFILL_OPEN: Final = (
    "already pending",
    "already requested",
    "already been requested",
    "already sent",
    "already been sent",
    "already submitted",
    "already been submitted",
    "already refilling",
    "already being refilled",
    "refill request already",
    "refill already exists",
    "refill already active",
    "refill already open",
    "refill already in pro",
    "refill is already in pro",
    "refill already processing",
    "refill is already processing",
    "refill is already active",
    "refill in progress",
    "refill is in progress",
    "refill is pending",
    "refill is being processed",
    "refill task is not completed",
    "refill is not completed",
    "already has a pending refill",
    "already has an active refill",
    "have a pending refill",
    "have an active refill",
    "there is a pending refill",
    "there is an active refill",
    "already a pending refill",
    "already an active refill",
    "ya está pendiente",
    "ya fue solicitad",
    "ya ha sido solicitad",
    "recarga en curso",
    "recarga en proceso",
    "recarga pendiente",
    "refill pendiente",
    "reposición pendiente",
    "reposición en curso",
    "já está pendente",
    "já foi solicitad",
    "já existe uma reposição",
    "já existe um refil",
    "reposição pendente",
    "reposição em andamento",
    "refil pendente",
    "refil em andamento",
    "déjà demandé",
    "déjà en attente",
    "recharge en cours",
    "уже запрошен",
    "уже отправлен",
    "уже в обработке",
    "рефилл уже",
    "восстановление уже",
    "zaten beklemede",
    "zaten talep",
    "telafi talebi zaten",
)
"""What refuses a refill because one is under way. "Order is in progress" is not that: it has not been delivered yet."""


def meaning(text: str, own: Mapping[str, Rejection | Delay], table: ErrorTable) -> Rejection | Delay | None:
    """Return what an error text means, by the provider's own table first; `None` where nobody mapped it."""
    plain = " ".join(text.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").split())
    return next((means for part, means in (*own.items(), *table) if part and part in plain), None)


def says(text: str, parts: tuple[str, ...]) -> bool:
    """Tell whether a text says one of the things of a table of plain texts."""
    plain = words.plain(text)
    return any(part in plain for part in parts)
