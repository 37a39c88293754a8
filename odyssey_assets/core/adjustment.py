"""Adjusted prices from as-traded bars and their forward factors.

The factors use only events up to their own row, so an adjusted history never changes when a later
dividend or split arrives. How the factors come about belongs to `market_data.adjustments`.
"""

import numpy as np
import pandas as pd

PRICE_COLUMNS = ("open", "high", "low", "close")


def adjusted_bars(bars: pd.DataFrame) -> pd.DataFrame:
    """Return `bars` with adjusted `open high low close volume` in place of the as-traded ones.

    Args:
        bars: Rows of `market_data.bars`, at least prices, volume, `split_factor` and
            `total_return_factor`.

    Returns:
        A new frame with all columns of `bars`; prices are total-return adjusted (first session of
        the ticker as base), volume (float64) is in shares of the first session's basis.
    """
    factor = bars["total_return_factor"].to_numpy(dtype=np.float64)
    prices = {name: bars[name].to_numpy(dtype=np.float64) * factor for name in PRICE_COLUMNS}
    volume = bars["volume"].to_numpy(dtype=np.float64) / bars["split_factor"].to_numpy()
    return bars.assign(**prices, volume=volume)
