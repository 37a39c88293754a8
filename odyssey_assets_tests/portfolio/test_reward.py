import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from odyssey_assets.portfolio.reward import (
    ADAPTION,
    LARGEST_RATIO,
    SMALLEST_VOLATILITY,
    USUAL_VOLATILITY,
    RunningMoments,
    step_reward,
)

RETURNS = st.floats(-0.03, 0.03)


def _running_sharpe(mean: float, square: float, value: float, adaption: float) -> float:
    mean, square = mean + adaption * (value - mean), square + adaption * (value**2 - square)
    return float(mean / np.sqrt(square - mean**2))


@given(mean=st.floats(-0.003, 0.003), deviation=st.floats(0.005, 0.02), value=RETURNS)
def test_differential_ratio_is_the_derivative_of_the_running_sharpe_ratio(
    mean: float, deviation: float, value: float
) -> None:
    square = mean**2 + deviation**2
    moments = RunningMoments(np.array([mean]), np.array([square]))
    step = 1e-5
    slope = (
        _running_sharpe(mean, square, value, step) - _running_sharpe(mean, square, value, -step)
    ) / (2 * step)
    expected = np.clip(slope, -LARGEST_RATIO, LARGEST_RATIO)
    assert moments.update(np.array([value]))[0] == pytest.approx(expected, rel=1e-4, abs=1e-4)


def test_first_ratio_is_the_return_in_usual_standard_deviations() -> None:
    ratio = RunningMoments.of_new(2).update(np.array([0.015, -0.02]))
    np.testing.assert_allclose(ratio, np.array([1.5, -2.0]))


@given(st.lists(RETURNS, min_size=1, max_size=30))
def test_moments_after_a_path_are_exponentially_weighted_means(path: list[float]) -> None:
    moments = RunningMoments.of_new(1)
    for value in path:
        moments.update(np.array([value]))
    ages = np.arange(len(path) - 1, -1, -1)
    weights = ADAPTION * (1 - ADAPTION) ** ages
    rest = (1 - ADAPTION) ** len(path)
    values = np.array(path)
    assert moments.mean[0] == pytest.approx(weights @ values, abs=1e-12)
    assert moments.square[0] == pytest.approx(weights @ values**2 + rest * USUAL_VOLATILITY**2)


def test_ratio_rewards_gains_and_punishes_losses_and_large_gains_less() -> None:
    moments = RunningMoments(np.full(3, 0.001), np.full(3, 0.0002))
    loss, gain, huge_gain = moments.update(np.array([-0.01, 0.01, 0.10]))
    assert loss < 0 < gain
    # Even a gain adds volatility: ten times the return is worth less than ten times the ratio.
    assert huge_gain < 10 * gain


def test_ratio_of_cash_for_ever_is_zero_and_a_crash_is_cut() -> None:
    moments = RunningMoments.of_new(1)
    for _ in range(3000):
        assert moments.update(np.zeros(1))[0] == 0.0
    tiny = SMALLEST_VOLATILITY / 10
    assert abs(moments.update(np.array([tiny]))[0]) < 1
    assert moments.update(np.array([-0.9]))[0] == -LARGEST_RATIO


def test_restart_forgets_only_the_chosen_portfolios() -> None:
    moments = RunningMoments.of_new(2)
    moments.update(np.array([0.01, 0.02]))
    kept = moments.mean[1], moments.square[1]
    moments.restart(np.array([True, False]))
    assert (moments.mean[0], moments.square[0]) == (0.0, USUAL_VOLATILITY**2)
    assert (moments.mean[1], moments.square[1]) == kept


def test_moments_of_many_portfolios_equal_each_alone() -> None:
    paths = np.random.default_rng(0).normal(0, 0.01, (50, 3))
    together = RunningMoments.of_new(3)
    alone = [RunningMoments.of_new(1) for _ in range(3)]
    for row in paths:
        expected = [one.update(row[[at]])[0] for at, one in enumerate(alone)]
        assert together.update(row).tolist() == expected


def test_step_reward_counts_returns_in_usual_deviations_and_ratios_by_weight() -> None:
    reward = step_reward(np.array([0.01, -0.02]), np.array([0.5, 1.0]), 2.0)
    np.testing.assert_allclose(reward, [2.0, 0.0])
