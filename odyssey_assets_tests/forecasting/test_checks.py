"""The checks of forecasts against forged rows: seen data, errors above and below the baseline."""

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from odyssey_assets.core.slices import WHOLE_TABLE
from odyssey_assets.forecasting.checks import (
    BASELINE_MODEL,
    DEFAULT_MODEL,
    root_mean_squared_errors,
)
from odyssey_assets.forecasting.tables import FOLDS, PREDICTIONS
from odyssey_assets_tests.tiny_market import (
    TICKERS,
    WINDOWS,
    TinyHome,
    evaluate,
    found,
    tiny_settings,
    warehouse_of,
)

HONESTY = ("forecasting/predictions", "forecasts_follow_their_training")
VALUE = ("forecasting/folds", "model_beats_the_historical_mean")


def test_honest_forecasts_pass(tiny_home: TinyHome) -> None:
    evaluation = evaluate(tiny_settings(tiny_home.root), *HONESTY)
    assert evaluation.passed
    assert found(evaluation)["forecasts"] > 0
    assert found(evaluation)["violations"] == 0


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("trained_as_of", date(2022, 3, 1)),
        ("trained_as_of", date(2022, 6, 30)),
        ("window", date(2022, 7, 1)),
    ],
)
def test_forecast_of_a_session_the_model_had_seen_blocks_and_names_its_cell(
    column: str, value: date, tiny_copy: Path
) -> None:
    settings = tiny_settings(tiny_copy)
    warehouse = warehouse_of(settings)
    predictions = warehouse.read(PREDICTIONS)
    is_forged = (predictions["ticker"] == "SPY") & (predictions["date"] == "2022-03-01")
    assert is_forged.sum() == 2
    predictions.loc[is_forged, column] = pd.Timestamp(value)
    warehouse.replace(PREDICTIONS, predictions, (WHOLE_TABLE,))
    evaluation = evaluate(settings, *HONESTY)
    assert not evaluation.passed
    assert found(evaluation)["violations"] == 2
    window = str(value) if column == "window" else WINDOWS[-1]
    assert found(evaluation)["failed_partitions"] == [{"ticker": "SPY", "window": window}]


@pytest.mark.parametrize(
    ("factor", "losers"), [(0.5, []), (1.0, list(TICKERS)), (2.0, list(TICKERS))]
)
def test_model_is_compared_with_the_historical_mean_ticker_by_ticker(
    factor: float, losers: list[str], tiny_copy: Path
) -> None:
    settings = tiny_settings(tiny_copy)
    warehouse = warehouse_of(settings)
    folds = warehouse.read(FOLDS)
    baseline = folds[folds["model"] == BASELINE_MODEL].set_index(["ticker", "window"])["rmse"]
    is_default = folds["model"] == DEFAULT_MODEL
    cells = pd.MultiIndex.from_frame(folds.loc[is_default, ["ticker", "window"]])
    folds.loc[is_default, "rmse"] = factor * baseline.reindex(cells).to_numpy()
    warehouse.replace(FOLDS, folds, (WHOLE_TABLE,))
    evaluation = evaluate(settings, *VALUE)
    values = found(evaluation)
    assert evaluation.passed is (not losers)
    assert [each["ticker"] for each in values["failed_tickers"]] == losers
    assert values["tickers"] == len(TICKERS)
    assert values["mean_rmse_xgboost"] == pytest.approx(
        factor * values["mean_rmse_historical_mean"]
    )
    for each in values["failed_tickers"]:
        assert each["value"] == pytest.approx(factor * each["threshold"])


def test_windows_without_a_score_pass_and_claim_no_error(tiny_home: TinyHome) -> None:
    settings = tiny_settings(tiny_home.root)
    evaluation = evaluate(settings, *VALUE, last=f"{WINDOWS[0]}|SPY")
    assert evaluation.passed
    assert found(evaluation) == {"tickers": 0, "tickers_beaten": 0, "failed_tickers": []}


def test_pooled_error_equals_the_error_over_all_forecasts_at_once() -> None:
    generator = np.random.default_rng(3)
    errors = [generator.normal(size=count) for count in (5, 80, 31)]
    folds = pd.DataFrame(
        [
            {"ticker": "SPY", "model": model, "rmse": np.sqrt(np.mean(fold**2)), "scored_rows": n}
            for model in (DEFAULT_MODEL, BASELINE_MODEL, "ridge")
            for fold, n in zip(errors, map(len, errors), strict=True)
        ]
        + [{"ticker": "SPY", "model": DEFAULT_MODEL, "rmse": np.nan, "scored_rows": 0}]
        + [{"ticker": "QQQ", "model": DEFAULT_MODEL, "rmse": 1.0, "scored_rows": 9}]
    )
    pooled = root_mean_squared_errors(folds)
    assert pooled.index.tolist() == ["SPY"], "a ticker without the baseline cannot be compared"
    assert pooled.columns.tolist() == [DEFAULT_MODEL, BASELINE_MODEL]
    expected = np.sqrt(np.mean(np.concatenate(errors) ** 2))
    np.testing.assert_allclose(pooled.loc["SPY"], expected, rtol=1e-12)
