"""Queries of metrics over hand-made rows, read the way a scrape reads them."""

from collections.abc import Sequence
from pathlib import Path

from odyssey_assets.core.metrics import MetricQuery
from odyssey_assets.infrastructure.published_metrics import PublishedMetrics
from odyssey_assets_tests.contract_rows import Rows, store
from odyssey_assets_tests.samples import Samples, samples_of


def figures_of(root: Path, rows: Rows, queries: Sequence[MetricQuery]) -> Samples:
    """Store and publish the rows in a new home, and return the figures that the queries give."""
    warehouse = store(root, rows)
    warehouse.publish()
    home = warehouse.home
    metrics = PublishedMetrics(home.published, home.published_states, lambda: queries)
    return samples_of(metrics.families())
