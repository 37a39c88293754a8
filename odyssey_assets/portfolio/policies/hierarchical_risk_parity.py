"""Risk spread along a tree of similar tickers, by skfolio."""

from dataclasses import dataclass

import numpy as np

from odyssey_assets.portfolio.market import MarketView
from odyssey_assets.portfolio.policies.allocation import proportional_weights
from odyssey_assets.portfolio.policies.lookback import Lookback
from odyssey_assets.portfolio.policies.optimisation import OptimisingRule, optimal_weights

FLAT_CLUSTERS = 1
"""Flat clusters are not used; one saves the search for their number."""


@dataclass(frozen=True)
class HierarchicalRiskParity(OptimisingRule):
    """Clusters tickers by correlation and splits the budget by variance (Lopez de Prado 2016).

    Ward linkage on the correlation distance and recursive bisection, skfolio's defaults. What the
    cap keeps out of a ticker is spread over the others in proportion to their share: a cap inside
    the bisection would fill one side of a split and leave the other empty.
    """

    def _weights(self, past: Lookback, view: MarketView) -> np.ndarray:
        return proportional_weights(self._shares(past, view), self.max_weight, self.budget)

    def _shares(self, past: Lookback, view: MarketView) -> np.ndarray:
        """Return uncapped shares that sum to 1, shape (usable,)."""
        if len(past.columns) == 1:  # no tree
            return np.ones(1)
        rule = {"kind": type(self).__name__, "flat_clusters": FLAT_CLUSTERS}
        return self.solutions.weights(rule, past.returns, lambda: self._solve(past, view))

    @staticmethod
    def _solve(past: Lookback, view: MarketView) -> np.ndarray:
        from skfolio.cluster import HierarchicalClustering
        from skfolio.optimization import HierarchicalRiskParity as Optimiser

        optimiser = Optimiser(
            hierarchical_clustering_estimator=HierarchicalClustering(max_clusters=FLAT_CLUSTERS),
            raise_on_failure=False,
        )
        return optimal_weights(optimiser, past, view)
