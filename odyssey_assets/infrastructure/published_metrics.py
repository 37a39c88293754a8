"""Figures from the published database, in the terms of Prometheus.

The file is opened when it is new, read once and closed: a publication is never held up, and nobody
who opens the file to write is kept waiting for longer than the reading. Which figures there are is
an argument; the calls that serve them belong to `metrics_server`.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric as Family

from odyssey_assets.core.metrics import Metric, MetricQuery
from odyssey_assets.errors import WarehouseError
from odyssey_assets.infrastructure.publishing import stored_states

Row = Mapping[str, Any]
Identity = tuple[int, int, int]
OTHER_PROCESS_WRITES = "Could not set lock"


class PublishedMetrics:
    """The figures of one published database; safe to ask from several threads at once."""

    name = "published"

    def __init__(
        self, published: Path, states: Path, queries: Callable[[], Sequence[MetricQuery]]
    ) -> None:
        """Remember where to read.

        Args:
            published: The file for people.
            states: The folder of its last states, which nobody writes. The newest is read while a
                person has `published` open for writing.
            queries: Gives the queries of a scrape; the SQL is the same each time.
        """
        self._published = published
        self._states = states
        self._queries = queries
        self._lock = threading.Lock()
        self._identity: Identity | None = None
        self._stored: dict[str, list[Row] | None] = {}

    def families(self) -> list[Family]:
        """Return every metric with its values, those of older publications without values.

        Raises:
            OdysseyError: Nothing is published, the file cannot be read, or the queries cannot be
                made.
        """
        queries = self._queries()
        with self._lock:
            size, modified_at = self._refresh([query.sql for query in queries])
            stored = dict(self._stored)
        found: list[Family] = [
            _gauge("odyssey_published_size_bytes", "Size of the published database.", size),
            _gauge(
                "odyssey_published_timestamp_seconds",
                "When the database was published, seconds since the epoch.",
                modified_at,
            ),
        ]
        available = GaugeMetricFamily(
            "odyssey_metric_is_available",
            "Whether the published database has the tables that the metric is read from.",
            labels=["metric"],
        )
        for query in queries:
            rows = stored[query.sql]
            for metric in query.metrics:
                found.append(_family(query, metric, rows or ()))
                available.add_metric([metric.name], float(rows is not None))
        return [*found, available]

    def _refresh(self, statements: Sequence[str]) -> tuple[int, float]:
        """Read the file if it is another than last time; return its size and when it was made."""
        try:
            found = self._published.stat()
        except OSError as error:
            raise WarehouseError(
                f"Nothing is published at {self._published} ({error}). Run `odyssey run`, or name "
                "the home with --home."
            ) from error
        identity = (found.st_ino, found.st_mtime_ns, found.st_size)
        if identity != self._identity:
            self._stored = self._read(statements)
            self._identity = identity
        return found.st_size, found.st_mtime

    def _read(self, statements: Sequence[str]) -> dict[str, list[Row] | None]:
        try:
            with self._connect() as connection:
                return {sql: _rows(connection, sql) for sql in statements}
        except duckdb.Error as error:
            raise WarehouseError(
                f"{self._published} cannot be read: {error}. If it is damaged, `odyssey run` "
                "publishes it anew."
            ) from error

    def _connect(self) -> duckdb.DuckDBPyConnection:
        try:
            return duckdb.connect(str(self._published), read_only=True)
        except duckdb.IOException as error:
            states = stored_states(self._states)
            if OTHER_PROCESS_WRITES not in str(error) or not states:
                raise
            return duckdb.connect(str(states[-1]), read_only=True)


def _rows(connection: duckdb.DuckDBPyConnection, sql: str) -> list[Row] | None:
    """Return the rows of a query; None where the publication lacks a table or column of it."""
    try:
        result = connection.execute(sql)
    except (duckdb.CatalogException, duckdb.BinderException):
        return None
    names = [column[0] for column in result.description or ()]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def _family(query: MetricQuery, metric: Metric, rows: Sequence[Row]) -> Family:
    make = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
    family = make(metric.name, metric.description, labels=list(query.labels))
    for row in rows:
        value = row[metric.column]
        if value is not None:
            labels = ["" if row[name] is None else str(row[name]) for name in query.labels]
            family.add_metric(labels, metric.convert(value))
    return family


def _gauge(name: str, description: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, description, value=value)
