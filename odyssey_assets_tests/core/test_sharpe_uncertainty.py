import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats
from scipy.optimize import least_squares

from odyssey_assets.core.returns import sharpe
from odyssey_assets.core.sharpe_uncertainty import probabilistic_sharpe, sharpe_standard_error

YEAR = math.sqrt(252)
_RETURNS = arrays(
    np.float64, st.integers(3, 60), elements=st.integers(-300, 300).map(lambda whole: whole / 1000)
)


def track_record(ratio: float, skewness: float, kurtosis: float, periods: int) -> np.ndarray:
    """Return returns with exactly these figures: a bent normal sample (Jones and Pewsey, 2009).

    Args:
        ratio: Sharpe ratio of one period.
        skewness: Sample skewness.
        kurtosis: Sample kurtosis, 3 for a normal distribution.
        periods: Number of returns.
    """
    normal = np.arcsinh(stats.norm.ppf((np.arange(periods) + 0.5) / periods))

    def bent(parameters: np.ndarray) -> np.ndarray:
        return np.sinh((normal + parameters[0]) * np.exp(parameters[1]))

    def error(parameters: np.ndarray) -> list[float]:
        sample = bent(parameters)
        return [
            float(stats.skew(sample)) - skewness,
            float(stats.kurtosis(sample, fisher=False)) - kurtosis,
        ]

    fitted = least_squares(error, [0.3 * np.sign(skewness), 0.3], xtol=1e-15, gtol=1e-15)
    assert np.abs(fitted.fun).max() < 1e-9
    sample = bent(fitted.x)
    return sample - sample.mean() + ratio * sample.std(ddof=1)


@pytest.mark.parametrize(
    ("ratio", "skewness", "kurtosis", "expected"),
    [(0.7079, -0.2250, 2.9570, 0.1028), (0.8183, -1.4455, 7.0497, 0.1550)],
)
def test_standard_error_matches_the_hedge_fund_indices_of_bailey_and_lopez_de_prado(
    ratio: float, skewness: float, kurtosis: float, expected: float
) -> None:
    returns = track_record(ratio, skewness, kurtosis, 134)
    assert sharpe(returns) / YEAR == pytest.approx(ratio, rel=1e-9)
    assert sharpe_standard_error(returns) / YEAR == pytest.approx(expected, abs=5e-5)


@pytest.mark.parametrize(
    ("skewness", "kurtosis", "months", "expected"),
    # The paper cuts the last, 0.9535, to 0.953.
    [(0.0, 3.0, 24, 0.982), (-2.448, 10.164, 24, 0.913), (-2.448, 10.164, 36, 0.9535)],
)
def test_probability_matches_the_track_records_of_bailey_and_lopez_de_prado(
    skewness: float, kurtosis: float, months: int, expected: float
) -> None:
    returns = track_record(0.458, skewness, kurtosis, months)
    assert probabilistic_sharpe(returns) == pytest.approx(expected, abs=5e-4)


def test_probability_against_a_benchmark_matches_the_deflated_sharpe_example() -> None:
    # Bailey and Lopez de Prado (2014), Journal of Portfolio Management 40(5): five years of 250
    # days, annual Sharpe ratio 2.5, skewness -3, kurtosis 10, benchmark 0.1132 a day, 0.9004.
    # Kurtosis can be no smaller than 1 + skewness ** 2, which two values have: 105 days of 1,250.
    returns = np.where(np.arange(1250) < 105, -1.0, 0.0)
    assert stats.skew(returns) == pytest.approx(-3, abs=2e-3)
    assert stats.kurtosis(returns, fisher=False) == pytest.approx(10, abs=1e-2)
    returns += 2.5 / math.sqrt(250) * returns.std(ddof=1) - returns.mean()
    assert probabilistic_sharpe(returns, 0.1132 * YEAR) == pytest.approx(0.9004, abs=5e-4)


