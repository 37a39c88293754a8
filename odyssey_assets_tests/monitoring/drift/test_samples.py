from dataclasses import replace

import numpy as np
import pytest

from odyssey_assets.monitoring.drift.samples import verdict_tasks
from odyssey_assets.monitoring.tables import METHODS
from odyssey_assets_tests.monitoring.drift.judged_samples import PAST, RUNNING, judged_sample


@pytest.mark.parametrize("method", METHODS)
def test_task_has_every_column_with_the_figures_of_the_chosen_method(method: str) -> None:
    sample = judged_sample(drifted=1)
    [task] = verdict_tasks(
        {("AAA", RUNNING): sample}, [("AAA", RUNNING)], method, is_report_wanted=False
    )
    assert (task.ticker, task.window, task.method) == ("AAA", RUNNING, method)
    assert task.as_of == sample.look.as_of
    assert [column.name for column in task.columns] == list(sample.names)
    for at, column in enumerate(task.columns):
        assert column.score == sample.scores[at, METHODS.index(method)]
        assert column.threshold == sample.thresholds[at, METHODS.index(method)]
        assert np.array_equal(column.sample, sample.sample[:, at], equal_nan=True)
        assert np.array_equal(column.reference, sample.reference[:, at])


def test_quiet_sample_is_judged_by_what_the_model_kept_unless_a_report_is_wanted() -> None:
    quiet, cell = judged_sample(drifted=0), ("AAA", RUNNING)
    kept, whole = (
        [column.name for column in task.columns]
        for is_wanted in (False, True)
        for task in verdict_tasks({cell: quiet}, [cell], "ks", is_report_wanted=is_wanted)
    )
    assert kept == [
        name for name, is_kept in zip(quiet.names, quiet.is_kept, strict=True) if is_kept
    ]
    assert len(kept) < len(whole)
    assert whole == list(quiet.names)


def test_columns_that_cannot_be_judged_are_left_out() -> None:
    sample = judged_sample()
    scores, thresholds = sample.scores.copy(), sample.thresholds.copy()
    scores[0], thresholds[2] = np.nan, np.nan
    unknown = replace(sample, scores=scores, thresholds=thresholds)
    [task] = verdict_tasks(
        {("AAA", RUNNING): unknown}, [("AAA", RUNNING)], "psi", is_report_wanted=True
    )
    assert [column.name for column in task.columns] == ["f1", "prediction"]
    assert task.is_report_wanted


def test_only_the_cells_asked_for_are_judged_and_none_without_a_sample_or_a_column() -> None:
    hopeless = replace(judged_sample(), thresholds=np.full((4, 4), np.nan))
    samples = {
        ("AAA", RUNNING): judged_sample(),
        ("AAA", PAST): judged_sample(PAST),
        ("CCC", RUNNING): hopeless,
    }
    cells = [("AAA", RUNNING), ("BBB", RUNNING), ("CCC", RUNNING)]
    tasks = verdict_tasks(samples, cells, "psi", is_report_wanted=False)
    assert [(task.ticker, task.window) for task in tasks] == [("AAA", RUNNING)]
