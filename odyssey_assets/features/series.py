"""What the formulas of the library work on: one ticker's bars, the market beside them, and ratios.

Everything is a contiguous float64 array, oldest first. Windows over bars count the ticker's own
rows (a session without a bar has no row), windows over the market count sessions of the exchange.
How the arrays come about belongs to `panel` and `market_state`; rolling statistics to `kernels`.
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
        sessions: Each row's session, as index into the arrays of `MarketState`.
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


@dataclass(frozen=True)
class MarketState:
    """What is the same for all tickers, one element a session of the exchange.

    A value is carried on for a few sessions where a session has none (`macro_fill_sessions`);
    beyond that, and where the proxy or the series is absent, it is null.

    Attributes:
        proxy: The ticker that stands for the market.
        proxy_close: Its adjusted close.
        proxy_trend: Its close_to_sma_200.
        breadth: Share of the tickers with a known sma_20 whose close is above it.
        vix: VIX, index points.
        tnx: 10-year yield, percent.
        dxy: Dollar index, index points.
        gold: Gold, USD per ounce.
        regime: 0 calm, 1 normal, 2 stressed.
        regime_duration: Sessions since the regime last changed.
        regime_strength: How much nearer the own centre is than the nearest other one.
    """

    proxy: str
    proxy_close: FloatArray
    proxy_trend: FloatArray
    breadth: FloatArray
    vix: FloatArray
    tnx: FloatArray
    dxy: FloatArray
    gold: FloatArray
    regime: FloatArray
    regime_duration: FloatArray
    regime_strength: FloatArray


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
