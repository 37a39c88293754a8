"""Who competes: a policy, or one training of a learned policy, and the stretches it decides in."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from odyssey_assets.core.constraints import Limits
from odyssey_assets.portfolio.policies.policy import Policy

Rebalance = Literal["daily", "weekly", "monthly", "once"]


@dataclass(frozen=True)
class Stretch:
    """The sessions from `start` to the next stretch, in which one model or rule decides.

    Attributes:
        start: First day; None: from the beginning.
        policy: What decides.
        model_sha256: Of the stored model; None for a rule.
        is_own_training: Whether this contender's own seed was trained for the stretch; False where
            it borrows the main seed's model.
    """

    start: date | None
    policy: Policy
    model_sha256: str | None = None
    is_own_training: bool = True


@dataclass(frozen=True)
class Contender:
    """One portfolio of the competition.

    Attributes:
        strategy: Name of the policy in the catalog.
        seed: Seed of the training; None for a rule.
        is_main_seed: Whether this is the strategy's own portfolio; the others show its spread.
        rebalance: When it decides.
        limits: What it may hold.
        stretches: Who decides when, oldest first; it holds cash before the first.
    """

    strategy: str
    seed: int | None
    is_main_seed: bool
    rebalance: Rebalance
    limits: Limits
    stretches: tuple[Stretch, ...]
