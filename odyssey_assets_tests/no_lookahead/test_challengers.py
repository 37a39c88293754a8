"""A challenger of a day is the same whatever comes after the day, to the last bit."""

from datetime import date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from odyssey_assets.core.sessions import sessions_between
from odyssey_assets.core.windows import parse_window
from odyssey_assets.forecasting.challengers import fit_challengers
from odyssey_assets.forecasting.folds import plan_challenger
from odyssey_assets.forecasting.training import forecast_windows
from odyssey_assets.forecasting.trials import run_trials
from odyssey_assets.infrastructure.model_store import ModelStore
from odyssey_assets.settings_sections import ForecastingSettings
from odyssey_assets_tests.forecasting.small_market import SmallMarket, small_market
from odyssey_assets_tests.forecasting.versions import quick_settings

MARKET = small_market(("AAA",))
CONFIG = quick_settings(forecasting={"models": ("xgboost", "ridge")})
DAYS = ("2018-08-03", "2018-08-31", "2018-09-27")
NOW = datetime(2018, 10, 1)
SESSIONS = sessions_between(date(2012, 1, 1), date(2018, 12, 31)).to_numpy()


def scrambled(market: SmallMarket, day: str, seed: int) -> SmallMarket:
    """Return the market with a made-up future after `day`, and labels that follow from it."""
    generator = np.random.default_rng(seed)
    features, bars = market.features.copy(), market.bars.copy()
    later = features["date"] > day
    columns = list(features.columns[2:])
    features.loc[later, columns] = generator.normal(size=(int(later.sum()), len(columns)))
    later = bars["date"] > day
    scale = np.exp(generator.normal(0, 0.3, int(later.sum())))
    for column in ("open", "high", "low", "close"):
        bars.loc[later, column] *= scale
    return SmallMarket(features, bars, bars).until("2099-01-01")


def fitted(folder: Path, market: SmallMarket, day: str) -> pd.DataFrame:
    found = fit_challengers(
        *(market.features, market.labels, market.bars),
        ("AAA",),
        date.fromisoformat(day),
        (),
        CONFIG,
        ModelStore(folder),
        None,
        NOW,
    )
    return found.challengers


@pytest.mark.parametrize("day", DAYS)
def test_models_of_a_day_on_cut_and_scrambled_future_stay_bit_by_bit(
    day: str, tmp_path: Path
) -> None:
    whole = fitted(tmp_path / "whole", MARKET, day)
    assert sorted(whole["role"]) == ["challenger", "stand_in"]
    for seed, altered in enumerate((MARKET.until(day), scrambled(MARKET, day, 5))):
        found = fitted(tmp_path / str(seed), altered, day)
        pd.testing.assert_frame_equal(found, whole, check_exact=True)


def test_model_that_may_see_one_session_more_is_another() -> None:
    """The comparison above can fail: the day decides what is learned."""
    days = MARKET.bars["date"].to_numpy()
    one = plan_challenger(days, date(2018, 8, 30), CONFIG.forecasting)
    two = plan_challenger(days, date(2018, 8, 31), CONFIG.forecasting)
    assert two.valid.stop == one.valid.stop + 1


def test_trials_of_a_day_do_not_depend_on_what_comes_after(tmp_path: Path) -> None:
    store = ModelStore(tmp_path)
    folds = forecast_windows(
        *(MARKET.features, MARKET.labels, MARKET.bars),
        {"AAA": (parse_window("2018-07-01"),)},
        CONFIG,
        store,
        None,
    ).folds
    challengers = fitted(tmp_path, MARKET, DAYS[0])
    whole = run_trials(MARKET.features, folds, challengers, CONFIG, store, NOW).rows
    for day in DAYS[1:]:
        expected = whole[whole["date"] <= day].reset_index(drop=True)
        for altered in (MARKET.until(day), scrambled(MARKET, day, 3)):
            found = run_trials(altered.features, folds, challengers, CONFIG, store, NOW).rows
            known = found[found["date"] <= day].reset_index(drop=True)
            pd.testing.assert_frame_equal(known, expected, check_exact=True)


@given(
    last=st.integers(10, len(SESSIONS) - 1),
    beyond=st.integers(0, 400),
    horizon=st.sampled_from([1, 5, 20]),
    embargo=st.integers(0, 20),
)
@settings(max_examples=100, deadline=None)
def test_plan_of_a_day_uses_only_labels_known_by_then(
    last: int, beyond: int, horizon: int, embargo: int
) -> None:
    config = ForecastingSettings(
        min_train_years=1,
        warmup_sessions=60,
        horizon_sessions=horizon,
        embargo_sessions=embargo,
    )
    day = SESSIONS[last].astype("datetime64[D]").item()
    cut = plan_challenger(SESSIONS[: last + 1], day, config)
    whole = plan_challenger(SESSIONS[: last + 1 + beyond], day, config)
    assert (cut.train, cut.valid, cut.reason) == (whole.train, whole.valid, whole.reason)
    assert cut.trained_as_of == whole.trained_as_of
    if cut.reason is not None:
        return
    assert cut.trained_as_of == day
    assert len(cut.test) == 0
    assert cut.valid.stop - 1 + horizon <= last
    assert cut.train.stop - 1 + horizon + embargo < cut.valid.start
    assert whole.test.start == last + 1
