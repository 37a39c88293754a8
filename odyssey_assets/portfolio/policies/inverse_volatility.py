"""More of what moves less: weights in proportion to 1 / volatility."""

from dataclasses import dataclass

import numpy as np

from odyssey_assets.portfolio.market import MarketView
from odyssey_assets.portfolio.policies.allocation import on_all_tickers, proportional_weights
from odyssey_assets.portfolio.policies.lookback import look_back


@dataclass(frozen=True)
class InverseVolatility:
    """Spreads the budget in proportion to 1 / volatility (Maillard, Roncalli & Teiletche 2010).

    Every ticker then carries the same risk as long as all correlations are equal and none is at
    the cap.

    Attributes:
        lookback_sessions: Daily returns that the volatility is estimated from.
        max_weight: In one ticker, fraction of equity.
        budget: In all tickers, fraction of equity.
    """

    lookback_sessions: int
    max_weight: float
    budget: float

    def decide(self, view: MarketView, held: np.ndarray) -> np.ndarray | None:  # noqa: ARG002 (contract)
        """Return the weights; None while no ticker has a full lookback."""
        past = look_back(view, self.lookback_sessions)
        if past is None:
            return None
        shares = proportional_weights(1.0 / past.volatility, self.max_weight, self.budget)
        return on_all_tickers(shares, past.columns, len(view.is_tradable))
