"""The rows of a market that one training may see, cut out and identified by their hash.

What a training does with them belongs to `portfolio.ppo_training`.
"""

from dataclasses import dataclass

import pandas as pd

from odyssey_assets.core.hashing import hash_frame
from odyssey_assets.portfolio.market import PortfolioMarket


@dataclass(frozen=True)
class Spans:
    """Rows of the market: learned from [first, valid_first), validated on [valid_first, stop)."""

    first: int
    valid_first: int
    stop: int

    def cut(self, market: PortfolioMarket) -> PortfolioMarket:
        """Return the rows that a training may see, and no others."""
        rows = slice(self.first, self.stop)
        return PortfolioMarket(
            market.panel.between(self.first, self.stop),
            market.forecasts[rows],
            market.half_widths[rows],
            market.horizon,
        )


def data_sha256(market: PortfolioMarket) -> str:
    """Return the SHA-256 of everything that a training on this market sees."""
    panel = market.panel
    arrays = {
        "open": panel.open, "close": panel.close, "factor": panel.factor, "has_bar": panel.has_bar,
        "dollar_volume": panel.dollar_volume, "volatility": panel.volatility,
        "forecast": market.forecasts,
    }  # fmt: skip
    columns = {
        f"{name} {ticker}": values[:, at]
        for name, values in arrays.items()
        for at, ticker in enumerate(panel.tickers)
    }
    return hash_frame(
        pd.DataFrame({"date": panel.dates, "cash_return": panel.cash_return, **columns})
    )
