"""One ticker bought once: what it costs to do nothing."""

from dataclasses import dataclass

import numpy as np

from odyssey_assets.portfolio.market import MarketView


@dataclass(frozen=True)
class BuyAndHold:
    """Puts one share of equity into one ticker.

    Attributes:
        ticker: What is bought.
        weight: Fraction of equity.
    """

    ticker: str
    weight: float

    def decide(self, view: MarketView, held: np.ndarray) -> np.ndarray | None:  # noqa: ARG002 (contract)
        """Return the weight in the ticker; None while it does not trade."""
        column = view.panel.tickers.index(self.ticker)
        if not view.is_tradable[column]:
            return None
        weights = np.zeros(len(view.is_tradable))
        weights[column] = self.weight
        return weights
