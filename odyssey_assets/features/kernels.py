"""Compiled rolling statistics over one ticker's rows.

Every window is summed on its own, oldest row first, so a result depends on no row before its
window and a constant window has a spread of exactly zero. A NaN makes null the windows that hold
it and no others; the first `window - 1` results are null. The loop over the window is the outer
one: neighbouring rows are then independent and the compiler uses vector instructions without
reordering a sum. What TA-Lib has is taken from TA-Lib. Numba is slow to import: only the bodies
of computations import this module.
"""

import numpy as np
from numba import njit

from odyssey_assets.features.series import FloatArray

NO_SPREAD = 1e-12
"""Standard deviations up to this are rounding of a constant: nothing is divided by them."""


@njit(cache=True)
def rolling_sum(values: FloatArray, window: int) -> FloatArray:
    """Return the sum of each row's last `window` values."""
    result = np.full(values.size, np.nan)
    count = values.size - window + 1
    if count <= 0:
        return result
    total = np.zeros(count)
    for lag in range(window):
        shifted = values[lag : lag + count]
        for row in range(count):
            total[row] += shifted[row]
    result[window - 1 :] = total
    return result


@njit(cache=True)
def rolling_std(values: FloatArray, window: int) -> FloatArray:
    """Return the standard deviation (ddof 1) of each row's last `window` values.

    Two passes over differences from the window's oldest value: exact zero for a constant window.
    """
    result = np.full(values.size, np.nan)
    count = values.size - window + 1
    if count <= 0:
        return result
    mean = _mean_offsets(values, window, count)
    squares = np.zeros(count)
    for lag in range(1, window):
        shifted = values[lag : lag + count]
        for row in range(count):
            deviation = (shifted[row] - values[row]) - mean[row]
            squares[row] += deviation * deviation
    for row in range(count):
        squares[row] += mean[row] * mean[row]
        result[row + window - 1] = np.sqrt(squares[row] / (window - 1))
    return result


@njit(cache=True)
def rolling_comovement(
    values: FloatArray, market: FloatArray, window: int
) -> tuple[FloatArray, FloatArray]:
    """Return correlation (exactly within [-1, 1]) and beta of `values` to `market`.

    Over each row's last `window` pairs; null where the market, or for the correlation either of
    them, has no spread.
    """
    correlation, beta = np.full(values.size, np.nan), np.full(values.size, np.nan)
    count = values.size - window + 1
    if count <= 0:
        return correlation, beta
    mean, market_mean = _mean_offsets(values, window, count), _mean_offsets(market, window, count)
    squares, market_squares, products = np.zeros(count), np.zeros(count), np.zeros(count)
    for lag in range(window):
        shifted, market_shifted = values[lag : lag + count], market[lag : lag + count]
        for row in range(count):
            one = (shifted[row] - values[row]) - mean[row]
            two = (market_shifted[row] - market[row]) - market_mean[row]
            squares[row] += one * one
            market_squares[row] += two * two
            products[row] += one * two
    floor = NO_SPREAD * NO_SPREAD * (window - 1)
    for row in range(count):
        if market_squares[row] > floor:
            beta[row + window - 1] = products[row] / market_squares[row]
            if squares[row] > floor:
                scale = np.sqrt(squares[row]) * np.sqrt(market_squares[row])
                correlation[row + window - 1] = min(max(products[row] / scale, -1.0), 1.0)
    return correlation, beta


@njit(cache=True)
def expanding_bounds(
    values: FloatArray, minimum_count: int, width: float
) -> tuple[FloatArray, FloatArray]:
    """Return mean -+ `width` standard deviations (ddof 1) of the values before each row.

    Null while fewer than `minimum_count` values came before, and where those have no spread.
    Welford's (1962) recursion from the first row on; NaN values are passed over.
    """
    lower, upper = np.full(values.size, np.nan), np.full(values.size, np.nan)
    count, mean, squares = 0, 0.0, 0.0
    for row in range(values.size):
        if count >= minimum_count and count > 1:
            std = np.sqrt(squares / (count - 1))
            if std > NO_SPREAD:
                lower[row], upper[row] = mean - width * std, mean + width * std
        if not np.isnan(values[row]):
            count += 1
            step = values[row] - mean
            mean += step / count
            squares += step * (values[row] - mean)
    return lower, upper


@njit(cache=True)
def _mean_offsets(values: FloatArray, window: int, count: int) -> FloatArray:
    total = np.zeros(count)
    for lag in range(1, window):
        shifted = values[lag : lag + count]
        for row in range(count):
            total[row] += shifted[row] - values[row]
    return total / window
