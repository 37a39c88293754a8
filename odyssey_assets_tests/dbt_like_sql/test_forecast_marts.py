"""Outcomes, leaderboard and signals, against pandas and scipy."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from odyssey_assets.features.tables import FEATURES_TABLE, LABELS
from odyssey_assets.forecasting.tables import FOLDS, PREDICTIONS
from odyssey_assets.infrastructure.warehouse import Warehouse
from odyssey_assets.market_data.tables import BARS
from odyssey_assets_tests.dbt_like_sql.market import MarketSize, build_tables
from odyssey_assets_tests.dbt_like_sql.stored import (
    PROJECT,
    Tables,
    change_market,
    read_mart,
    store_market,
)

SIGNALS = [("marts", "mart_daily_signals")]


def _outcomes(tables: Tables) -> pd.DataFrame:
    """Forecasts with outcome and historical mean, by pandas."""
    labels = tables[LABELS][["ticker", "date", "forward_return_5d"]]
    predictions = tables[PREDICTIONS].merge(labels.rename(columns={"forward_return_5d": "outcome"}))
    mean = predictions.loc[predictions["model"] == "historical_mean"]
    mean = mean[["ticker", "date", "prediction"]].rename(columns={"prediction": "mean"})
    return predictions.merge(mean, on=["ticker", "date"])


def test_forecast_outcomes_match_pandas(warehouse: Warehouse, tables: Tables) -> None:
    grain = list(PREDICTIONS.grain)
    found = read_mart(warehouse, "mart_forecast_outcomes").sort_values(grain, ignore_index=True)
    expected = _outcomes(tables).sort_values(grain, ignore_index=True)
    known = expected["outcome"].notna()
    assert 0 < known.sum() < len(known)
    pd.testing.assert_series_equal(found["outcome"], expected["outcome"])
    pd.testing.assert_series_equal(
        found["error"], expected["prediction"] - expected["outcome"], check_names=False
    )
    assert (found["is_outcome_known"] == known).all()
    right = np.sign(expected["prediction"]) == np.sign(expected["outcome"])
    inside = expected["outcome"].between(expected["lower"], expected["upper"])
    assert (found.loc[known, "is_direction_right"].astype(bool) == right[known]).all()
    assert (found.loc[known, "is_inside_interval"].astype(bool) == inside[known]).all()
    unknown = found.loc[~known, ["outcome_date", "error", "is_direction_right"]]
    assert unknown.isna().all(axis=None)
    dates = tables[BARS].groupby("ticker")["date"].shift(-5)
    later = tables[BARS][["ticker", "date"]].assign(later=dates)
    merged = found.merge(later, on=["ticker", "date"])
    assert (merged.loc[known.to_numpy(), "outcome_date"] == merged.loc[known, "later"]).all()


@pytest.mark.parametrize("model", ["historical_mean", "ridge", "xgboost"])
@pytest.mark.parametrize("ticker", ["AAA", "(all)"])
def test_leaderboard_matches_pandas(
    warehouse: Warehouse, tables: Tables, model: str, ticker: str
) -> None:
    board = read_mart(warehouse, "mart_model_leaderboard").set_index(["model", "ticker"])
    found = board.loc[(model, ticker)]
    rows = _outcomes(tables).dropna(subset="outcome")
    rows = rows[(rows["model"] == model) & (rows["ticker"].eq(ticker) | (ticker == "(all)"))]
    error, mean_error = rows["prediction"] - rows["outcome"], rows["mean"] - rows["outcome"]
    rmse, mean_rmse = np.sqrt((error**2).mean()), np.sqrt((mean_error**2).mean())
    gains = (mean_error**2 - error**2).groupby(rows["window"]).mean()
    assert found["scored_rows"] == len(rows)
    assert found["rmse"] == pytest.approx(rmse, rel=1e-12)
    assert found["historical_mean_rmse"] == pytest.approx(mean_rmse, rel=1e-12)
    assert found["rmse_skill"] == pytest.approx(1 - rmse / mean_rmse, rel=1e-9, abs=1e-12)
    assert found["information_coefficient"] == pytest.approx(
        stats.spearmanr(rows["prediction"], rows["outcome"]).statistic, rel=1e-9
    )
    assert found["direction_accuracy"] == pytest.approx(
        (np.sign(rows["prediction"]) == np.sign(rows["outcome"])).mean()
    )
    assert found["interval_coverage"] == pytest.approx(
        rows["outcome"].between(rows["lower"], rows["upper"]).mean()
    )
    assert found["compared_windows"] == len(gains)
    assert found["better_windows"] == (gains > 0).sum()
    if model != "historical_mean":
        assert found["gain_t_statistic"] == pytest.approx(stats.ttest_1samp(gains, 0).statistic)
    folds = tables[FOLDS]
    folds = folds[(folds["model"] == model) & (folds["ticker"].eq(ticker) | (ticker == "(all)"))]
    trained = folds[folds["status"] == "trained"]
    assert found["trained_folds"] == len(trained)
    assert found["hit_rate"] == pytest.approx(
        np.average(trained["hit_rate"], weights=trained["scored_rows"])
    )


def test_leaderboard_says_whether_a_model_beats_the_historical_mean(warehouse: Warehouse) -> None:
    board = read_mart(warehouse, "mart_model_leaderboard").set_index(["model", "ticker"])
    flags = board["beats_historical_mean"]
    assert flags.loc[("xgboost", "(all)")], "it was made from the outcomes"
    assert not flags.loc[("ridge", "(all)")], "it is noise"
    assert not flags.loc[("historical_mean", "(all)")]
    verdicts = board["verdict"]
    assert verdicts.loc[("ridge", "AAA")].startswith("Does not beat the historical mean: RMSE 0.0")
    assert verdicts.loc[("historical_mean", "AAA")] == "The yardstick of the other models."
    assert verdicts.loc[("xgboost", "LATE")] == "No forecast with a known outcome."
    within_chance = "Beats the historical mean, within chance: RMSE 0.0"
    assert verdicts.loc[("xgboost", "AAA")].startswith(within_chance), "two windows prove nothing"
    assert board.loc[("xgboost", "LATE"), "skipped_folds"] == 1
    assert board.loc[("xgboost", "LATE"), "scored_rows"] == 0


def test_daily_signals_are_the_newest_forecasts(warehouse: Warehouse, tables: Tables) -> None:
    signals = read_mart(warehouse, "mart_daily_signals").set_index("ticker")
    predictions = tables[PREDICTIONS]
    newest = predictions[predictions["model"] == "xgboost"].groupby("ticker").tail(1)
    newest = newest.set_index("ticker")
    assert list(signals.index) == ["AAA", "BBB"]
    for name in ("date", "prediction", "lower", "upper", "window", "trained_as_of"):
        assert (signals[name] == newest[name]).all(), name
    half_width = (newest["upper"] - newest["lower"]) / 2
    confidence = (newest["prediction"].abs() / half_width).clip(upper=1)
    pd.testing.assert_series_equal(signals["confidence"], confidence, check_names=False)
    first_five = ", ".join(FEATURES_TABLE.column_names[2:7])
    assert (signals["feature_drivers"] == first_five).all()
    assert (signals["sessions_behind"] == 0).all()
    board = read_mart(warehouse, "mart_model_leaderboard")
    track = board[board["model"] == "xgboost"].set_index("ticker").loc[["AAA", "BBB"]]
    for name in ("scored_rows", "direction_accuracy", "rmse_skill", "verdict"):
        assert (signals[name] == track[name]).all(), name
    assert signals["is_simulated"].all()


@pytest.mark.parametrize(
    ("prediction", "direction"),
    [(0.05, "bullish"), (-0.05, "bearish"), (0.0, "neutral"), (0.0101, "bullish")],
)
def test_signal_direction_is_the_class_the_labels_give_to_that_return(
    warehouse: Warehouse, tables: Tables, tmp_path: Path, prediction: float, direction: str
) -> None:
    changed = tables[PREDICTIONS].assign(
        prediction=prediction, lower=prediction - 0.1, upper=prediction + 0.1
    )
    returns = [0.0101, 0.0099, -0.0101, -0.0099]
    labels = tables[LABELS].copy()
    labels.loc[:3, "forward_return_5d"] = returns
    labels.loc[:3, "direction_5d"] = ["bullish", "neutral", "bearish", "neutral"]
    copy = change_market(warehouse, tmp_path, {PREDICTIONS: changed, LABELS: labels}, SIGNALS)
    assert (read_mart(copy, "mart_daily_signals")["direction"] == direction).all()


def test_leaderboard_is_held_against_folds_only_where_these_served_throughout(
    warehouse: Warehouse, tables: Tables, tmp_path: Path
) -> None:
    """Another model took over BBB's newest sessions and did worse: no fold tells of that."""
    predictions = tables[PREDICTIONS]
    known = tables[LABELS].dropna(subset="forward_return_5d")["date"].max()
    is_taken = (predictions["ticker"] == "BBB") & (predictions["model"] == "xgboost")
    is_taken &= predictions["date"] > known - pd.Timedelta(days=20)
    worse = predictions.assign(
        prediction=predictions["prediction"] + 0.02 * is_taken,
        lower=predictions["lower"] - 1.0,
        upper=predictions["upper"] + 1.0,
    )
    replaced = worse.assign(model_sha256=worse["model_sha256"].mask(is_taken, "another"))
    test = next(test for test in PROJECT.tests if test.name == "leaderboard_agrees_with_folds")
    found = {}
    for name, rows in (("same", worse), ("another", replaced)):
        copy = change_market(warehouse, tmp_path / name, {PREDICTIONS: rows}, test.upstream)
        found[name] = copy.query(test.sql)[["ticker", "model"]].to_numpy().tolist()
    assert found == {"same": [["BBB", "xgboost"]], "another": []}


def test_leaderboard_calls_a_gain_real_only_after_many_windows(tmp_path: Path) -> None:
    size = MarketSize(start="2012-01-02", sessions=1600, first_test="2012-07-01")
    warehouse = store_market(build_tables(size), tmp_path)
    board = read_mart(warehouse, "mart_model_leaderboard").set_index(["model", "ticker"])
    assert board.loc[("xgboost", "(all)"), "compared_windows"] >= 10
    assert list(board["is_gain_beyond_chance"]) == [
        model == "xgboost" and ticker != "LATE" for model, ticker in board.index
    ]
