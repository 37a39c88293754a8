"""One ticker's history as the formulas of the library see it: contiguous arrays, oldest first.

Windows count the ticker's own rows; a session without a bar has no row. The market's state beside
it is in `market_state`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Columns = dict[str, FloatArray]


@dataclass(frozen=True)
class TickerBars:
    """Adjusted bars of one ticker, one element a row.

    Attributes:
        ticker: Its name.
        sessions: Each row's place in the market's sessions (`MarketState.sessions`).
        open: Adjusted opening price.
        high: Adjusted highest price.
        low: Adjusted lowest price.
        close: Adjusted closing price.
        volume: Shares on the first session's split basis; 0 on filled sessions.
        simple_return: close / previous close - 1; null on the first row.
        log_return: Log of close / previous close; null on the first row.
        clipped_log_return: `log_return` clipped by its own past, see `clipping`.
    """

    ticker: str
    sessions: NDArray[np.int64]
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray
    simple_return: FloatArray
    log_return: FloatArray
    clipped_log_return: FloatArray


def change_over(values: FloatArray, rows: int) -> FloatArray:
    """Return values / values `rows` before - 1; null where that is unknown or not positive."""
    result = np.full(values.size, np.nan)
    if values.size > rows:
        before = values[:-rows]
        np.divide(values[rows:], before, out=result[rows:], where=before > 0.0)
        result[rows:] -= 1.0
    return result


def difference_over(values: FloatArray, rows: int) -> FloatArray:
    """Return values - values `rows` before; null where that is unknown."""
    result = np.full(values.size, np.nan)
    result[rows:] = values[rows:] - values[:-rows]
    return result


def ratio(numerator: FloatArray, denominator: FloatArray, above: float = 0.0) -> FloatArray:
    """Return numerator / denominator; null where the denominator is not greater than `above`."""
    result = np.full(numerator.size, np.nan)
    np.divide(numerator, denominator, out=result, where=denominator > above)
    return result
