from dataclasses import replace

import numpy as np
import pytest

from odyssey_assets.core.windows import parse_window
from odyssey_assets.errors import ModelError
from odyssey_assets.forecasting.fitting import FoldForecast
from odyssey_assets.forecasting.folds import Fold, Span
from odyssey_assets.forecasting.history import TickerHistory
from odyssey_assets.forecasting.tabulation import DoneFold, tabulate
from odyssey_assets_tests.forecasting.small_market import fast_settings

COSTS = fast_settings().costs.proportional
DAYS = np.arange("2017-12-26", "2018-01-05", dtype="datetime64[D]").astype("datetime64[us]")
HISTORY = TickerHistory(
    ticker="AAA",
    features=("f",),
    sessions=DAYS,
    values=np.zeros((10, 1), np.float32),
    target=np.array([0.0] * 6 + [0.01, -0.02, 0.03, np.nan]),
    opens=np.linspace(10, 11, 10),
)
CONTENT = {
    "model": "ridge",
    "role": "fold",
    "window": "2018-01-01",
    "horizon_sessions": 5,
    "train_start": "2015-01-05",
    "train_end": "2017-06-01",
    "valid_start": "2017-07-03",
    "valid_end": "2017-12-01",
    "train_rows": 500,
    "valid_rows": 100,
    "trained_as_of": "2017-12-31",
    "best_iteration": None,
    "features": ["f"],
    "conformal_width": 0.05,
    "valid_information_coefficient": 0.25,
    "data_sha256": "d",
    "importance": [{"feature": "f", "gain": 0.0, "mean_abs_shap": 0.01}],
}
DONE = DoneFold(
    HISTORY,
    Fold(parse_window("2018-01-01"), test=Span(6, 10)),
    FoldForecast(CONTENT, np.array([0.01, 0.01, 0.02, 0.02])),
    ("ridge", "AAA", "2018-01-01", "k"),
    "m",
    None,
)


def test_rows_say_what_was_learned_and_how_it_did() -> None:
    result = tabulate([DONE], [], 5, COSTS)
    [fold] = result.folds.to_dict("records")
    assert fold["test_rows"] == 4
    assert fold["scored_rows"] == 3
    assert fold["direction_accuracy"] == pytest.approx(2 / 3)
    assert fold["interval_coverage"] == 1
    assert fold["valid_information_coefficient"] == 0.25
    assert fold["model_name"] == "ridge/AAA/2018-01-01/k"
    assert f"{fold['test_start']:%Y-%m-%d} {fold['test_end']:%Y-%m-%d}" == "2018-01-01 2018-01-04"
    assert result.predictions["upper"].tolist() == pytest.approx([0.06, 0.06, 0.07, 0.07])
    assert result.feature_importance["rank"].tolist() == [1]


def test_model_that_has_seen_a_session_it_forecasts_is_refused() -> None:
    content = {**CONTENT, "trained_as_of": "2018-01-01"}
    early = replace(DONE, forecast=FoldForecast(content, DONE.forecast.prediction))
    with pytest.raises(ModelError, match=r"seen data up to 2018-01-01.*forecast 2018-01-01"):
        tabulate([early], [], 5, COSTS)
