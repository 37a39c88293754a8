"""Rules and contenders for the tests of what rolls portfolios forward."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from odyssey_assets.core.constraints import Limits
from odyssey_assets.portfolio.contender import Contender, Rebalance, Stretch
from odyssey_assets.portfolio.market import MarketView
from odyssey_assets.portfolio.policies.policy import Policy

LIMITS = Limits(max_weight=0.3, max_invested=0.8, min_cash=0.2)


@dataclass(frozen=True)
class Constant:
    """Wants the same weights at every close, from some session on.

    Attributes:
        weights: What it wants, whatever the limits say.
        first: First session on which it can decide.
    """

    weights: Sequence[float]
    first: int = 0

    def decide(self, view: MarketView, held: np.ndarray) -> np.ndarray | None:  # noqa: ARG002 (contract)
        """Return the weights."""
        return None if len(view.panel) <= self.first else np.array(self.weights)


@dataclass(frozen=True)
class Restless:
    """Wants other random weights at every close, far outside the limits; sometimes none.

    Attributes:
        seed: Of the weights.
    """

    seed: int

    def decide(self, view: MarketView, held: np.ndarray) -> np.ndarray | None:
        """Return held weights changed at random."""
        generator = np.random.default_rng([self.seed, len(view.panel)])
        change = generator.normal(0, 0.2, len(held))
        return None if generator.random() < 0.1 else held + change


def contender(
    policy: Policy,
    name: str = "rule",
    rebalance: Rebalance = "daily",
    limits: Limits = LIMITS,
    start: date | None = None,
) -> Contender:
    """Return a contender with one rule."""
    return Contender(name, None, True, rebalance, limits, (Stretch(start, policy),))
