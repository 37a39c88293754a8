from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from odyssey_assets.core.hashing import hash_frame
from odyssey_assets.core.windows import Window, parse_window, windows_between
from odyssey_assets.forecasting.tables import FEATURE_IMPORTANCE, FOLDS, PREDICTIONS
from odyssey_assets.forecasting.tabulation import Forecasts
from odyssey_assets.forecasting.training import forecast_windows
from odyssey_assets.infrastructure.model_store import ModelStore
from odyssey_assets_tests.forecasting.small_market import (
    PREDICTOR,
    SmallMarket,
    fast_settings,
    small_market,
)

MARKET = small_market()
WINDOWS = windows_between(MARKET.bars["date"].min().date(), MARKET.bars["date"].max().date())
LAST = WINDOWS[-1]
CONTRACTS = {"folds": FOLDS, "predictions": PREDICTIONS, "feature_importance": FEATURE_IMPORTANCE}


def _forecast(
    folder: Path,
    market: SmallMarket = MARKET,
    windows: tuple[Window, ...] = WINDOWS,
    tickers: tuple[str, ...] = ("AAA", "BBB"),
    **settings: Any,
) -> Forecasts:
    return forecast_windows(
        market.features,
        market.labels,
        market.bars,
        dict.fromkeys(tickers, windows),
        fast_settings(**settings),
        ModelStore(folder),
        None,
    )


def _hashes(forecasts: Forecasts) -> dict[str, str]:
    return {
        name: hash_frame(getattr(forecasts, name), contract.content_columns)
        for name, contract in CONTRACTS.items()
    }


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def forecasts(models: Path) -> Forecasts:
    return _forecast(models)


def test_frames_keep_their_contracts(forecasts: Forecasts) -> None:
    for name, contract in CONTRACTS.items():
        frame = getattr(forecasts, name)
        pd.testing.assert_frame_equal(contract.conform(frame), frame)
        for column in contract.columns:
            values = frame[column.name].dropna()
            assert column.minimum is None or (values >= column.minimum).all(), column.name
            assert column.maximum is None or (values <= column.maximum).all(), column.name
            assert not column.allowed or values.isin(column.allowed).all(), column.name


def test_every_window_and_model_has_a_fold_and_early_ones_say_why_not(
    forecasts: Forecasts,
) -> None:
    folds = forecasts.folds
    assert len(folds) == 2 * len(WINDOWS) * 3
    trained = folds[folds["status"] == "trained"]
    assert sorted(set(trained["window"].dt.strftime("%Y-%m-%d"))) == ["2018-01-01", "2018-07-01"]
    skipped = folds[folds["status"] == "skipped"]
    assert skipped["reason"].str.contains("training needs 1 years").all()
    assert trained["reason"].isna().all()
    assert (trained["test_rows"] > trained["scored_rows"]).any()


