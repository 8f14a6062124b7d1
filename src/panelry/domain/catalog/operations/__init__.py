"""All that changes what is sold and how it is bought, one file for each occasion."""

from panelry.domain.catalog.operations.importing import add_services, import_services
from panelry.domain.catalog.operations.syncing import close_routes

__all__ = ["add_services", "close_routes", "import_services"]
