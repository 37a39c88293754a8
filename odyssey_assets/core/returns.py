"""What a daily return series earned and risked: growth, volatility, ratios, tails, co-movement.

The one place for these figures, whoever asks: scores of forecasts, policies, backtests, simulated
paths. Falls from a peak belong to `core.drawdowns`, how sure a Sharpe ratio is to
`core.sharpe_uncertainty`; rolling features of prices belong to `features`.

Conventions of all three modules:

- Returns are simple (end value / start value - 1), fractions, float64, one a session, ascending;
  time is the last axis, shape (..., sessions). A figure has shape (...), 0-d for one series.
- A gain is positive and a loss negative in every figure, tails and drawdowns included.
- Annual figures count `SESSIONS_PER_YEAR` sessions a year; no risk-free rate is subtracted.
- NaN stands for a figure that does not exist; a NaN among the returns makes all figures NaN.
- Series never influence each other: many at once equal one at a time, to the last bit.
"""

import math

import numpy as np

from odyssey_assets.core.sessions import SESSIONS_PER_YEAR
from odyssey_assets.errors import ContractError

TAIL = 0.05
"""Share of sessions in the tail of `value_at_risk` and `expected_shortfall`: 95 % confidence."""


def compounded_growth(returns: np.ndarray) -> np.ndarray:
    """Return what one unit of money has become after each session, shape (..., sessions).

    The cumulative product of 1 + return; the first value is 1 + the first return. Nothing compounds
    past ruin: from a return below -1 on, which takes more than all money, growth is NaN.
    """
    factors = 1.0 + _series(returns)
    factors[factors < 0.0] = np.nan
    return np.cumprod(factors, axis=-1, out=factors)


def total_return(returns: np.ndarray) -> np.ndarray:
    """Return the compounded return of the whole series, a fraction; NaN without sessions."""
    return np.asarray(_final_growth(returns) - 1.0)


def cagr(returns: np.ndarray) -> np.ndarray:
    """Return the compound annual growth rate: final growth ** (252 / sessions) - 1.

    Periods below a year are annualised too, which the Global Investment Performance Standards (CFA
    Institute, 2020) forbid in reports: show it beside the number of sessions. NaN without sessions.
    """
    final = _final_growth(returns)
    return np.asarray(np.power(final, SESSIONS_PER_YEAR / max(np.shape(returns)[-1], 1)) - 1.0)


def volatility(returns: np.ndarray) -> np.ndarray:
    """Return the standard deviation (ddof 1) times sqrt(252); NaN with fewer than two returns."""
    return np.asarray(_deviation(_series(returns)) * math.sqrt(SESSIONS_PER_YEAR))


def sharpe(returns: np.ndarray) -> np.ndarray:
    """Return mean / standard deviation (ddof 1) of daily returns, times sqrt(252).

    Sharpe (1994), Journal of Portfolio Management 21(1), without a risk-free rate. NaN where fewer
    than two returns exist or they do not vary.
    """
    series = _series(returns)
    return _annual_ratio(series, _deviation(series))


def sortino(returns: np.ndarray) -> np.ndarray:
    """Return mean / downside deviation of daily returns, times sqrt(252).

    Sortino and Price (1994), Journal of Investing 3(3), with 0 as minimum acceptable return. The
    downside deviation is the root of the mean over all sessions, gains counting as 0, of the
    squared losses. NaN with fewer than two returns or without a loss.
    """
    series = _series(returns)
    if series.shape[-1] < 2:
        return _unknown(series)
    return _annual_ratio(series, np.sqrt(np.mean(np.minimum(series, 0.0) ** 2, axis=-1)))


def win_rate(returns: np.ndarray) -> np.ndarray:
    """Return the share of gains among the sessions that gained or lost.

    A session of return zero (all in cash, no interest) neither won nor lost and is left out, so the
    figure does not fall because a strategy waits. NaN where no session gained or lost.
    """
    signs = np.sign(_series(returns))
    return _ratio(np.sum(np.maximum(signs, 0.0), axis=-1), np.sum(np.abs(signs), axis=-1))


def profit_factor(returns: np.ndarray) -> np.ndarray:
    """Return the sum of gains / the sum of losses, sessions taken as trades; NaN without a loss.

    Kaufman (2013), Trading Systems and Methods, 5th edition: gross profit / gross loss.
    """
    series = _series(returns)
    gains = np.sum(np.maximum(series, 0.0), axis=-1)
    return _ratio(gains, np.sum(np.maximum(-series, 0.0), axis=-1))


