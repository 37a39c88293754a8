"""Evidently's verdict on a sample: whether what a model sees is still what it learned from.

Evidently measures every column with the method of the settings and holds it against the threshold
that the ticker's own past set; one column beyond its threshold is a verdict. The report for people
is Evidently's too. Tickers are judged in processes of their own, because a report takes seconds.
Thresholds belong to `monitoring.drift.calibration`, files to `monitoring.drift.reports`.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from datetime import date
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from odyssey_assets.core.parallel import run_tasks
from odyssey_assets.core.windows import Window
from odyssey_assets.monitoring.tables import PREDICTION

EVIDENTLY_NAMES = {
    "psi": "psi",
    "ks": "ks",
    "jensen_shannon": "jensenshannon",
    "wasserstein": "wasserstein",
}
# A process costs the seconds of importing Evidently, about as much as this many verdicts.
MIN_TASKS_A_WORKER = 4
# Evidently's figures and ours agree to a billionth: closer than this, both are on the threshold.
_TIE = 1e-7


@dataclass(frozen=True, eq=False)
class JudgedColumn:
    """One input of the model, or its forecasts.

    Attributes:
        name: Name of the feature, or `prediction`.
        reference: What the model learned from, float64, shape (reference rows,); may hold NaN.
        sample: The window's sessions, float64, shape (sessions,); may hold NaN.
        score: Distance as `monitoring.drift` has it.
        threshold: Distance beyond which the column counts as drifted, likewise.
    """

    name: str
    reference: np.ndarray
    sample: np.ndarray
    score: float
    threshold: float


@dataclass(frozen=True, eq=False)
class VerdictTask:
    """One sample to judge.

    Attributes:
        ticker: The ticker.
        window: Its window.
        as_of: Last session of the sample.
        method: A name in `METHODS`.
        sessions: Sessions of the sample, datetime64, shape (sessions,).
        columns: The columns; those that cannot be measured are left out. At least one.
        is_report_wanted: Whether to write a report even if nothing drifted.
    """

    ticker: str
    window: Window
    as_of: date
    method: str
    sessions: np.ndarray
    columns: tuple[JudgedColumn, ...]
    is_report_wanted: bool = False


@dataclass(frozen=True)
class Verdict:
    """What Evidently says about a sample.

    Attributes:
        is_drifted: Whether any column drifted.
        drifted_columns: How many did.
        share_drifted: Their share of the columns judged.
        html: The report; None where nothing drifted and nobody asked for one.
    """

    is_drifted: bool
    drifted_columns: int
    share_drifted: float
    html: str | None


def judge_samples(
    tasks: Sequence[VerdictTask], workers: int | None
) -> Generator[tuple[VerdictTask, Verdict], None, None]:
    """Yield the verdict on every task as it is given.

    Args:
        tasks: Samples to judge.
        workers: Processes at most; None for one a core.

    Raises:
        TrainingError: A process died.
    """
    for position, verdict in run_tasks(_judge, None, tasks, workers, MIN_TASKS_A_WORKER):
        yield tasks[position], verdict


def judge(task: VerdictTask) -> Verdict:
    """Return Evidently's verdict on one sample, with a report if it drifted or one is wanted."""
    from evidently import Report
    from evidently.metrics import DriftedColumnsCount

    from odyssey_assets.monitoring.drift.evidently_report import DriftTable

    names = [column.name for column in task.columns]
    options = {
        "columns": names,
        "per_column_method": dict.fromkeys(names, EVIDENTLY_NAMES[task.method]),
        "per_column_threshold": {
            column.name: evidently_threshold(task.method, column) for column in task.columns
        },
        # Evidently calls a dataset drifted from this share on: one column is enough.
        "drift_share": 0.5 / len(names),
    }
    sample, reference = _datasets(task)
    html = None
    # Correlations of columns that do not vary, which only the report shows, divide by zero.
    with np.errstate(divide="ignore", invalid="ignore"):
        counted = Report([DriftedColumnsCount(**options)], include_tests=True)
        result = counted.run(sample, reference).dict()
        is_drifted = result["tests"][0]["status"] == "FAIL"
        if is_drifted or task.is_report_wanted:
            table = Report([DriftTable(**options)], include_tests=False)
            html = _titled(table.run(sample, reference).get_html_str(as_iframe=False), task)
    count = result["metrics"][0]["value"]
    return Verdict(is_drifted, int(count["count"]), float(count["share"]), html)


