"""What monitoring reads at /metrics: counted in this process, or read from the database (docs/operators/metrics.md)."""

from panelry.metrics.counting import Metrics, Outcome
from panelry.metrics.readings import Readings, overdue

__all__ = ["Metrics", "Outcome", "Readings", "overdue"]
