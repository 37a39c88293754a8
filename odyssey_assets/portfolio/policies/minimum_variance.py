"""The least variable portfolio that invests the whole budget, by skfolio."""

from dataclasses import dataclass

import numpy as np

from odyssey_assets.portfolio.market import MarketView
from odyssey_assets.portfolio.policies.allocation import ROUNDING
from odyssey_assets.portfolio.policies.lookback import Lookback
from odyssey_assets.portfolio.policies.optimisation import OptimisingRule, optimal_weights

SOLVER_ROUNDING = 1e-7
"""Weights below this are zeros that an interior-point solver left."""
AIMED_GAP, ACCEPTED_GAP = 1e-9, 1e-6
TOLERANCES = {
    "tol_gap_abs": AIMED_GAP,
    "tol_gap_rel": AIMED_GAP,
    "reduced_tol_gap_abs": ACCEPTED_GAP,
    "reduced_tol_gap_rel": ACCEPTED_GAP,
    "reduced_tol_feas": ACCEPTED_GAP,
}
"""Of the solver: the duality gap it aims at, and the one that it must reach; above is a failure."""


@dataclass(frozen=True)
class MinimumVariance(OptimisingRule):
    """Minimises the variance under the limits themselves (Markowitz 1952; Clarke et al. 2006).

    The covariance is the sample's. The standard deviation is minimised: it has the same minimiser
    and, not being as flat, is solved more accurately.
    """

    def _weights(self, past: Lookback, view: MarketView) -> np.ndarray:
        count = len(past.columns)
        if count * self.max_weight <= self.budget + ROUNDING:  # the caps leave no choice
            return np.full(count, self.max_weight)
        rule = {
            "kind": type(self).__name__,
            "max_weight": self.max_weight,
            "budget": self.budget,
            "tolerances": TOLERANCES,
        }
        weights = self.solutions.weights(rule, past.returns, lambda: self._solve(past, view))
        return np.where(weights < SOLVER_ROUNDING, 0.0, weights)

    def _solve(self, past: Lookback, view: MarketView) -> np.ndarray:
        from skfolio import RiskMeasure
        from skfolio.optimization import MeanRisk

        optimiser = MeanRisk(
            risk_measure=RiskMeasure.STANDARD_DEVIATION,
            max_weights=self.max_weight,
            budget=self.budget,
            solver_params=TOLERANCES,
            save_problem=True,
            raise_on_failure=False,
        )
        return optimal_weights(optimiser, past, view)
