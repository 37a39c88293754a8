from datetime import date

import numpy as np
import pandas as pd
import pytest

from odyssey_assets.core.windows import Window
from odyssey_assets.monitoring.drift.looks import Look
from odyssey_assets.monitoring.drift.panel import COLUMNS
from odyssey_assets.monitoring.drift.past_scores import PAST_COLUMNS, PastScores
from odyssey_assets.monitoring.drift.serving_models import ServingModel
from odyssey_assets.monitoring.tables import METHODS

WINDOW = Window(date(2024, 1, 1))
MODEL = ServingModel(
    WINDOW, "name", "sha", "data", date(2020, 1, 2), date(2023, 6, 1), WINDOW.start, WINDOW.start,
    date(2024, 6, 30),
)  # fmt: skip
LOOK = Look(MODEL, 100, 121, date(2024, 1, 31))
SCORES = np.random.default_rng(0).random((len(COLUMNS), len(METHODS)))
ROWS = pd.DataFrame(
    [
        {
            "ticker": "AAA",
            "window": pd.Timestamp(WINDOW.start),
            "as_of": pd.Timestamp(LOOK.as_of),
            "feature": feature,
            "method": method,
            "sessions": 21,
            "score": SCORES[row, column],
            "model_sha256": "sha",
        }
        for row, feature in enumerate(COLUMNS)
        for column, method in enumerate(METHODS)
    ]
)[list(PAST_COLUMNS)]


def test_stored_scores_in_any_order_come_back_to_the_bit() -> None:
    rows = ROWS.copy()
    rows.loc[rows.index[:3], "score"] = np.nan
    ((look, scores),) = PastScores(rows.sample(frac=1, random_state=1)).of("AAA", [LOOK]) or []
    assert look is LOOK
    assert np.isnan(scores.ravel()[:3]).all()
    np.testing.assert_array_equal(scores.ravel()[3:], SCORES.ravel()[3:])


@pytest.mark.parametrize(
    "rows",
    [
        None,
        ROWS.iloc[:0],
        ROWS.iloc[1:],
        ROWS.assign(model_sha256="other"),
        ROWS.assign(sessions=22),
        ROWS.assign(ticker="BBB"),
        ROWS.assign(as_of=pd.Timestamp("2024-02-01")),
        ROWS.assign(feature=ROWS["feature"].replace(COLUMNS[0], "renamed")),
    ],
    ids=["none", "empty", "one missing", "model", "sessions", "ticker", "day", "renamed"],
)
def test_scores_that_are_not_exactly_those_wanted_are_not_taken(rows: pd.DataFrame | None) -> None:
    assert PastScores(rows).of("AAA", [LOOK]) is None


def test_one_missing_look_leaves_all_to_be_worked_out() -> None:
    later = Look(MODEL, 100, 142, date(2024, 3, 1))
    assert PastScores(ROWS).of("AAA", [LOOK, later]) is None
    assert PastScores(ROWS).of("AAA", []) == []
