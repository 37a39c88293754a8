"""Bets in proportion to forecast over variance, at a fraction of what Kelly would bet."""

from dataclasses import dataclass

import numpy as np

from odyssey_assets.portfolio.market import MarketView
from odyssey_assets.portfolio.policies.allocation import affordable_weights, on_all_tickers
from odyssey_assets.portfolio.policies.lookback import look_back


@dataclass(frozen=True)
class ForecastKelly:
    """Bets `fraction x (forecast - interest) / variance` on each positive excess forecast.

    The growth-optimal bet on one asset is excess return / variance over the same horizon (Kelly
    1956; Thorp 2006, "The Kelly criterion in blackjack, sports betting and the stock market");
    a fraction of it pays for errors of the estimates (MacLean, Thorp & Ziemba 2010). Tickers are
    sized one by one, as if uncorrelated: inverting a sample covariance would bet on its noise.
    Interest is what cash earned over the last `horizon` sessions. Bets that exceed the budget are
    scaled down together.

    Attributes:
        fraction: Of the full Kelly bet.
        lookback_sessions: Daily returns that the variance is estimated from; the variance of the
            horizon is the daily one times its sessions.
        max_weight: In one ticker, fraction of equity.
        budget: In all tickers, fraction of equity.
    """

    fraction: float
    lookback_sessions: int
    max_weight: float
    budget: float

    def decide(self, view: MarketView, held: np.ndarray) -> np.ndarray | None:  # noqa: ARG002 (contract)
        """Return the bets; None where no ticker has both a forecast and a full lookback."""
        past = look_back(view, self.lookback_sessions)
        if past is None:
            return None
        forecast = view.forecast[past.columns]
        if np.isnan(forecast).all():
            return None
        excess = forecast - view.panel.cash_return[-view.horizon :].sum()
        is_bet = excess > 0.0
        variance = past.volatility[is_bet] ** 2 * view.horizon
        bets = self.fraction * excess[is_bet] / variance
        weights = affordable_weights(bets, self.max_weight, self.budget)
        return on_all_tickers(weights, past.columns[is_bet], len(view.is_tradable))
