"""Rules that optimise by skfolio: returns in, weights out, and a clear error where it fails.

What is optimised belongs to the rule's own file. Solvers are imported when there is something to
solve: it takes seconds, and most runs recall what was solved before.
"""

import warnings
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from odyssey_assets.errors import PolicyError
from odyssey_assets.portfolio.market import MarketView
from odyssey_assets.portfolio.policies.allocation import on_all_tickers
from odyssey_assets.portfolio.policies.lookback import Lookback, look_back
from odyssey_assets.portfolio.policies.solutions import Solutions

SOLVED = ("solved", "optimal", "optimal_inaccurate")
"""Statuses of an optimiser without a solver, of a gap as aimed at, and of one that is accepted."""


@dataclass(frozen=True)
class OptimisingRule(ABC):
    """A rule that optimises over the returns of a lookback, and asks about each of them once.

    Attributes:
        lookback_sessions: Daily returns that the covariance is estimated from.
        max_weight: In one ticker, fraction of equity.
        budget: In all tickers, fraction of equity; spent whole, or as far as the caps allow.
        solutions: What was solved before.
    """

    lookback_sessions: int
    max_weight: float
    budget: float
    solutions: Solutions = field(default_factory=Solutions, compare=False, repr=False)

    def decide(self, view: MarketView, held: np.ndarray) -> np.ndarray | None:  # noqa: ARG002 (contract)
        """Return the weights; None while no ticker has a full lookback.

        Raises:
            PolicyError: The optimiser failed.
        """
        past = look_back(view, self.lookback_sessions)
        if past is None:
            return None
        return on_all_tickers(self._weights(past, view), past.columns, len(view.is_tradable))

    @abstractmethod
    def _weights(self, past: Lookback, view: MarketView) -> np.ndarray:
        """Return the weights of the usable tickers, shape (usable,)."""


def optimal_weights(optimiser: Any, past: Lookback, view: MarketView) -> np.ndarray:
    """Fit `optimiser` to the lookback's returns and return its weights, shape (usable,).

    A covariance matrix that is not positive definite (fewer sessions than tickers, a ticker twice)
    is replaced by the nearest one that is, which is the library's own way. Returns are given in
    units of their mean volatility: the tolerances of solvers are absolute.

    Args:
        optimiser: An unfitted skfolio estimator with `raise_on_failure=False`, and with
            `save_problem=True` if it calls a solver; its parameters say which gap is accepted.
        past: What it learns from.
        view: Says when, for the error.

    Raises:
        PolicyError: No solution.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        optimiser.fit(past.returns / past.volatility.mean())
    problem = getattr(optimiser, "problem_", None)
    status = "solved" if problem is None else problem.status
    if optimiser.weights_ is None or status not in SOLVED:
        raise PolicyError(
            f"{type(optimiser).__name__} found no weights on {view.date} from "
            f"{past.returns.shape[0]} returns of {past.returns.shape[1]} tickers: "
            f"{optimiser.error_ or status}. Look at those returns, change "
            "portfolio.lookback_sessions, or take the policy out of portfolio.policies."
        )
    return np.asarray(optimiser.weights_, dtype=np.float64)
