from datetime import date

import numpy as np
import pandas as pd
import pytest

from odyssey_assets.core.windows import Window
from odyssey_assets.monitoring.drift.calibration import Judgement
from odyssey_assets.monitoring.drift.looks import Look
from odyssey_assets.monitoring.drift.panel import COLUMNS
from odyssey_assets.monitoring.drift.serving_models import ServingModel
from odyssey_assets.monitoring.drift.tabulation import LookRows, Unmeasured, tabulate
from odyssey_assets.monitoring.tables import DRIFT, DRIFT_SUMMARY, METHODS
from odyssey_assets.settings_sections import DriftSettings

WINDOW = Window(date(2024, 1, 1))
MODEL = ServingModel(
    WINDOW, "name", "sha", "data", date(2020, 1, 2), date(2023, 6, 1), WINDOW.start, WINDOW.start,
    date(2024, 6, 30),
)  # fmt: skip
SHAPE = (len(COLUMNS), len(METHODS))
SETTINGS = DriftSettings(method="ks", major_share=0.5)
KS, PSI = METHODS.index("ks"), METHODS.index("psi")


def _look(drifted: int, inputs: int = 4, seed: int = 0, ticker: str = "AAA") -> LookRows:
    """Return a look of which the first columns are inputs, and the first of these drifted."""
    generator = np.random.default_rng(seed)
    scores, p_values = generator.random(SHAPE), generator.random(SHAPE)
    is_drifted = np.zeros(SHAPE, dtype=bool)
    is_drifted[:drifted, KS] = True
    judgement = Judgement(p_values, np.full(SHAPE, 0.5), is_drifted, np.full(SHAPE, 12))
    return LookRows(
        ticker,
        Look(MODEL, 100, 121, date(2024, 1, 31)),
        scores,
        judgement,
        np.arange(len(COLUMNS)),
        np.arange(len(COLUMNS)) < inputs,
    )


def test_rows_of_looks_hold_each_figure_at_its_place() -> None:
    looks = [_look(1, seed=1, ticker="BBB"), _look(1, seed=2)]
    drift, _ = tabulate(looks, [], SETTINGS)
    assert len(drift) == 2 * len(COLUMNS) * len(METHODS)
    pd.testing.assert_frame_equal(drift, DRIFT.conform(drift))
    by_cell = drift.set_index(["ticker", "feature", "method"])
    for look in looks:
        for row, column in ((0, 0), (17, 2), (len(COLUMNS) - 1, 3)):
            found = by_cell.loc[(look.ticker, COLUMNS[row], METHODS[column])]
            assert found["score"] == look.scores[row, column]
            assert found["p_value"] == look.judgement.p_values[row, column]
            assert found["reference_rows"] == row
            assert found["is_input"] == (row < 4)
            assert found["sessions"] == 21


@pytest.mark.parametrize(
    ("drifted", "severity", "share"), [(0, "none", 0.0), (1, "minor", 0.25), (2, "major", 0.5)]
)
def test_summary_of_drifted_inputs_has_their_share_and_severity(
    drifted: int, severity: str, share: float
) -> None:
    look = _look(drifted)
    _, summary = tabulate([look], [], SETTINGS)
    (row,) = summary.to_dict("records")
    assert (row["severity"], row["share_drifted"]) == (severity, share)
    assert (row["is_drifted"], row["drifted_inputs"], row["inputs"]) == (drifted > 0, drifted, 4)
    p_values = look.judgement.p_values[:4, KS]
    assert row["smallest_p_value"] == p_values.min()
    assert row["strongest_feature"] == COLUMNS[int(p_values.argmin())]
    assert row["share_psi_above_0_1"] == (look.scores[:4, PSI] > 0.1).mean()
    assert row["share_psi_above_0_2"] == (look.scores[:4, PSI] > 0.2).mean()


def test_strongest_of_equal_p_values_lies_farthest_beyond_its_threshold() -> None:
    look = _look(0)
    look.judgement.p_values[:] = 1.0
    look.scores[:, KS] = 0.1
    look.scores[2, KS] = 0.4
    _, summary = tabulate([look], [], SETTINGS)
    assert summary["strongest_feature"].tolist() == [COLUMNS[2]]


def test_look_without_any_score_is_measured_and_says_nothing() -> None:
    look = _look(0)
    look.scores[:] = np.nan
    look.judgement.p_values[:] = np.nan
    _, summary = tabulate([look], [], SETTINGS)
    (row,) = summary.to_dict("records")
    assert not row["is_drifted"]
    assert np.isnan(row["smallest_p_value"])
    assert pd.isna(row["strongest_feature"])
    assert np.isnan(row["share_psi_above_0_1"])


def test_windows_without_a_verdict_have_a_reason_and_nobody_judged() -> None:
    lack = Unmeasured("AAA", WINDOW, date(2024, 1, 4), "too_few_sessions", "3 sessions", 3, "sha")
    drift, summary = tabulate([], [lack], SETTINGS)
    assert drift.empty
    pd.testing.assert_frame_equal(summary, DRIFT_SUMMARY.conform(summary))
    (row,) = summary.to_dict("records")
    assert (row["status"], row["reason"], row["judged_by"]) == (
        "too_few_sessions", "3 sessions", "nobody"
    )  # fmt: skip


def test_nothing_measured_gives_empty_tables() -> None:
    drift, summary = tabulate([], [], SETTINGS)
    assert list(drift.columns) == list(DRIFT.column_names)
    assert list(summary.columns) == list(DRIFT_SUMMARY.column_names)
    assert drift.empty
    assert summary.empty
