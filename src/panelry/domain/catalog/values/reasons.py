"""Why something about the catalogue is refused."""

from panelry.domain.refusals import OperatorRefusal, Refusal


class ServiceNotFound(Refusal):
    """It was refused because no service on sale has this id."""


class CurrencyRateMissing(OperatorRefusal):
    """It was refused because the provider counts in another currency and its worth in ours is not known."""


class ProviderServiceNotFound(OperatorRefusal):
    """It was refused because the provider's list, as last read, has no service with this id."""


class UnknownService(OperatorRefusal):
    """It was refused because no service has this id."""


class UnknownRoute(OperatorRefusal):
    """It was refused because no route has this id."""


class InvalidValue(OperatorRefusal):
    """It was refused because the field cannot have this value."""


class SoldBelowCost(OperatorRefusal):
    """It was refused because customers would pay less than it costs: change the rate, or allow below_cost."""


class RouteExists(OperatorRefusal):
    """It was refused because the service is bought this way already."""


class TypesDiffer(OperatorRefusal):
    """It was refused because the provider's service is of another type."""


class RouteUnclear(OperatorRefusal):
    """It was refused because the provider's list leaves its price to be guessed."""


class MoveNotHeld(OperatorRefusal):
    """It was refused because no price move of this number waits to be decided."""
