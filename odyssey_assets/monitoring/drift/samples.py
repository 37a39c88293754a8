"""What Evidently is given: samples as `measurement` judged them, column by column.

Columns without a score or a threshold cannot be judged and are left out. Which of the others
drifted belongs to `verdict`.
"""

from collections.abc import Iterable, Mapping

import numpy as np

from odyssey_assets.core.windows import Window
from odyssey_assets.monitoring.drift.ticker_drift import JudgedSample
from odyssey_assets.monitoring.drift.verdict import JudgedColumn, VerdictTask
from odyssey_assets.monitoring.tables import METHODS


def verdict_tasks(
    samples: Mapping[tuple[str, Window], JudgedSample],
    cells: Iterable[tuple[str, Window]],
    method: str,
    *,
    is_report_wanted: bool,
) -> tuple[VerdictTask, ...]:
    """Return what Evidently judges in each cell; nothing where there is no sample with a score.

    Args:
        samples: Of `measurement`.
        cells: Tickers and windows to judge.
        method: Distance that gives the verdict, a name in `METHODS`.
        is_report_wanted: Whether each of them is to have a report.
    """
    tasks = (
        _task(ticker, window, samples[ticker, window], method, is_report_wanted=is_report_wanted)
        for ticker, window in cells
        if (ticker, window) in samples
    )
    return tuple(task for task in tasks if task.columns)


def _task(
    ticker: str, window: Window, judged: JudgedSample, method: str, *, is_report_wanted: bool
) -> VerdictTask:
    at = METHODS.index(method)
    columns = zip(
        judged.names,
        judged.reference.T,
        judged.sample.T,
        judged.scores[:, at].tolist(),
        judged.thresholds[:, at].tolist(),
        strict=True,
    )
    return VerdictTask(
        ticker=ticker,
        window=window,
        as_of=judged.look.as_of,
        method=method,
        sessions=judged.sessions,
        columns=tuple(
            JudgedColumn(name, reference, sample, score, threshold)
            for name, reference, sample, score, threshold in columns
            if np.isfinite(score) and np.isfinite(threshold)
        ),
        is_report_wanted=is_report_wanted,
    )
