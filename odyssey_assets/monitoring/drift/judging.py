"""From measured drift to the stored verdict: Evidently judges, reports are written, old ones go.

A report that cannot be written costs no verdict: what went wrong is said, and the next run tries
again. What Evidently is given belongs to `samples`, its verdict to `verdict`, files to `reports`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from odyssey_assets.core.windows import Window
from odyssey_assets.errors import ReportError
from odyssey_assets.monitoring.drift.reports import remove_oldest, report_path, write_report
from odyssey_assets.monitoring.drift.tabulation import severity_of
from odyssey_assets.monitoring.drift.verdict import Verdict, VerdictTask, judge_samples
from odyssey_assets.settings_sections import DriftSettings


@dataclass(frozen=True)
class Judged:
    """What came of a run.

    Attributes:
        summary: Rows of `monitoring.drift_summary` with Evidently's verdicts and paths of reports.
        reports: What was judged and its report, of those that were written and still are there.
        problems: What went wrong on the way, for people.
    """

    summary: pd.DataFrame
    reports: tuple[tuple[VerdictTask, Path], ...]
    problems: tuple[str, ...]


def cells_to_judge(
    windows_by_ticker: Mapping[str, Sequence[Window]], running: Window, reports_wanted: int
) -> list[tuple[str, Window]]:
    """Return the tickers and windows of a run that Evidently judges, newest windows first.

    Args:
        windows_by_ticker: What the run measures.
        running: The window that holds the last session: it is judged always.
        reports_wanted: How many cells a report is wanted of; the newest ones come first.
    """
    cells = [(ticker, window) for ticker, own in windows_by_ticker.items() for window in own]
    cells.sort(key=lambda cell: (-cell[1].start.toordinal(), cell[0]))
    is_running = [window == running for _, window in cells]
    return [cell for at, cell in enumerate(cells) if is_running[at] or at < reports_wanted]


def judge_and_report(
    summary: pd.DataFrame,
    tasks: Sequence[VerdictTask],
    running: Window,
    reports: Path,
    settings: DriftSettings,
    workers: int | None,
) -> Judged:
    """Have Evidently judge the tasks; its verdicts on the running window take the place of ours.

    Args:
        summary: Rows of `monitoring.drift_summary` as they follow from the scores.
        tasks: Newest samples of the running window, and whatever else a report is wanted of.
        running: The window that holds the last session.
        reports: The home's folder of reports.
        settings: Where severe drift begins, and how many reports stay.
        workers: Processes at most; None for one a core.

    Raises:
        TrainingError: A process died.
    """
    judged, problems = summary.copy(), list[str]()
    written: list[tuple[VerdictTask, Path]] = []
    for task, verdict in judge_samples(tasks, workers):
        if task.window == running:
            problems += _apply(judged, task, verdict, settings)
        if verdict.html is None:
            continue
        file = report_path(reports, task.ticker, task.window, task.as_of)
        try:
            write_report(file, verdict.html)
            written.append((task, file))
        except ReportError as error:
            problems.append(str(error))
    try:
        remove_oldest(reports, settings.reports_kept)
    except ReportError as error:
        problems.append(str(error))
    judged["report_path"] = _paths(judged, reports)
    kept = tuple((task, file) for task, file in written if file.exists())
    return Judged(judged, kept, tuple(problems))


def _apply(
    summary: pd.DataFrame, task: VerdictTask, verdict: Verdict, settings: DriftSettings
) -> list[str]:
    """Write the verdict into its row; return whether it differs from the scores', in words."""
    is_own = (
        (summary["ticker"] == task.ticker)
        & (summary["window"] == pd.Timestamp(task.window.start))
        & (summary["as_of"] == pd.Timestamp(task.as_of))
    )
    ours = int(summary.loc[is_own, "drifted_inputs"].iloc[0])
    inputs = int(summary.loc[is_own, "inputs"].iloc[0])
    share = verdict.drifted_columns / max(inputs, 1)
    changes = {
        "judged_by": "evidently",
        "is_drifted": verdict.is_drifted,
        "drifted_inputs": verdict.drifted_columns,
        "share_drifted": share,
        "severity": severity_of(share, settings),
    }
    for name, value in changes.items():
        summary.loc[is_own, name] = value
    if ours == verdict.drifted_columns:
        return []
    return [
        f"{task.ticker} on {task.as_of}: Evidently finds {verdict.drifted_columns} drifted inputs, "
        f"the scores of monitoring.drift {ours}. Expected the same: report it with both."
    ]


def _paths(summary: pd.DataFrame, reports: Path) -> np.ndarray:
    """Return the path below `reports` of each row's report, None where there is none."""
    paths = np.full(len(summary), None, dtype=object)
    rows = zip(summary["ticker"], summary["window"], summary["as_of"], strict=True)
    existing = set(reports.glob("drift/*/*.html"))
    for at, (ticker, window, as_of) in enumerate(rows):
        file = report_path(reports, ticker, Window(window.date()), as_of.date())
        if file in existing:
            paths[at] = file.relative_to(reports).as_posix()
    return paths
