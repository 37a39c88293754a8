import math

import numpy as np
import pytest

from odyssey_assets.backtesting.trading_intensity import (
    annual_cost,
    annual_turnover,
    cost_share,
    costs_paid,
    equity_before,
    gains_before_costs,
)
from odyssey_assets_tests.backtesting.replays import CAPITAL, market_panel, replayed, roll


def test_turnover_is_that_of_a_mean_session_times_252() -> None:
    assert annual_turnover(np.array([0.8, 0.0, 0.1, 0.1])) == pytest.approx(63)


def test_cost_is_the_share_of_equity_that_a_mean_session_takes_times_252() -> None:
    assert annual_cost(np.array([1.0, 0.0]), np.array([1_000.0, 500.0])) == pytest.approx(0.126)


def test_cost_share_is_costs_over_what_was_gained_before_them() -> None:
    assert cost_share(np.array([10.0, 20.0]), np.array([400.0, -100.0])) == pytest.approx(0.1)


@pytest.mark.parametrize("gains", [[-5.0, 5.0], [-5.0, 4.0]])
def test_cost_share_without_a_gain_does_not_exist(gains: list[float]) -> None:
    assert math.isnan(cost_share(np.array([1.0, 1.0]), np.array(gains)))


def test_figures_without_sessions_do_not_exist() -> None:
    empty = np.array([])
    assert math.isnan(annual_turnover(empty))
    assert math.isnan(annual_cost(empty, empty))
    assert math.isnan(cost_share(empty, empty))


def test_cost_of_a_ruined_strategy_does_not_exist() -> None:
    assert math.isnan(annual_cost(np.array([1.0, 0.0]), np.array([10.0, 0.0])))


def test_equity_before_is_that_of_the_session_before() -> None:
    daily = replayed(roll("one", market_panel(), first=300).weights, market_panel()).daily
    expected = np.append(CAPITAL, daily["equity"].to_numpy()[:-1])

    np.testing.assert_allclose(equity_before(daily), expected, rtol=1e-12)
    change = daily["equity"].to_numpy() - expected
    np.testing.assert_allclose(
        gains_before_costs(daily) - costs_paid(daily), change, atol=1e-6 * CAPITAL
    )
    assert (costs_paid(daily) > 0).any()
