"""Evidently's drift report without what it computes and does not show.

Its preset measures every column a third time for figures that are not on the page, which is half of
its time. Importing this module imports Evidently, which takes seconds: only bodies do.
"""

from collections.abc import Sequence

from evidently.core.container import MetricOrContainer
from evidently.core.report import Context
from evidently.presets import DataDriftPreset


class DriftTable(DataDriftPreset):
    """The preset's page: the dataset's verdict, and a row a column with both distributions."""

    def generate_metrics(self, context: Context) -> Sequence[MetricOrContainer]:
        """Return the verdict alone; the table computes its columns itself."""
        return [super().generate_metrics(context)[0]]
