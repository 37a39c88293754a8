"""Risk spread along a tree of similar tickers, by skfolio."""

from dataclasses import dataclass

import numpy as np
from skfolio.cluster import HierarchicalClustering
from skfolio.optimization import HierarchicalRiskParity as Optimiser

from odyssey_assets.portfolio.market import MarketView
from odyssey_assets.portfolio.policies.allocation import on_all_tickers, proportional_weights
from odyssey_assets.portfolio.policies.lookback import Lookback, look_back
from odyssey_assets.portfolio.policies.optimisation import optimal_weights


@dataclass(frozen=True)
class HierarchicalRiskParity:
    """Clusters tickers by correlation and splits the budget by variance (Lopez de Prado 2016).

    Ward linkage on the correlation distance and recursive bisection, skfolio's defaults. What the
    cap keeps out of a ticker is spread over the others in proportion to their share: a cap inside
    the bisection would fill one side of a split and leave the other empty.

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
        shares = proportional_weights(self._shares(past, view), self.max_weight, self.budget)
        return on_all_tickers(shares, past.columns, len(view.is_tradable))

    @staticmethod
    def _shares(past: Lookback, view: MarketView) -> np.ndarray:
        """Return uncapped shares that sum to 1, shape (usable,)."""
        if len(past.columns) == 1:  # no tree
            return np.ones(1)
        optimiser = Optimiser(
            # Flat clusters are not used; one saves the search for their number.
            hierarchical_clustering_estimator=HierarchicalClustering(max_clusters=1),
            raise_on_failure=False,
        )
        return optimal_weights(optimiser, past, view)
