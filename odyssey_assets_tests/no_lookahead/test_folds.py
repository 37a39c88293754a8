from datetime import date

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from odyssey_assets.core.sessions import sessions_between
from odyssey_assets.core.windows import windows_between
from odyssey_assets.forecasting.folds import Fold, plan_folds
from odyssey_assets.settings_sections import ForecastingSettings
from odyssey_assets_tests.no_lookahead.harness import Computation, Market, leaking_columns

DAYS = sessions_between(date(2012, 1, 1), date(2018, 12, 31))
WINDOWS = windows_between(date(2012, 1, 1), date(2018, 12, 31))
CONFIG = ForecastingSettings(min_train_years=1, warmup_sessions=60)
MARKET = Market(
    bars=pd.DataFrame({"ticker": "AAA", "date": DAYS})
    .assign(**dict.fromkeys(("open", "high", "low", "close", "volume"), 1.0))
    .assign(split_factor=1.0, total_return_factor=1.0),
    macro=pd.DataFrame({"series": "VIX", "date": DAYS, "value": 20.0}),
)


def _learned(days: np.ndarray, fold: Fold) -> dict[str, object]:
    train, valid = days[fold.train.rows], days[fold.valid.rows]
    return {
        "date": pd.Timestamp(days[fold.test.start]),
        "train_start": train[0],
        "train_end": train[-1],
        "train_rows": len(train),
        "valid_start": valid[0],
        "valid_end": valid[-1],
        "valid_rows": len(valid),
        "test_start": days[fold.test.start],
        "trained_as_of": fold.trained_as_of,
    }


def _plans(market: Market) -> pd.DataFrame:
    """Return what each trained fold learns from, dated by the first session it forecasts."""
    days = market.bars["date"].to_numpy()
    folds = plan_folds(days, WINDOWS, CONFIG)
    return pd.DataFrame([_learned(days, fold) for fold in folds if fold.reason is None])


def _plans_that_stretch_to_the_end(market: Market) -> pd.DataFrame:
    """Leak on purpose: validate up to a tenth before the end of all that is stored."""
    plans = _plans(market)
    last = market.bars["date"].iloc[int(len(market.bars) * 0.9)]
    return plans.assign(valid_end=np.maximum(plans["valid_end"], last))


CUTS = [pd.Timestamp(day) for day in ("2014-03-03", "2015-07-01", "2016-12-30", "2018-06-29")]


def test_folds_on_cut_and_scrambled_future_stay_as_planned() -> None:
    assert len(_plans(MARKET)) > 8
    assert leaking_columns(_plans, MARKET, CUTS) == {}


def test_folds_that_look_at_the_end_of_the_data_are_caught() -> None:
    computation: Computation = _plans_that_stretch_to_the_end
    assert "valid_end" in leaking_columns(computation, MARKET, CUTS)


@given(known=st.integers(300, len(DAYS)))
@settings(max_examples=100, deadline=None)
def test_cut_anywhere_leaves_planned_folds_and_only_grows_test_parts(known: int) -> None:
    whole = plan_folds(DAYS.to_numpy(), WINDOWS, CONFIG)
    cut = plan_folds(DAYS.to_numpy()[:known], WINDOWS, CONFIG)
    for before, after in zip(cut, whole, strict=True):
        if before.reason is None:
            assert (before.train, before.valid) == (after.train, after.valid)
            assert before.trained_as_of == after.trained_as_of
            assert before.test.start == after.test.start
            assert before.test.stop <= after.test.stop
        else:
            assert before.reason == after.reason or "no session" in before.reason
