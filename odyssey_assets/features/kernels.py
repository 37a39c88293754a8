"""Compiled rolling statistics over one ticker's rows.

Every window is summed on its own, oldest row first, so a result depends on no row before its
window and a constant window has a spread of exactly zero. A NaN makes null the windows that hold
it and no others; the first `window - 1` results are null. What TA-Lib has is taken from TA-Lib.
Numba is slow to import: only the bodies of computations import this module.

The loop over the window is the outer one: neighbouring rows are then independent and the compiler
uses vector instructions without reordering a sum. Blocks keep the sums in the nearest cache.
"""

import numpy as np
from numba import njit

from odyssey_assets.features.series import FloatArray

NO_SPREAD = 1e-12
"""Standard deviations up to this are rounding of a constant: nothing is divided by them."""

BLOCK = 256


@njit(cache=True)
def rolling_sum(values: FloatArray, window: int) -> FloatArray:
    """Return the sum of each row's last `window` values."""
    result = np.full(values.size, np.nan)
    for first in range(0, values.size - window + 1, BLOCK):
        last = min(first + BLOCK + window - 1, values.size)
        result[first + window - 1 : last] = _sums(values[first:last], window)
    return result


@njit(cache=True)
def rolling_std(values: FloatArray, window: int) -> FloatArray:
    """Return the standard deviation (ddof 1) of each row's last `window` values.

    From differences to the window's oldest value, which makes the textbook formula safe: their
    mean square is at most `window` times their variance, so at most that many units in the last
    place cancel, and a constant window gives exactly zero (Chan, Golub and LeVeque, 1983).
    """
    result = np.full(values.size, np.nan)
    for first in range(0, values.size - window + 1, BLOCK):
        last = min(first + BLOCK + window - 1, values.size)
        squares = _squares(values[first:last], window)
        result[first + window - 1 : last] = np.sqrt(squares / (window - 1))
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
    floor = NO_SPREAD * NO_SPREAD * (window - 1)
    for first in range(0, values.size - window + 1, BLOCK):
        last = min(first + BLOCK + window - 1, values.size)
        own, others, joint = _products(values[first:last], market[first:last], window)
        for index in range(own.size):
            row = first + window - 1 + index
            if others[index] > floor:
                beta[row] = joint[index] / others[index]
                if own[index] > floor:
                    scale = np.sqrt(own[index] * others[index])
                    correlation[row] = min(max(joint[index] / scale, -1.0), 1.0)
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
def _sums(values: FloatArray, window: int) -> FloatArray:
    count = values.size - window + 1
    total = np.zeros(count)
    for lag in range(window):
        shifted = values[lag : lag + count]
        for row in range(count):
            total[row] += shifted[row]
    return total


@njit(cache=True)
def _squares(values: FloatArray, window: int) -> FloatArray:
    """Return each window's sum of squared deviations from its mean."""
    count = values.size - window + 1
    total, squares = np.zeros(count), np.zeros(count)
    for lag in range(1, window):
        shifted = values[lag : lag + count]
        for row in range(count):
            offset = shifted[row] - values[row]
            total[row] += offset
            squares[row] += offset * offset
    return np.maximum(squares - total * total / window, 0.0)


@njit(cache=True)
def _products(
    values: FloatArray, market: FloatArray, window: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return sums of squared deviations of both and of the products of their deviations."""
    count = values.size - window + 1
    total, market_total = np.zeros(count), np.zeros(count)
    squares, market_squares, products = np.zeros(count), np.zeros(count), np.zeros(count)
    for lag in range(1, window):
        shifted, market_shifted = values[lag : lag + count], market[lag : lag + count]
        for row in range(count):
            offset = shifted[row] - values[row]
            market_offset = market_shifted[row] - market[row]
            total[row] += offset
            market_total[row] += market_offset
            squares[row] += offset * offset
            market_squares[row] += market_offset * market_offset
            products[row] += offset * market_offset
    return (
        np.maximum(squares - total * total / window, 0.0),
        np.maximum(market_squares - market_total * market_total / window, 0.0),
        products - total * market_total / window,
    )
