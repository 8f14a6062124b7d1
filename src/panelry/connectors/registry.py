"""Which connector speaks which dialect."""

from panelry.connectors import panel_v2
from panelry.connectors.http import HttpClient
from panelry.domain.providers import Connector, Provider
from panelry.domain.refusals import PermanentFailure


def connect(provider: Provider, http: HttpClient) -> Connector:
    """Return the connector for a provider's dialect; raises `PermanentFailure` for a dialect nobody speaks."""
    errors = panel_v2.DIALECTS.get(provider.dialect.name)
    if errors is None:
        raise PermanentFailure(f"no connector speaks the dialect {provider.dialect.name!r}")
    return panel_v2.PanelV2(provider, http, errors)