@given(returns=_RETURNS)
def test_standard_error_is_the_formula_over_the_moments_of_scipy(returns: np.ndarray) -> None:
    if np.ptp(returns) == 0:
        assert math.isnan(sharpe_standard_error(returns))
        return
    ratio = float(returns.mean() / returns.std(ddof=1))
    skewness, kurtosis = stats.skew(returns), stats.kurtosis(returns, fisher=False)
    scaled = 1 - skewness * ratio + (kurtosis - 1) / 4 * ratio**2
    if scaled < 1e-9:  # two values: the variance vanishes, and rounding decides its sign
        return
    expected = math.sqrt(scaled / (len(returns) - 1)) * YEAR
    assert sharpe_standard_error(returns) == pytest.approx(expected, rel=1e-6)
    score = (float(sharpe(returns)) - 1.0) / expected
    assert probabilistic_sharpe(returns, 1.0) == pytest.approx(stats.norm.cdf(score), rel=1e-4)


def test_standard_error_of_normal_returns_is_lo_s_and_the_spread_over_samples() -> None:
    draws = np.random.default_rng(2).normal(0.002, 0.01, (20_000, 252))
    ratios = sharpe(draws)
    lo = math.sqrt((1 + 0.2**2 / 2) / 251) * YEAR
    assert float(np.median(sharpe_standard_error(draws))) == pytest.approx(lo, rel=0.01)
    assert ratios.std() == pytest.approx(lo, rel=0.02)


def test_standard_error_of_skewed_returns_is_the_spread_over_samples() -> None:
    # Seldom large losses: with lambda 1, 2 - exponential has mean 1, deviation 1 and skewness -2.
    draws = (2.0 - np.random.default_rng(3).exponential(1.0, (20_000, 504))) * 0.01 - 0.007
    ratio, skewness, kurtosis = 0.3, -2.0, 9.0
    expected = math.sqrt((1 - skewness * ratio + (kurtosis - 1) / 4 * ratio**2) / 503) * YEAR
    assert sharpe(draws).std() == pytest.approx(expected, rel=0.02)
    normal = math.sqrt((1 + ratio**2 / 2) / 503) * YEAR
    assert expected > 1.3 * normal


@given(returns=_RETURNS, low=st.floats(-3, 3), high=st.floats(-3, 3))
def test_probability_falls_with_the_benchmark_and_is_one_half_at_the_ratio_itself(
    returns: np.ndarray, low: float, high: float
) -> None:
    probability = probabilistic_sharpe(returns, min(low, high))
    if np.isnan(probability):
        return
    assert 0 <= probabilistic_sharpe(returns, max(low, high)) <= probability <= 1
    assert probabilistic_sharpe(returns, float(sharpe(returns))) == 0.5


def test_probability_of_a_hopeless_record_keeps_its_digits() -> None:
    returns = -track_record(1.0, 0.0, 3.0, 252)
    score = float(sharpe(returns) / sharpe_standard_error(returns))
    assert score < -10
    assert probabilistic_sharpe(returns) == pytest.approx(stats.norm.cdf(score), rel=1e-9)


def test_figures_of_returns_without_spread_are_unknown() -> None:
    returns = np.stack([np.full(5, 0.01), [0.01, -0.02, 0.0, 0.01, 0.03]])
    assert np.isnan(sharpe_standard_error(returns)).tolist() == [True, False]
    assert np.isnan(probabilistic_sharpe(returns)).tolist() == [True, False]


def test_standard_error_of_two_values_whose_variance_vanishes_is_unknown_or_nothing() -> None:
    # One loss among gains: skewness x ratio = 2 leaves no variance to first order.
    returns = np.array([1.0, 1.0, 1.0, 0.0])
    skewness = float(stats.skew(returns))
    returns += 2 / skewness * returns.std(ddof=1) - returns.mean()
    error = float(sharpe_standard_error(returns))
    assert math.isnan(error) or error < 1e-6
