"""What Evidently is given: samples as `measurement` judged them, column by column.

Columns without a score or a threshold cannot be judged and are left out. Where no score lies beyond
its threshold, Evidently looks at the model's own features and its forecasts; where one does, or a
report is wanted, at all inputs, so that its verdict and its page are whole. Which of them drifted
belongs to `verdict`.
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
    scores, thresholds = judged.scores[:, at], judged.thresholds[:, at]
    is_judged = np.isfinite(scores) & np.isfinite(thresholds)
    if not (is_report_wanted or (scores[is_judged] > thresholds[is_judged]).any()):
        is_judged &= judged.is_kept
    return VerdictTask(
        ticker=ticker,
        window=window,
        as_of=judged.look.as_of,
        method=method,
        sessions=judged.sessions,
        columns=tuple(
            JudgedColumn(
                judged.names[column],
                judged.reference[:, column],
                judged.sample[:, column],
                float(scores[column]),
                float(thresholds[column]),
            )
            for column in np.flatnonzero(is_judged)
        ),
        is_report_wanted=is_report_wanted,
    )
