"""On which basis a vendor's prices are, and what follows: later splits and implied dividends.

Shared by all sources. Turning delivered rows into as-traded bars belongs to
`market_data.adjustments`.
"""

import numpy as np

# Yahoo computes adjusted closes in single precision: on its files the noise of a step stays below
# 1.8e-6 (two rows), while the smallest dividend lies above 1e-5.
ADJUSTED_CLOSE_NOISE = 1.5e-6


def later_splits(split_ratio: np.ndarray) -> np.ndarray:
    """Return, for each row, the product of the split ratios of all later rows.

    Args:
        split_ratio: Ratios in the order of time, 1 without a split, (rows,).
    """
    from_here_on = np.cumprod(split_ratio[::-1])[::-1]
    return np.append(from_here_on[1:], 1.0)[: len(split_ratio)]


def later_payouts(close: np.ndarray, dividend: np.ndarray) -> np.ndarray:
    """Return, for each row, the product of `1 - dividend / previous close` of all later rows.

    Yahoo's adjusted close is the close times this factor. All on one split basis, (rows,).
    """
    kept = np.ones(len(close))
    kept[1:] = 1.0 - dividend[1:] / close[:-1]
    return later_splits(kept)


def implied_dividends(
    close: np.ndarray, adj_close: np.ndarray, close_rounding: float, adj_close_rounding: float
) -> np.ndarray:
    """Return the dividends that explain the steps between adjusted and plain closes, USD a share.

    With the step `s[t] = (adj[t] / adj[t-1]) / (close[t] / close[t-1])` the dividend is
    `close[t-1] (1 - 1 / s[t])`; a step that rounding of the prices explains gives 0.

    Args:
        close: Closes in the order of time, (rows,); rows with a null are passed over.
        adj_close: Adjusted closes.
        close_rounding: Largest error of a close by the decimals it is written with, USD.
        adj_close_rounding: The same of an adjusted close.
    """
    dividends = np.zeros(len(close))
    rows = np.flatnonzero((close > 0) & (adj_close > 0))
    if len(rows) < 2:
        return dividends
    share = adj_close[rows] / close[rows]
    noise = (
        ADJUSTED_CLOSE_NOISE + close_rounding / close[rows] + adj_close_rounding / adj_close[rows]
    )
    step = share[1:] / share[:-1]
    is_payout = np.abs(step - 1.0) > noise[1:] + noise[:-1]
    dividends[rows[1:]] = np.where(is_payout, close[rows[:-1]] * (1.0 - 1.0 / step), 0.0)
    return dividends
