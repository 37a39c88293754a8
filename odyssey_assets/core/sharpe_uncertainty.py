"""How sure a Sharpe ratio is: its standard error, and the odds that the true one beats a benchmark.

Conventions as in `core.returns`. Both figures assume returns that are independent and identically
distributed, of any shape with four moments; returns that depend on their past make them too sure.
"""

import math

import numpy as np

from odyssey_assets.core.returns import sharpe
from odyssey_assets.core.sessions import SESSIONS_PER_YEAR


def sharpe_standard_error(returns: np.ndarray) -> np.ndarray:
    """Return the standard error of `core.returns.sharpe`, annualised as the ratio is.

    With S the ratio of one session, g3 skewness and g4 kurtosis (3 for a normal distribution) of
    the sample: sqrt((1 - g3 S + (g4 - 1) / 4 S^2) / (sessions - 1)), times sqrt(252). Lo (2002),
    Financial Analysts Journal 58(4), for normal returns; Mertens (2002), Comments on variance of
    the IID estimator in Lo (2002), for others; sessions - 1 as in Bailey and Lopez de Prado (2012),
    Journal of Risk 15(2). NaN where the ratio does not exist or the variance is not positive, which
    happens only where returns take two values.
    """
    series = np.ascontiguousarray(returns, dtype=np.float64)
    ratio = sharpe(series) / math.sqrt(SESSIONS_PER_YEAR)
    is_known = ~np.isnan(ratio)
    if not is_known.any():
        return np.full(ratio.shape, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        skewness, kurtosis = _standardised_moments(series)
        scaled = 1.0 - skewness * ratio + (kurtosis - 1.0) / 4.0 * ratio * ratio
    is_known &= scaled > 0.0
    error = np.sqrt(scaled, out=np.full(ratio.shape, np.nan), where=is_known)
    return np.asarray(error * math.sqrt(SESSIONS_PER_YEAR / (series.shape[-1] - 1)))


def probabilistic_sharpe(returns: np.ndarray, benchmark_sharpe: float = 0.0) -> np.ndarray:
    """Return the probability that the true Sharpe ratio is above a benchmark, within [0, 1].

    The normal distribution function of (Sharpe ratio - benchmark) / standard error: Bailey and
    Lopez de Prado (2012), Journal of Risk 15(2). All three are annualised here, which leaves the
    quotient of the paper's per-period figures as it is. NaN where the standard error is.

    Args:
        returns: Returns, shape (..., sessions).
        benchmark_sharpe: Annualised Sharpe ratio to be beaten.
    """
    score = (sharpe(returns) - benchmark_sharpe) / sharpe_standard_error(returns)
    # The complementary error function keeps its digits in the far tail, where 1 + erf has none.
    return np.asarray(0.5 * np.vectorize(math.erfc, otypes=[np.float64])(-score / math.sqrt(2.0)))


def _standardised_moments(series: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    deviation = series - np.mean(series, axis=-1, keepdims=True)
    square = deviation * deviation
    variance = np.mean(square, axis=-1)
    skewness = np.mean(square * deviation, axis=-1) / (variance * np.sqrt(variance))
    kurtosis = np.mean(square * square, axis=-1) / (variance * variance)
    return skewness, kurtosis
