from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from odyssey_assets.core.windows import Window
from odyssey_assets.monitoring.drift.judging import Judged, cells_to_judge, judge_and_report
from odyssey_assets.monitoring.drift.samples import verdict_tasks
from odyssey_assets.monitoring.drift.verdict import VerdictTask
from odyssey_assets.settings_sections import DriftSettings
from odyssey_assets_tests.monitoring.drift.judged_samples import (
    PAST,
    RUNNING,
    judged_sample,
    summary_rows,
)

CELLS = (("AAA", RUNNING, 1), ("BBB", RUNNING, 0), ("AAA", PAST, 3))


def tasks(*, wanted: bool = False) -> tuple[VerdictTask, ...]:
    samples = {(ticker, window): judged_sample(window, count) for ticker, window, count in CELLS}
    return verdict_tasks(samples, list(samples), "wasserstein", is_report_wanted=wanted)


def judged(reports: Path, given: tuple[VerdictTask, ...], kept: int = 30) -> Judged:
    settings = DriftSettings(reports_kept=kept)
    return judge_and_report(summary_rows(*CELLS), given, RUNNING, reports, settings, workers=1)


def test_running_window_is_judged_by_evidently_with_the_figures_of_the_scores(
    tmp_path: Path,
) -> None:
    found = judged(tmp_path, tasks())
    assert found.problems == ()
    before = summary_rows(*CELLS)
    is_judged = (before["window"] == "2024-07-01") & (before["as_of"] == "2024-08-30")
    assert is_judged.sum() == 2
    assert (found.summary["judged_by"] == "evidently").equals(is_judged)
    pd.testing.assert_frame_equal(
        found.summary.drop(columns=["judged_by", "report_path"]),
        before.drop(columns=["judged_by", "report_path"]),
    )


def test_drifted_samples_have_a_report_whose_path_is_in_their_row(tmp_path: Path) -> None:
    found = judged(tmp_path, tasks())
    rows = found.summary[found.summary["report_path"].notna()]
    assert list(zip(rows["ticker"], rows["report_path"], strict=True)) == [
        ("AAA", "drift/AAA/2024-01-01_2024-03-01.html"),
        ("AAA", "drift/AAA/2024-07-01_2024-08-30.html"),
    ]
    assert all((tmp_path / path).is_file() for path in rows["report_path"])
    assert {file for _, file in found.reports} == {tmp_path / each for each in rows["report_path"]}


def test_reports_of_earlier_runs_are_found_and_the_oldest_go(tmp_path: Path) -> None:
    assert len(judged(tmp_path, tasks()).reports) == 2
    later = judged(tmp_path, tuple(task for task in tasks(wanted=True) if task.ticker == "BBB"))
    assert later.summary["report_path"].notna().sum() == 3
    fewer = judged(tmp_path, tasks()[:1], kept=1)
    assert [file.name for _, file in fewer.reports] == ["2024-07-01_2024-08-30.html"]
    assert fewer.summary["report_path"].notna().sum() == 1


def test_report_that_cannot_be_written_costs_no_verdict(tmp_path: Path) -> None:
    (tmp_path / "drift").mkdir()
    (tmp_path / "drift" / "AAA").write_text("a file where a folder belongs")
    found = judged(tmp_path, tasks()[:2])
    assert (found.summary["judged_by"] == "evidently").sum() == 2
    assert found.summary["report_path"].isna().all()
    assert found.reports == ()
    [problem] = found.problems
    assert "cannot be written" in problem


def test_verdict_that_differs_from_the_scores_is_stored_and_said(tmp_path: Path) -> None:
    [task, *_] = tasks()
    columns = tuple(replace(column, threshold=column.score * 0.5) for column in task.columns)
    found = judged(tmp_path, (replace(task, columns=columns),))
    row = found.summary[found.summary["judged_by"] == "evidently"].iloc[0]
    assert (row["drifted_inputs"], row["share_drifted"], row["severity"]) == (4, 1.0, "major")
    assert "Evidently finds 4 drifted inputs, the scores of monitoring.drift 1" in found.problems[0]


def test_share_counts_inputs_that_could_not_be_judged(tmp_path: Path) -> None:
    [task, *_] = tasks()
    found = judged(tmp_path, (replace(task, columns=task.columns[:2]),))
    row = found.summary[found.summary["judged_by"] == "evidently"].iloc[0]
    assert row["share_drifted"] == 0.25


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (0, [("AAA", RUNNING), ("BBB", RUNNING)]),
        (1, [("AAA", RUNNING), ("BBB", RUNNING)]),
        (3, [("AAA", RUNNING), ("BBB", RUNNING), ("AAA", PAST)]),
    ],
)
def test_running_windows_are_judged_always_and_others_where_reports_are_wanted(
    wanted: int, expected: list[tuple[str, Window]]
) -> None:
    windows = {"AAA": (PAST.shift(-1), PAST, RUNNING), "BBB": (PAST, RUNNING)}
    assert cells_to_judge(windows, RUNNING, wanted) == expected


def test_run_without_the_running_window_judges_only_what_is_wanted() -> None:
    windows = {"AAA": (PAST.shift(-1), PAST)}
    assert cells_to_judge(windows, RUNNING, 0) == []
    assert cells_to_judge(windows, RUNNING, 1) == [("AAA", PAST)]
