"""The same share in every ticker: the yardstick that is hard to beat after costs."""

from dataclasses import dataclass

import numpy as np

from odyssey_assets.portfolio.market import MarketView
from odyssey_assets.portfolio.policies.allocation import on_all_tickers, proportional_weights


@dataclass(frozen=True)
class EqualWeight:
    """Spreads the budget evenly over what trades (DeMiguel, Garlappi & Uppal 2009, "1/N").

    Attributes:
        max_weight: In one ticker, fraction of equity.
        budget: In all tickers, fraction of equity.
    """

    max_weight: float
    budget: float

    def decide(self, view: MarketView, held: np.ndarray) -> np.ndarray | None:  # noqa: ARG002 (contract)
        """Return equal weights; None where nothing trades."""
        columns = np.flatnonzero(view.is_tradable)
        if len(columns) == 0:
            return None
        shares = proportional_weights(np.ones(len(columns)), self.max_weight, self.budget)
        return on_all_tickers(shares, columns, len(view.is_tradable))