def evidently_threshold(method: str, column: JudgedColumn) -> float:
    """Return the threshold by which Evidently decides as we do: above it is drifted.

    Evidently counts a score on the threshold as drifted and its last digits differ from ours, so a
    score that lies on it (the verdict's own threshold is a score's) is kept on our side. For the
    Kolmogorov-Smirnov method Evidently compares p-values, and a small one is drifted.
    """
    side = 1.0 if column.score > column.threshold else -1.0
    if method != "ks":
        is_tie = abs(column.score - column.threshold) <= _TIE * abs(column.threshold)
        return column.threshold * (1.0 - 2 * _TIE * side) if is_tie else column.threshold
    from odyssey_assets.monitoring.drift.scores import ks_p_value

    rows, size = (int(np.isfinite(each).sum()) for each in (column.reference, column.sample))
    # The statistic is a whole number of these steps: nothing lies between one and the next.
    step, own = np.floor(column.threshold * rows * size + _TIE), column.score * rows * size
    usual, strange = (ks_p_value(each / (rows * size), rows, size) for each in (step, step + 1))
    threshold = (usual + strange) / 2
    if abs(own - step) < 2:
        p_value = ks_p_value(column.score, rows, size)
        threshold = side * max(side * threshold, side * p_value * (1.0 + _TIE * side))
    return float(threshold)


def _judge(_: None, task: VerdictTask) -> Verdict:
    return judge(task)


def _datasets(task: VerdictTask) -> tuple[Any, Any]:
    """Return sample and reference as Evidently takes them; columns may differ in length."""
    from evidently import DataDefinition, Dataset

    names = [column.name for column in task.columns]
    definition = DataDefinition(numerical_columns=names)
    sample = pd.DataFrame(
        {column.name: _finite(column.sample) for column in task.columns},
        index=pd.DatetimeIndex(task.sessions, name="date"),
    )
    reference = pd.DataFrame(
        {column.name: pd.Series(_finite(column.reference)) for column in task.columns}
    )
    return (
        Dataset.from_pandas(sample, data_definition=definition),
        Dataset.from_pandas(reference, data_definition=definition),
    )


def _finite(values: np.ndarray) -> np.ndarray:
    """Return infinite values as nulls: Evidently leaves both out, but cannot draw the former."""
    return np.where(np.isfinite(values), values, np.nan)


def _titled(html: str, task: VerdictTask) -> str:
    """Return the page with a title that says what it shows, which Evidently's does not."""
    title = f"{task.ticker}: inputs of its model, {task.window.key} to {task.as_of}"
    note = (
        f"{len(task.sessions)} sessions held against what the serving model learned from, by "
        f"{EVIDENTLY_NAMES[task.method]}. Each column has the threshold that the ticker's own past "
        f"sets; `{PREDICTION}` is the model's forecast."
    )
    if task.method == "ks":
        note += " Drift scores are p-values here: the smaller, the farther."
    heading = (
        '<header style="font-family:sans-serif;margin:16px 32px 0">'
        f'<h2 style="margin:0">{escape(title)}</h2><p style="margin:4px 0">{escape(note)}</p>'
        "</header>"
    )
    start = html.index(">", html.index("<body")) + 1
    head = html.index(">", html.index("<head")) + 1
    return f"{html[:head]}<title>{escape(title)}</title>{html[head:start]}{heading}{html[start:]}"
