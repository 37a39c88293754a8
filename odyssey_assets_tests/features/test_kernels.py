from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from odyssey_assets.features import kernels
from odyssey_assets.features.series import FloatArray

WINDOW = 7
numbers = st.floats(-1e6, 1e6, allow_nan=False)


def exact_squares(values: FloatArray) -> float:
    exact = [Fraction(value) for value in values.tolist()]
    mean = sum(exact) / len(exact)
    return float(sum((value - mean) ** 2 for value in exact))


@pytest.mark.parametrize("size", [WINDOW, 255, 256, 256 + WINDOW - 1, 256 + WINDOW, 1000])
def test_rolling_sum_and_std_across_blocks_match_numpy(size: int) -> None:
    values = np.random.default_rng(size).normal(size=size)
    windows = np.lib.stride_tricks.sliding_window_view(values, WINDOW)

    total, std = kernels.rolling_sum(values, WINDOW), kernels.rolling_std(values, WINDOW)

    assert np.isnan(total[: WINDOW - 1]).all()
    assert np.isnan(std[: WINDOW - 1]).all()
    np.testing.assert_allclose(total[WINDOW - 1 :], windows.sum(axis=1), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(std[WINDOW - 1 :], windows.std(axis=1, ddof=1), rtol=1e-12)


@given(st.lists(numbers, min_size=WINDOW, max_size=WINDOW))
@settings(deadline=None, max_examples=100)
def test_rolling_std_of_any_window_matches_exact_arithmetic(window: list[float]) -> None:
    values = np.array(window)
    expected = np.sqrt(exact_squares(values) / (WINDOW - 1))
    largest = np.abs(values - values[0]).max()

    assert kernels.rolling_std(values, WINDOW)[-1] == pytest.approx(
        expected, rel=1e-13, abs=1e-15 * largest
    )


@given(value=numbers, before=numbers)
@settings(deadline=None, max_examples=50)
def test_rolling_std_of_constant_window_is_exactly_zero_after_any_history(
    value: float, before: float
) -> None:
    values = np.array([before] * 3 + [value] * WINDOW)

    assert kernels.rolling_std(values, WINDOW)[-1] == 0.0


def test_window_results_do_not_depend_on_rows_before_the_window() -> None:
    generator = np.random.default_rng(1)
    values, market = generator.normal(size=(2, 600))
    other_values, other_market = values.copy(), market.copy()
    other_values[:400] *= 1e9
    other_market[:400] *= 1e9
    kept = slice(400 + WINDOW - 1, None)

    for function in (kernels.rolling_sum, kernels.rolling_std):
        assert np.array_equal(function(values, WINDOW)[kept], function(other_values, WINDOW)[kept])
    for one, two in zip(
        kernels.rolling_comovement(values, market, WINDOW),
        kernels.rolling_comovement(other_values, other_market, WINDOW),
        strict=True,
    ):
        assert np.array_equal(one[kept], two[kept])


def test_null_empties_exactly_the_windows_that_hold_it() -> None:
    values = np.random.default_rng(2).normal(size=600)
    values[300] = np.nan
    holds_null = np.arange(300, 300 + WINDOW)

    for result in (
        kernels.rolling_sum(values, WINDOW),
        kernels.rolling_std(values, WINDOW),
        *kernels.rolling_comovement(values, np.arange(600.0) ** 2, WINDOW),
    ):
        assert np.array_equal(np.flatnonzero(np.isnan(result)), [*range(WINDOW - 1), *holds_null])


@pytest.mark.parametrize("size", [0, 1, WINDOW - 1])
def test_history_shorter_than_the_window_is_all_null(size: int) -> None:
    values = np.ones(size)

    for result in (
        kernels.rolling_sum(values, WINDOW),
        kernels.rolling_std(values, WINDOW),
        *kernels.rolling_comovement(values, values, WINDOW),
    ):
        assert result.size == size
        assert np.isnan(result).all()


def test_comovement_matches_numpy() -> None:
    values, market = np.random.default_rng(3).normal(size=(2, 700))
    correlation, beta = kernels.rolling_comovement(values, market, 20)

    for row in (19, 274, 275, 500, 699):
        window = slice(row - 19, row + 1)
        covariance = np.cov(values[window], market[window])
        assert beta[row] == pytest.approx(covariance[0, 1] / covariance[1, 1], rel=1e-12)
        expected = np.corrcoef(values[window], market[window])[0, 1]
        assert correlation[row] == pytest.approx(expected, rel=1e-12)


@given(st.lists(numbers, min_size=WINDOW, max_size=WINDOW), st.sampled_from([1.0, -1.0, 1e-5, 3e5]))
@settings(deadline=None, max_examples=100)
def test_correlation_of_multiples_is_one_within_its_range(
    window: list[float], factor: float
) -> None:
    values = np.array(window)
    correlation, _ = kernels.rolling_comovement(values * factor, values, WINDOW)
    if not np.isnan(correlation[-1]):
        assert abs(correlation[-1]) <= 1.0
    if np.ptp(values) > 1.0:
        assert correlation[-1] == pytest.approx(np.sign(factor), abs=1e-9)


def test_comovement_with_market_without_spread_is_null() -> None:
    values = np.random.default_rng(4).normal(size=30)
    still = np.full(30, 0.1)

    correlation, beta = kernels.rolling_comovement(values, still, WINDOW)
    assert np.isnan(correlation).all()
    assert np.isnan(beta).all()

    correlation, beta = kernels.rolling_comovement(still, values, WINDOW)
    assert np.isnan(correlation).all()
    assert (beta[WINDOW - 1 :] == 0.0).all()


def test_expanding_bounds_match_the_past_and_nothing_else() -> None:
    values = np.random.default_rng(5).normal(size=60)
    values[0] = np.nan

    lower, upper = kernels.expanding_bounds(values, 20, 3.0)

    assert np.isnan(lower[:21]).all()
    for row in range(21, 60):
        past = values[1:row]
        assert lower[row] == pytest.approx(past.mean() - 3 * past.std(ddof=1), rel=1e-12)
        assert upper[row] == pytest.approx(past.mean() + 3 * past.std(ddof=1), rel=1e-12)


def test_expanding_bounds_of_a_past_without_spread_are_null() -> None:
    lower, upper = kernels.expanding_bounds(np.array([0.0] * 30 + [1.0]), 20, 3.0)

    assert np.isnan(lower).all()
    assert np.isnan(upper).all()
