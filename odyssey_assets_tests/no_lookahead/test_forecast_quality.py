"""Figures of forecasts use outcomes known at the close of their row, and so do their limits."""

from dataclasses import replace
from datetime import date

import pandas as pd
import pytest

from odyssey_assets.monitoring.quality.decay import judge_decay
from odyssey_assets.monitoring.quality.rolling import measure_quality, promises
from odyssey_assets_tests.monitoring.quality.forecast_history import (
    HORIZON,
    History,
    history,
    settings,
    until,
)
from odyssey_assets_tests.no_lookahead.harness import (
    ROWS,
    Computation,
    Market,
    leaking_columns,
    random_days,
)

KNOWN = history(end=date(2019, 6, 28), seed=3)


def history_of(market: Market) -> History:
    """Return what is known of a market: forecasts travel in the macro frame, series by ticker."""
    seen = replace(KNOWN, bars=market.bars)
    last = market.bars["date"].max()
    made = KNOWN.predictions[KNOWN.predictions["model"] == "xgboost"]
    made = made.drop(columns=["prediction", "lower", "upper"])
    values = market.macro.rename(columns={"series": "ticker", "value": "prediction"})
    own = made.merge(values, on=["ticker", "date"])
    # A bar that is missing has no forecast: the harness drops rows of either frame.
    own = own.merge(market.bars[["ticker", "date"]], on=["ticker", "date"])
    own = own.assign(lower=own["prediction"] - 0.05, upper=own["prediction"] + 0.05)
    baseline = own.assign(model="historical_mean", prediction=0.001)
    return until(replace(seen, predictions=pd.concat([own, baseline])), last)


def quality_of(market: Market) -> pd.DataFrame:
    known = history_of(market)
    promised = promises(known.folds, known.challengers)
    rows = measure_quality(known.predictions, known.labels, known.bars, promised, settings())
    judged = judge_decay(rows, settings().decay)
    return judged.astype({name: float for name in judged if name.startswith("is_")})


@pytest.fixture(scope="module")
def market() -> Market:
    made = KNOWN.predictions[KNOWN.predictions["model"] == "xgboost"]
    forecasts = made[["ticker", "date", "prediction"]].set_axis(["series", "date", "value"], axis=1)
    return Market(KNOWN.bars, forecasts.reset_index(drop=True))


@pytest.fixture(scope="module")
def days() -> list[pd.Timestamp]:
    first_of_window = [pd.Timestamp("2018-06-29"), pd.Timestamp("2018-07-02")]
    made = KNOWN.predictions.loc[KNOWN.predictions["date"] > "2017-12-31", "date"]
    return [*random_days(made, count=4, seed=5), *first_of_window]


def test_figures_and_limits_on_cut_and_scrambled_future_keep_every_bit(
    market: Market, days: list[pd.Timestamp]
) -> None:
    assert leaking_columns(quality_of, market, days) == {}


def test_every_figure_and_limit_is_known_before_the_days(
    market: Market, days: list[pd.Timestamp]
) -> None:
    before = quality_of(market)
    before = before[before["date"] <= min(days)]
    assert [name for name in before if before[name].isna().all()] == []


def test_figures_that_count_the_forecasts_of_the_row_itself_are_caught(
    market: Market, days: list[pd.Timestamp]
) -> None:
    def leaking(market: Market) -> pd.DataFrame:
        rows = quality_of(market)
        earlier = rows.groupby("ticker")["rmse_20"].shift(-HORIZON)
        return rows.assign(rmse_20=earlier)

    computation: Computation = leaking
    leaks = leaking_columns(computation, market, days)
    assert "rmse_20" in leaks
    assert ROWS not in leaks


def test_limits_that_know_the_window_itself_are_caught(
    market: Market, days: list[pd.Timestamp]
) -> None:
    def leaking(market: Market) -> pd.DataFrame:
        rows = quality_of(market)
        worst = rows.groupby(["ticker", "window"])["sharpe_60"].transform("min")
        return rows.assign(sharpe_floor=worst)

    computation: Computation = leaking
    assert "sharpe_floor" in leaking_columns(computation, market, days)
