"""Serves figures to Prometheus over HTTP, in its text format.

A source of figures that cannot be read is reported by `odyssey_up` and a message, and keeps the
others from nothing. What the figures are belongs to the sources.
"""

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from odyssey_assets.errors import OdysseyError, SettingsError

METRICS_PATH = "/metrics"
LOGGER = logging.getLogger(__name__)


class MetricSource(Protocol):
    """Where figures come from."""

    name: str

    def families(self) -> Sequence[Family]:
        """Return all figures of this moment.

        Raises:
            OdysseyError: They cannot be read; the message says what to do.
        """
        ...


@contextmanager
def serve_metrics(sources: Sequence[MetricSource], host: str, port: int) -> Iterator[int]:
    """Serve the sources' figures for the length of the block; yield the port.

    Args:
        sources: Asked at every scrape, in this order, by several threads if scrapes overlap.
        host: Address to listen on.
        port: Port to listen on; 0 takes a free one.

    Raises:
        SettingsError: Another program listens there, or there is no such address.
    """
    registry = CollectorRegistry()
    registry.register(_Scrape(sources))
    try:
        server, thread = start_http_server(port, host, registry)
    except OSError as error:
        raise SettingsError(
            f"Metrics cannot be served on {host}:{port}: {error}. Choose another address with "
            "--host and --port."
        ) from error
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Scrape(Collector):
    """Asks every source and says which of them answered."""

    def __init__(self, sources: Sequence[MetricSource]) -> None:
        self._sources = tuple(sources)
        self._logged: dict[str, str] = {}

    def collect(self) -> Iterator[Family]:
        """Yield the figures of the sources that answer, then how asking went."""
        answers = _gauge("source_up", "Whether a source of figures could be read.", "source")
        seconds = _gauge("scrape_duration_seconds", "Time to read a source.", "source")
        problems = _gauge("source_problem_info", "Why it could not be read.", "source", "message")
        is_up = True
        for source in self._sources:
            started = time.perf_counter()
            problem = ""
            try:
                yield from source.families()
            except OdysseyError as error:
                problem = str(error)
                problems.add_metric([source.name, problem], 1.0)
            self._log(source.name, problem)
            is_up = is_up and not problem
            answers.add_metric([source.name], float(not problem))
            seconds.add_metric([source.name], time.perf_counter() - started)
        yield GaugeMetricFamily(
            "odyssey_up", "Whether every source of figures could be read.", value=float(is_up)
        )
        yield from (answers, seconds, problems)

    def _log(self, source: str, problem: str) -> None:
        """Log a problem when it is new, and that it has gone: scrapes come every few seconds."""
        before = self._logged.get(source, "")
        self._logged[source] = problem
        if problem and problem != before:
            LOGGER.warning("%s: %s", source, problem)
        elif before and not problem:
            LOGGER.warning("%s: can be read again", source)


def _gauge(name: str, description: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"odyssey_{name}", description, labels=labels)
