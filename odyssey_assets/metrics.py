"""What `odyssey metrics` serves: the figures of the published database, and those of the runs.

Which figures there are belongs to `monitoring.metrics` and `infrastructure.run_metrics`, how they
travel to `infrastructure.metrics_server`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from odyssey_assets.core.metrics import MetricQuery
from odyssey_assets.infrastructure.home import home_of, load_settings
from odyssey_assets.infrastructure.metrics_server import serve_metrics
from odyssey_assets.infrastructure.partitions import last_session
from odyssey_assets.infrastructure.published_metrics import PublishedMetrics
from odyssey_assets.infrastructure.run_metrics import RunMetrics
from odyssey_assets.monitoring.metrics.data_health import data_health_queries
from odyssey_assets.monitoring.metrics.model_health import MODEL_HEALTH_QUERIES
from odyssey_assets.monitoring.metrics.policy_health import POLICY_HEALTH_QUERIES
from odyssey_assets.monitoring.metrics.portfolio import PORTFOLIO_QUERIES


@contextmanager
def serve_home(root: Path | None, host: str, port: int) -> Iterator[int]:
    """Serve the figures of a home for the length of the block; yield the port.

    Args:
        root: Folder of the home; None takes the one that the settings name.
        host: Address to listen on.
        port: Port to listen on; 0 takes a free one.

    Raises:
        SettingsError: The settings are not usable, or nothing can listen there.
    """
    home = home_of(load_settings(home=root))

    def queries() -> tuple[MetricQuery, ...]:
        """Look the last session up anew: days pass, and a run may change what the home holds."""
        expected = last_session(load_settings(home=home.root))
        return (
            *data_health_queries(expected),
            *MODEL_HEALTH_QUERIES,
            *POLICY_HEALTH_QUERIES,
            *PORTFOLIO_QUERIES,
        )

    sources = (
        PublishedMetrics(home.published, home.published_states, queries),
        RunMetrics(home.dagster / "history"),
    )
    with serve_metrics(sources, host, port) as taken:
        yield taken
