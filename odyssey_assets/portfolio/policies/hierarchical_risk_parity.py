"""Risk spread along a tree of similar tickers, by skfolio."""

from dataclasses import dataclass

import numpy as np
from skfolio.cluster import HierarchicalClustering
from skfolio.optimization import HierarchicalRiskParity as Optimiser

from odyssey_assets.portfolio.market import MarketView
from odyssey_assets.portfolio.policies.allocation import on_all_tickers
from odyssey_assets.portfolio.policies.lookback import Lookback, look_back
from odyssey_assets.portfolio.policies.optimisation import optimal_weights


@dataclass(frozen=True)
class HierarchicalRiskParity:
    """Clusters tickers by correlation and splits the budget by variance (Lopez de Prado 2016).

    Ward linkage on the correlation distance, recursive bisection, the cap inside it: skfolio's
    defaults.

    Attributes:
        lookback_sessions: Daily returns that the covariance is estimated from.
        max_weight: In one ticker, fraction of equity.
        budget: In all tickers, fraction of equity; spent whole, or as far as the caps allow.
    """

    lookback_sessions: int
    max_weight: float
    budget: float

    def decide(self, view: MarketView, held: np.ndarray) -> np.ndarray | None:  # noqa: ARG002 (contract)
        """Return the weights; None while no ticker has a full lookback.

        Raises:
            PolicyError: The optimiser failed.
        """
        past = look_back(view, self.lookback_sessions)
        if past is None:
            return None
        return on_all_tickers(self._weights(past, view), past.columns, len(view.is_tradable))

    def _weights(self, past: Lookback, view: MarketView) -> np.ndarray:
        count = len(past.columns)
        if count == 1 or count * self.max_weight <= self.budget:  # nothing to split
            return np.full(count, min(self.max_weight, self.budget))
        optimiser = Optimiser(
            max_weights=min(self.max_weight / self.budget, 1.0),
            # Flat clusters are not used; one saves the search for their number.
            hierarchical_clustering_estimator=HierarchicalClustering(max_clusters=1),
            raise_on_failure=False,
        )
        return self.budget * optimal_weights(optimiser, past, view)
