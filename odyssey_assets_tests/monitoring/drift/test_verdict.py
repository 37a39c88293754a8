"""Evidently's verdict against ours: the same columns beyond the same thresholds."""

import re
from datetime import date

import numpy as np
import pytest

from odyssey_assets.core.windows import Window
from odyssey_assets.monitoring.drift.scores import SortedColumns, score_samples
from odyssey_assets.monitoring.drift.verdict import (
    JudgedColumn,
    Verdict,
    VerdictTask,
    judge,
    judge_samples,
)
from odyssey_assets.monitoring.tables import METHODS

WINDOW = Window(date(2024, 7, 1))
SESSIONS = 60


def task(method: str, seed: int, threshold_shares: np.ndarray) -> VerdictTask:
    """Return a task whose thresholds are the given shares of each column's own score."""
    generator = np.random.default_rng(seed)
    columns = []
    for number, share in enumerate(threshold_shares):
        reference = generator.normal(size=400 + number)
        sample = generator.normal(loc=0.2 * number, size=SESSIONS)
        # Nulls, few distinct values and infinite values, as features have them.
        sample[:number] = np.nan
        if number == 1:
            reference, sample = np.round(reference), np.round(sample)
        if number == 2:
            reference[3], sample[5] = np.inf, -np.inf
        scores = score_samples(
            SortedColumns.of(reference[:, None]),
            sample[:, None],
            np.array([0]),
            np.array([SESSIONS]),
        )
        score = float(scores[0, 0, METHODS.index(method)])
        columns.append(JudgedColumn(f"f{number}", reference, sample, score, score * share))
    sessions = np.arange("2024-07-01", "2024-08-30", dtype="datetime64[D]")
    return VerdictTask("AAA", WINDOW, date(2024, 8, 29), method, sessions, tuple(columns))


@pytest.mark.parametrize("method", METHODS)
def test_evidently_counts_the_columns_whose_score_lies_above_their_threshold(method: str) -> None:
    shares = np.random.default_rng(10).choice([0.5, 0.98, 1.02, 2.0], size=9)
    judged = task(method, 0, shares)
    ours = sum(column.score > column.threshold for column in judged.columns)
    verdict = judge(judged)
    assert verdict.drifted_columns == ours
    assert verdict.share_drifted == pytest.approx(ours / 9)
    assert verdict.is_drifted == (ours > 0)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("nudge", "drifted"), [(0.0, 0), (-1e-12, 4), (1e-12, 0)])
def test_score_on_its_threshold_falls_to_the_same_side_as_ours(
    method: str, nudge: float, drifted: int
) -> None:
    judged = task(method, 3, np.full(4, 1.0 + nudge))
    assert sum(column.score > column.threshold for column in judged.columns) == drifted
    assert judge(judged).drifted_columns == drifted


def test_one_column_among_many_is_a_verdict_and_has_a_report() -> None:
    judged = task("wasserstein", 0, np.r_[0.5, np.full(30, 2.0)])
    verdict = judge(judged)
    assert (verdict.is_drifted, verdict.drifted_columns) == (True, 1)
    assert verdict.html is not None
    assert "<title>AAA: inputs of its model, 2024-07-01 to 2024-08-29</title>" in verdict.html
    assert "p-values" not in verdict.html[: verdict.html.index("</header>")]


def test_report_says_where_its_scores_are_p_values() -> None:
    html = judge(task("ks", 0, np.array([0.5, 2.0]))).html or ""
    assert "p-values here: the smaller, the farther" in html[: html.index("</header>")]


def test_report_is_written_on_demand_where_nothing_drifted() -> None:
    usual = task("psi", 0, np.full(3, 2.0))
    assert judge(usual) == Verdict(False, 0, 0.0, None)
    wanted = VerdictTask(
        usual.ticker, usual.window, usual.as_of, "psi", usual.sessions, usual.columns, True
    )
    html = judge(wanted).html
    assert html is not None
    assert html.count("<header") == 1


def test_report_asks_nothing_of_the_network() -> None:
    html = judge(task("wasserstein", 0, np.full(2, 0.5))).html or ""
    assert "Dataset Drift" in html
    assert (
        re.findall(r"<(?:script|link|img|iframe)[^>]{0,200}(?:src|href)=.?(?:https?:)?//", html)
        == []
    )


def test_all_tasks_are_judged_in_processes_as_alone() -> None:
    tasks = [task("wasserstein", seed, np.array([0.5, 2.0, 2.0])) for seed in range(2)]
    tasks += [task("wasserstein", seed, np.array([2.0, 2.0])) for seed in range(6)]
    found = {id(one): verdict for one, verdict in judge_samples(tasks, workers=2)}
    assert len(found) == len(tasks)
    for one in tasks[2:]:
        assert found[id(one)] == judge(one)
    assert all(found[id(one)].is_drifted for one in tasks[:2])
