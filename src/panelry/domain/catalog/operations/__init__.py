"""All that changes what is sold and how it is bought, one file for each occasion."""

from panelry.domain.catalog.operations.editing import add_route, set_route, set_service
from panelry.domain.catalog.operations.importing import add_services, import_services
from panelry.domain.catalog.operations.syncing import approve_moves, close_routes, refuse_moves, sync

__all__ = [
    "add_route",
    "add_services",
    "approve_moves",
    "close_routes",
    "import_services",
    "refuse_moves",
    "set_route",
    "set_service",
    "sync",
]
