"""The winners of the last year but one month, in equal shares."""

from dataclasses import dataclass

import numpy as np

from odyssey_assets.portfolio.market import MarketView
from odyssey_assets.portfolio.policies.allocation import on_all_tickers, proportional_weights


@dataclass(frozen=True)
class Momentum:
    """Holds the third of the tickers with the highest return from t - 252 to t - 21.

    Relative strength as in Jegadeesh & Titman (1993), equal shares, the winners' side only. The
    newest month is left out, because it tends to reverse (Jegadeesh 1990), and thirds replace
    deciles, as for few assets in Asness, Moskowitz & Pedersen (2013). Winners are relative: in a
    falling market they may have lost. Of equal returns the ticker named first wins.

    Attributes:
        lookback_sessions: Sessions from the first price to the decision.
        skip_sessions: Sessions from the last price to the decision.
        winners_share: Share of the ranked tickers that is held, rounded up.
        max_weight: In one ticker, fraction of equity.
        budget: In all tickers, fraction of equity.
    """

    lookback_sessions: int
    skip_sessions: int
    winners_share: float
    max_weight: float
    budget: float

    def decide(self, view: MarketView, held: np.ndarray) -> np.ndarray | None:  # noqa: ARG002 (contract)
        """Return equal weights of the winners; None while no ticker has the whole history."""
        if len(view.panel) <= self.lookback_sessions:
            return None
        first = view.panel.close[-1 - self.lookback_sessions]
        last = view.panel.close[-1 - self.skip_sessions]
        columns = np.flatnonzero(view.is_tradable & ~np.isnan(first))
        if len(columns) == 0:
            return None
        ranking = np.argsort(-(last[columns] / first[columns]), kind="stable")
        winners = columns[ranking[: int(np.ceil(len(columns) * self.winners_share))]]
        shares = proportional_weights(np.ones(len(winners)), self.max_weight, self.budget)
        return on_all_tickers(shares, winners, len(view.is_tradable))