def test_forecasts_cover_each_session_of_a_trained_window_once(forecasts: Forecasts) -> None:
    own = MARKET.bars[MARKET.bars["date"] >= "2018-01-01"]
    counted = forecasts.predictions.groupby(["ticker", "model"])["date"].agg(["size", "nunique"])
    assert (counted == len(own) // 2).all(axis=None)


def test_forecasts_come_from_models_that_had_seen_nothing_of_their_day(
    forecasts: Forecasts,
) -> None:
    predictions = forecasts.predictions
    assert (predictions["trained_as_of"] < predictions["date"]).all()
    assert (predictions["trained_as_of"] < predictions["window"]).all()
    assert (predictions["window"] <= predictions["date"]).all()


def test_model_that_can_learn_beats_the_historical_mean(forecasts: Forecasts) -> None:
    scores = forecasts.folds.groupby("model")[["rmse", "information_coefficient"]].mean()
    assert scores.loc["xgboost", "rmse"] < 0.9 * scores.loc["historical_mean", "rmse"]
    assert scores.loc["xgboost", "information_coefficient"] > 0.5
    first = forecasts.feature_importance[forecasts.feature_importance["rank"] == 1]
    assert (first["feature"] == PREDICTOR).all()


def test_interval_is_symmetric_and_covers_about_what_it_states(forecasts: Forecasts) -> None:
    predictions = forecasts.predictions
    middle = (predictions["lower"] + predictions["upper"]) / 2
    assert np.allclose(middle, predictions["prediction"])
    coverage = forecasts.folds["interval_coverage"].mean()
    assert 0.75 < coverage <= 1


def test_rows_are_the_same_with_one_process_and_with_two(
    forecasts: Forecasts, tmp_path: Path
) -> None:
    tickers = ("AAA", "BBB")
    market = small_market((*tickers, "CCC"))
    one = _forecast(tmp_path / "one", market, tickers=(*tickers, "CCC"))
    two = _forecast(tmp_path / "two", market, tickers=("CCC", *tickers), workers=2)
    assert _hashes(one) == _hashes(two)
    again = _forecast(tmp_path / "again")
    assert _hashes(again) == _hashes(forecasts)


def test_stored_models_are_used_again_and_give_the_same_rows(
    forecasts: Forecasts, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_args: object) -> Iterator[object]:
        pytest.fail("a stored model was fitted again")

    monkeypatch.setattr("odyssey_assets.forecasting.making.fit_fold", refuse)
    for name, frame in vars(_forecast(models)).items():
        pd.testing.assert_frame_equal(frame, getattr(forecasts, name), check_exact=True)


def test_nightly_steps_equal_one_pass_at_the_end(forecasts: Forecasts, tmp_path: Path) -> None:
    steps = [
        _forecast(tmp_path, MARKET.until(day), windows=(LAST,)).predictions
        for day in ("2018-07-02", "2018-07-03", "2018-08-15")
    ]
    assert len(list(tmp_path.rglob("manifest.json"))) == 2 * 3
    whole = forecasts.predictions[forecasts.predictions["window"] == "2018-07-01"]
    for step in steps:
        known = whole[whole["date"] <= step["date"].max()].reset_index(drop=True)
        pd.testing.assert_frame_equal(step, known, check_exact=True)


def test_changed_history_or_configuration_fits_a_new_model(tmp_path: Path) -> None:
    one: dict[str, Any] = {
        "windows": (LAST,),
        "tickers": ("AAA",),
        "forecasting": {"models": ("xgboost",)},
    }
    first = _forecast(tmp_path, **one).folds.iloc[0]
    features = MARKET.features.copy()
    features.loc[200, PREDICTOR] = 9.0
    restated = _forecast(tmp_path, SmallMarket(features, MARKET.labels, MARKET.bars), **one)
    reseeded = _forecast(tmp_path, seed=43, **one)
    assert restated.folds.iloc[0]["data_sha256"] != first["data_sha256"]
    assert reseeded.folds.iloc[0]["data_sha256"] == first["data_sha256"]
    models = {first["model_sha256"]} | {
        forecast.folds.iloc[0]["model_sha256"] for forecast in (restated, reseeded)
    }
    assert len(models) == 3


def test_progress_counts_the_fits(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    forecast_windows(
        MARKET.features,
        MARKET.labels,
        MARKET.bars,
        {"AAA": (LAST,)},
        fast_settings(),
        ModelStore(tmp_path),
        None,
        progress=lambda done, total: seen.append((done, total)),
    )
    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_ticker_without_any_session_is_skipped_with_a_reason(tmp_path: Path) -> None:
    result = _forecast(tmp_path, windows=(LAST,), tickers=("ZZZ",))
    assert result.folds["reason"].str.startswith("no session of this ticker is stored").all()
    assert len(result.folds) == 3
    assert result.predictions.dtypes.equals(PREDICTIONS.empty().dtypes)
    assert result.feature_importance.empty


def test_no_windows_give_empty_tables(tmp_path: Path) -> None:
    result = _forecast(tmp_path, tickers=())
    for name, contract in CONTRACTS.items():
        pd.testing.assert_frame_equal(getattr(result, name), contract.empty())


def test_scramble_of_the_future_changes_no_model_and_no_earlier_forecast(
    forecasts: Forecasts, tmp_path: Path
) -> None:
    day = pd.Timestamp("2018-02-15")
    generator = np.random.default_rng(3)
    features, labels, bars = MARKET.features.copy(), MARKET.labels.copy(), MARKET.bars.copy()
    for frame, columns, since in (
        (features, list(features.columns[2:]), day),
        (labels, list(labels.columns[2:]), day - pd.Timedelta(days=20)),
        (bars, ["open", "close"], day),
    ):
        later = frame["date"] > since
        shape = (int(later.sum()), len(columns))
        frame.loc[later, columns] = 1 + np.abs(generator.normal(size=shape))
    window = parse_window("2018-01-01")
    scrambled = _forecast(tmp_path, SmallMarket(features, labels, bars), windows=(window,))
    before, after = (
        frame[(frame["window"] == "2018-01-01") & (frame["date"] <= day)].reset_index(drop=True)
        for frame in (forecasts.predictions, scrambled.predictions)
    )
    pd.testing.assert_frame_equal(before, after, check_exact=True)
