import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import spearmanr
from sklearn.metrics import r2_score, root_mean_squared_error

from odyssey_assets.core.costs import ProportionalCosts
from odyssey_assets.core.forecast_scores import (
    direction_accuracy,
    information_coefficient,
    interval_coverage,
    r2,
    rmse,
    score_forecasts,
    sign_strategy_returns,
)

COSTS = ProportionalCosts(commission_bps=10, slippage_bps=5)
FREE = ProportionalCosts(0, 0)
_RETURNS = arrays(
    np.float64, st.integers(2, 40), elements=st.integers(-30, 30).map(lambda whole: whole / 100)
)


@given(outcome=_RETURNS, seed=st.integers(0, 1000))
def test_errors_and_correlation_match_sklearn_and_scipy(outcome: np.ndarray, seed: int) -> None:
    prediction = np.random.default_rng(seed).integers(-3, 4, len(outcome)) / 100
    assert rmse(prediction, outcome) == pytest.approx(root_mean_squared_error(outcome, prediction))
    if np.ptp(outcome) > 0:
        assert r2(prediction, outcome) == pytest.approx(r2_score(outcome, prediction))
        if np.ptp(prediction) > 0:
            expected = spearmanr(prediction, outcome).statistic
            found = information_coefficient(prediction, outcome)
            assert found == pytest.approx(expected, abs=1e-12)


def test_perfect_and_reversed_forecasts_have_correlation_one_and_minus_one() -> None:
    outcome = np.array([0.03, -0.01, 0.02, 0.05])
    assert information_coefficient(outcome * 7, outcome) == 1.0
    assert information_coefficient(-outcome, outcome) == -1.0
    assert r2(outcome, outcome) == 1.0


def test_constant_forecast_has_no_rank_correlation() -> None:
    assert math.isnan(information_coefficient(np.full(3, 0.01), np.array([0.01, 0.02, 0.03])))
    assert math.isnan(information_coefficient(np.array([0.01, 0.02]), np.full(2, 0.01)))
    assert math.isnan(r2(np.array([0.01, 0.02]), np.full(2, 0.01)))


def test_direction_accuracy_counts_equal_signs_and_zero_as_its_own_sign() -> None:
    prediction, outcome = np.array([0.1, -0.1, 0.2, 0.1]), np.array([0.3, 0.2, 0.0, 0.1])
    assert direction_accuracy(prediction, outcome) == 0.5


def test_interval_coverage_includes_the_ends() -> None:
    prediction, outcome = np.zeros(4), np.array([-0.5, 0.5, 0.51, 0.0])
    assert interval_coverage(prediction, outcome, 0.5) == 0.75


def test_figures_without_rows_are_unknown() -> None:
    none = np.empty(0)
    for figure in (rmse, r2, direction_accuracy, information_coefficient):
        assert math.isnan(figure(none, none))
    assert math.isnan(interval_coverage(none, none, 0.1))


def test_sign_strategy_buys_at_the_next_open_and_pays_for_each_change() -> None:
    opens = np.array([999.0, 100.0, 110.0, 99.0, 108.9])
    prediction = np.array([0.01, -0.02, -0.01, 0.5, 0.5])
    expected = [
        110 / 100 - 1 - 0.0015,  # bought one unit
        -(99 / 110 - 1) - 2 * 0.0015,  # turned from long to short: two units traded
        -(108.9 / 99 - 1),  # kept
    ]
    assert sign_strategy_returns(prediction, opens, COSTS) == pytest.approx(expected)


@given(signs=st.lists(st.sampled_from([-1.0, 0.0, 1.0]), min_size=3, max_size=30))
def test_sign_strategy_on_flat_prices_loses_exactly_its_costs(signs: list[float]) -> None:
    prediction = np.array(signs)
    net = sign_strategy_returns(prediction, np.full(len(signs), 10.0), COSTS)
    held = prediction[:-2]
    traded = abs(held[0]) + np.abs(np.diff(held)).sum()
    assert net.sum() == pytest.approx(-0.0015 * traded)


@pytest.mark.parametrize("rows", [0, 1, 2])
def test_sign_strategy_of_a_window_just_begun_has_no_return_yet(rows: int) -> None:
    assert len(sign_strategy_returns(np.ones(rows), np.ones(rows), COSTS)) == 0


def test_scores_use_known_outcomes_only_and_the_strategy_all_opens() -> None:
    prediction = np.array([0.01, -0.01, 0.01, 0.01])
    outcome = np.array([0.02, 0.01, np.nan, np.nan])
    scores = score_forecasts(prediction, outcome, 0.015, np.array([1.0, 1.0, 1.1, 1.21]), FREE)
    assert scores.scored_rows == 2
    assert scores.rmse == pytest.approx(math.sqrt((0.01**2 + 0.02**2) / 2))
    assert scores.direction_accuracy == 0.5
    assert scores.interval_coverage == 0.5
    assert scores.hit_rate == 0.5
    assert scores.sharpe == pytest.approx(0.0, abs=1e-12)


def test_scores_before_any_outcome_are_unknown() -> None:
    scores = score_forecasts(np.array([0.01]), np.array([np.nan]), 0.1, np.array([1.0]), COSTS)
    assert scores.scored_rows == 0
    assert math.isnan(scores.rmse)
    assert math.isnan(scores.hit_rate)
