"""The best forecasts in equal shares."""

from dataclasses import dataclass

import numpy as np

from odyssey_assets.portfolio.market import MarketView
from odyssey_assets.portfolio.policies.allocation import on_all_tickers, proportional_weights


@dataclass(frozen=True)
class ForecastTopK:
    """Holds the `count` tickers with the highest positive forecasts; cash where there is none.

    Of equal forecasts the ticker named first wins.

    Attributes:
        count: Tickers held at most.
        max_weight: In one ticker, fraction of equity.
        budget: In all tickers, fraction of equity.
    """

    count: int
    max_weight: float
    budget: float

    def decide(self, view: MarketView, held: np.ndarray) -> np.ndarray | None:  # noqa: ARG002 (contract)
        """Return equal weights of the best; None where no ticker that trades has a forecast."""
        forecast = np.where(view.is_tradable, view.forecast, np.nan)
        if np.isnan(forecast).all():
            return None
        positive = np.flatnonzero(forecast > 0.0)
        best = positive[np.argsort(-forecast[positive], kind="stable")[: self.count]]
        shares = proportional_weights(np.ones(len(best)), self.max_weight, self.budget)
        return on_all_tickers(shares, best, len(forecast))