def value_at_risk(returns: np.ndarray, tail: float = TAIL) -> np.ndarray:
    """Return the historical value at risk of one session as a return: a loss is negative.

    The `tail` quantile of the returns, linear between order statistics: type 7 of Hyndman and Fan
    (1996), The American Statistician 50(4). NaN without sessions.
    """
    series = _series(returns)
    if series.shape[-1] == 0:
        return _unknown(series)
    return np.asarray(np.quantile(series, tail, axis=-1, method="linear"))


def expected_shortfall(returns: np.ndarray, tail: float = TAIL) -> np.ndarray:
    """Return the mean of the returns at or below the value at risk: a loss is negative.

    Rockafellar and Uryasev (2002), Journal of Banking and Finance 26(7), who call it the lower
    conditional value at risk of a discrete distribution. NaN without sessions.
    """
    series = _series(returns)
    is_tail = series <= value_at_risk(series, tail)[..., np.newaxis]
    sums = np.sum(np.where(is_tail, series, 0.0), axis=-1)
    return _ratio(sums, np.asarray(np.count_nonzero(is_tail, axis=-1)))


def beta(returns: np.ndarray, benchmark: np.ndarray) -> np.ndarray:
    """Return covariance with the benchmark / variance of the benchmark.

    Sharpe (1964), Journal of Finance 19(3), without a risk-free rate. NaN with fewer than two
    returns or where the benchmark does not vary.

    Args:
        returns: Returns, shape (..., sessions).
        benchmark: Returns of the same sessions, shape (sessions,) or that of `returns`.

    Raises:
        ContractError: The two do not have equally many sessions.
    """
    one, two = _paired(returns, benchmark)
    return _ratio(np.sum(one * two, axis=-1), np.sum(two * two, axis=-1))


def correlation(returns: np.ndarray, benchmark: np.ndarray) -> np.ndarray:
    """Return Pearson's correlation with the benchmark, within [-1, 1].

    Arguments and errors as in `beta`. NaN with fewer than two returns or where either does not
    vary.
    """
    one, two = _paired(returns, benchmark)
    squares = np.sum(one * one, axis=-1) * np.sum(two * two, axis=-1)
    covariance = np.sum(one * two, axis=-1)
    return np.asarray(np.clip(_ratio(covariance, np.sqrt(squares)), -1.0, 1.0))


def _series(returns: np.ndarray) -> np.ndarray:
    # Contiguous in time: numpy then sums each series in the order in which it sums one alone.
    return np.ascontiguousarray(returns, dtype=np.float64)


def _unknown(series: np.ndarray) -> np.ndarray:
    return np.full(series.shape[:-1], np.nan)


def _final_growth(returns: np.ndarray) -> np.ndarray:
    growth = compounded_growth(returns)
    return growth[..., -1] if growth.shape[-1] else _unknown(growth)


def _deviation(series: np.ndarray) -> np.ndarray:
    if series.shape[-1] < 2:
        return _unknown(series)
    # The mean of a constant may be rounded, and its deviation then not quite zero.
    is_constant = np.ptp(series, axis=-1) == 0
    return np.where(is_constant, 0.0, np.std(series, axis=-1, ddof=1))


def _centered(series: np.ndarray) -> np.ndarray:
    # Exactly zero for a constant, as in `_deviation`.
    if series.shape[-1] == 0:
        return series
    is_constant = np.ptp(series, axis=-1, keepdims=True) == 0
    return np.where(is_constant, 0.0, series - np.mean(series, axis=-1, keepdims=True))


def _annual_ratio(series: np.ndarray, risk: np.ndarray) -> np.ndarray:
    if series.shape[-1] == 0:
        return _unknown(series)
    return np.asarray(_ratio(np.mean(series, axis=-1), risk) * math.sqrt(SESSIONS_PER_YEAR))


def _ratio(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    unknown = np.full(np.broadcast_shapes(np.shape(numerator), np.shape(denominator)), np.nan)
    return np.divide(numerator, denominator, out=unknown, where=np.greater(denominator, 0.0))


def _paired(returns: np.ndarray, benchmark: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    one, two = _series(returns), _series(benchmark)
    if one.shape[-1] != two.shape[-1]:
        raise ContractError(
            f"Returns of {one.shape[-1]} sessions cannot be compared with a benchmark of "
            f"{two.shape[-1]}; pass the benchmark's returns of the same sessions."
        )
    return _centered(one), _centered(two)
