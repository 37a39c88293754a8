"""What a figure for Prometheus is: its name, its meaning, and the query that gives it.

Names follow Prometheus: base units in the name, `_ratio` for shares of one, `_total` for counts
that only grow, `_is_` for 0 or 1. Which figures there are belongs to `monitoring.metrics`; reading
and serving them to `infrastructure`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

MetricKind = Literal["gauge", "counter"]


@dataclass(frozen=True)
class Metric:
    """One figure, of which a query gives a value a combination of labels.

    Attributes:
        name: Name in Prometheus, prefix and unit included.
        description: What it is, in one line.
        column: Column of the query that holds it; a null is no value.
        kind: `counter` for what only grows, else `gauge`.
        convert: Turns the column's value, never null, into the figure. It runs at every scrape, so
            that a figure may depend on the hour as well as on what was published.
    """

    name: str
    description: str
    column: str
    kind: MetricKind = "gauge"
    convert: Callable[[Any], float] = float


@dataclass(frozen=True)
class MetricQuery:
    """A query whose rows are values of one or more metrics.

    Attributes:
        labels: Columns that tell the rows apart, all of them text.
        metrics: What the other columns are.
        sql: The query.
    """

    labels: tuple[str, ...]
    metrics: tuple[Metric, ...]
    sql: str
