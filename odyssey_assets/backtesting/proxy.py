"""Returns of the ticker that stands for the market: what strategies are measured against."""

import numpy as np
import pandas as pd

from odyssey_assets.core.adjustment import adjusted_bars


def proxy_returns(bars: pd.DataFrame, proxy: str, dates: np.ndarray) -> np.ndarray:
    """Return the proxy's adjusted close / close of the session before - 1, on `dates`.

    Over a session without a bar the close is carried forward, as a portfolio that holds the proxy
    is marked: the return is 0, and the next one spans the gap.

    Args:
        bars: Rows of `market_data.bars` of the proxy, others are left out.
        proxy: Its ticker.
        dates: Sessions wanted, any order.

    Returns:
        Fractions, shape (dates,); NaN up to the proxy's first bar, and everywhere without any.
    """
    own = adjusted_bars(bars[bars["ticker"] == proxy]).sort_values("date")
    sessions = pd.DatetimeIndex(own["date"])
    close = own["close"].to_numpy(dtype=np.float64)
    returns = pd.Series(close[1:] / close[:-1] - 1, index=sessions[1:])
    wanted = pd.DatetimeIndex(dates).astype(sessions.dtype)
    found = returns.reindex(wanted).to_numpy(dtype=np.float64, copy=True)
    if len(sessions):
        found[np.isnan(found) & (wanted > sessions[0])] = 0.0
    return found
