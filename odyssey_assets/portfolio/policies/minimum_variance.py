"""The least variable portfolio that invests the whole budget, by skfolio."""

from dataclasses import dataclass

import numpy as np
from skfolio import RiskMeasure
from skfolio.optimization import MeanRisk

from odyssey_assets.portfolio.market import MarketView
from odyssey_assets.portfolio.policies.allocation import ROUNDING, on_all_tickers
from odyssey_assets.portfolio.policies.lookback import Lookback, look_back
from odyssey_assets.portfolio.policies.optimisation import optimal_weights

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
class MinimumVariance:
    """Minimises the variance under the limits themselves (Markowitz 1952; Clarke et al. 2006).

    The covariance is the sample's. The standard deviation is minimised: it has the same minimiser
    and, not being as flat, is solved more accurately.

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
            PolicyError: The solver failed.
        """
        past = look_back(view, self.lookback_sessions)
        if past is None:
            return None
        return on_all_tickers(self._weights(past, view), past.columns, len(view.is_tradable))

    def _weights(self, past: Lookback, view: MarketView) -> np.ndarray:
        count = len(past.columns)
        if count * self.max_weight <= self.budget + ROUNDING:  # the caps leave no choice
            return np.full(count, self.max_weight)
        optimiser = MeanRisk(
            risk_measure=RiskMeasure.STANDARD_DEVIATION,
            max_weights=self.max_weight,
            budget=self.budget,
            solver_params=TOLERANCES,
            save_problem=True,
            raise_on_failure=False,
        )
        weights = optimal_weights(optimiser, past, view)
        return np.where(weights < SOLVER_ROUNDING, 0.0, weights)
