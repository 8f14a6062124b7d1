"""The dialect that almost every panel speaks, "API v2" (upstream-dialects.md), and our own, which is one of its bends."""

from collections.abc import Mapping
from typing import Final

from panelry.connectors.panel_v2.client import PanelV2
from panelry.connectors.panel_v2.errors import CLASSIC, PANELRY, ErrorTable

DIALECTS: Final[Mapping[str, ErrorTable]] = {"panel_v2": CLASSIC, "panelry": PANELRY}
"""The error texts of each dialect by its name; nothing else differs."""

__all__ = ["DIALECTS", "PanelV2"]
