"""The recent past that rules estimate risk from: daily returns of the tickers that have all of it.

What a rule makes of the returns belongs to the rule.
"""

from dataclasses import dataclass

import numpy as np

from odyssey_assets.portfolio.market import MarketView

MIN_VOLATILITY = 1e-6
"""Daily; a price that moves less than this does not move, and has no risk to estimate."""


@dataclass(frozen=True, eq=False)
class Lookback:
    """Daily returns of the tickers that can be estimated and traded.

    Attributes:
        columns: Which tickers, ascending, shape (usable,).
        returns: Close / close before - 1, newest last, shape (sessions, usable); 0 where a ticker
            had no bar.
        volatility: Standard deviation (ddof 1) of the returns, shape (usable,).
    """

    columns: np.ndarray
    returns: np.ndarray
    volatility: np.ndarray


def look_back(view: MarketView, sessions: int) -> Lookback | None:
    """Return the last `sessions` returns of every ticker usable at the view's close.

    Usable is a ticker that trades this session, was listed `sessions` ago already, and whose price
    moves at all. None where there is no such ticker.
    """
    if len(view.panel) <= sessions:
        return None
    closes = view.panel.close[-sessions - 1 :]
    columns = np.flatnonzero(view.is_tradable & ~np.isnan(closes[0]))
    returns = closes[1:, columns] / closes[:-1, columns] - 1.0
    volatility = returns.std(axis=0, ddof=1)
    moves = volatility > MIN_VOLATILITY
    if not moves.any():
        return None
    return Lookback(
        columns[moves], np.ascontiguousarray(returns[:, moves]), np.asarray(volatility[moves])
    )
