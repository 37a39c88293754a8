import numpy as np
import pandas as pd
import pytest

from odyssey_assets.backtesting.curves import (
    ROLLING_SESSIONS,
    common_start,
    cumulative_cost,
    days_by_strategy,
    growth_of_one,
    monthly_returns,
    rolling_sharpe,
    seed_band,
    yearly_turnover,
)
from odyssey_assets.core.returns import sharpe
from odyssey_assets.core.sessions import SESSIONS_PER_YEAR
from odyssey_assets_tests.backtesting.synthetic_results import CAPITAL, LEARNED, synthetic_results

RESULTS = synthetic_results(("ppo", "equal_weight"))
DAYS = days_by_strategy(RESULTS.daily)


def test_growth_from_the_first_session_is_equity_over_capital() -> None:
    for days in DAYS.values():
        growth = growth_of_one(days, days.index[0])
        np.testing.assert_allclose(growth, days["equity"] / CAPITAL, rtol=1e-12)


def test_growth_since_a_date_begins_at_the_close_before() -> None:
    days = DAYS["equal_weight"]
    growth = growth_of_one(days, days.index[500])
    np.testing.assert_allclose(growth, days["equity"].iloc[500:] / days["equity"].iloc[499])


def test_common_start_is_the_first_session_of_the_youngest() -> None:
    assert common_start(DAYS) == DAYS[LEARNED].index[0] > DAYS["equal_weight"].index[0]


def test_rolling_sharpe_equals_the_ratio_of_each_window() -> None:
    days = DAYS["equal_weight"]
    rolling = rolling_sharpe(days)
    assert len(rolling) == len(days) - ROLLING_SESSIONS + 1
    for end in (ROLLING_SESSIONS, 1000, len(days)):
        own = days["return"].to_numpy()[end - ROLLING_SESSIONS : end]
        assert rolling.loc[days.index[end - 1]] == float(sharpe(own))


def test_rolling_sharpe_of_too_few_sessions_is_empty() -> None:
    assert rolling_sharpe(DAYS["equal_weight"].iloc[: ROLLING_SESSIONS - 1]).empty


def test_months_compound_to_their_year_and_years_to_the_whole() -> None:
    days = DAYS["equal_weight"]
    grid = monthly_returns(days)
    months = (1 + grid[list(range(1, 13))]).prod(axis=1) - 1
    np.testing.assert_allclose(months, grid["year"], rtol=1e-10)
    assert (1 + grid["year"]).prod() == pytest.approx(days["equity"].iloc[-1] / CAPITAL)
    assert grid.index.tolist() == list(range(2013, 2026))
    assert grid.loc[2025, list(range(7, 13))].isna().all()


def test_month_without_a_session_is_unknown() -> None:
    days = DAYS["equal_weight"]
    gap = days[(days.index < "2014-03-01") | (days.index >= "2014-04-01")]
    assert np.isnan(monthly_returns(gap).loc[2014, 3])


def test_yearly_turnover_adds_up_the_last_year() -> None:
    days = DAYS["equal_weight"]
    turnover = yearly_turnover(days)
    expected = days["turnover"].to_numpy()[1000 - SESSIONS_PER_YEAR + 1 : 1001].sum()
    assert turnover.iloc[1000] == pytest.approx(expected)
    assert turnover.iloc[0] == days["turnover"].iloc[0]


def test_cumulative_cost_is_the_rate_times_what_was_traded() -> None:
    days = DAYS["equal_weight"]
    costs = cumulative_cost(days)
    np.testing.assert_allclose(costs, 0.0015 * days["turnover"].cumsum(), rtol=1e-9)


def test_cumulative_cost_of_a_ruined_strategy_stays_where_it_was() -> None:
    days = DAYS["equal_weight"].iloc[:4].copy()
    money = ["equity", "price_gain", "interest", "commission", "slippage", "impact"]
    days.loc[days.index[2:], money] = 0.0
    costs = cumulative_cost(days)
    assert costs.iloc[2] == costs.iloc[3]
    assert np.isfinite(costs).all()


def test_seed_band_spans_every_seed_and_opens_where_seeds_differ() -> None:
    start = DAYS[LEARNED].index[0]
    band = seed_band(RESULTS.seed_paths, LEARNED, start)
    assert band is not None
    low, high = band
    for _, rows in RESULTS.seed_paths.groupby("seed"):
        growth = rows.set_index("date")["equity"] / CAPITAL
        assert (low <= growth * (1 + 1e-12)).all()
        assert (high >= growth * (1 - 1e-12)).all()
    is_newest = low.index >= "2025-01-01"
    np.testing.assert_allclose(low[~is_newest], high[~is_newest])
    assert (high[is_newest].iloc[-1] - low[is_newest].iloc[-1]) > 0.001


def test_seed_band_needs_two_seeds() -> None:
    start = pd.Timestamp("2013-01-02")
    one = RESULTS.seed_paths[RESULTS.seed_paths["seed"] == 42]
    assert seed_band(one, LEARNED, start) is None
    assert seed_band(RESULTS.seed_paths, "equal_weight", start) is None
    assert seed_band(RESULTS.seed_paths, LEARNED, pd.Timestamp("2030-01-01")) is None
