"""Which trainings windows need: what each may see, where it starts from, and what identifies it.

Pure: rows of a market and settings go in, nothing is trained or read here. A training is identified
by all that decides its bytes, so that an equal one is recalled instead of repeated. What a window
can learn from belongs to `portfolio.window_plans`, carrying the plan out to `portfolio.training`
and `portfolio.training_chain`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from importlib.metadata import version
from typing import Any

import numpy as np

from odyssey_assets.core.hashing import hash_mapping
from odyssey_assets.core.made_anew import MADE_ANEW
from odyssey_assets.core.windows import Window
from odyssey_assets.portfolio.market import PortfolioMarket
from odyssey_assets.portfolio.training_data import Spans, data_sha256
from odyssey_assets.portfolio.window_plans import WindowPlan, plan_windows
from odyssey_assets.settings import Settings

FORMAT = 1
POLICY = "ppo"
LIBRARIES = ("numpy", "stable-baselines3", "torch")
_NOT_LEARNED_WITH = {
    "first_steps", "steps_per_window", "seeds_newest_window", "seeds_older_windows",
    "min_train_windows",
}  # fmt: skip


@dataclass(frozen=True)
class Training:
    """One training.

    Attributes:
        window: The window the policy decides in.
        seed: Names the training; the first seed of the settings decides.
        is_main_seed: Whether it is that one.
        spans: Rows it may see.
        starts_from: The window whose selected model it goes on from; None: from nothing.
        steps: Environment steps to take; the last rollout is taken whole.
        identity: All that decides its bytes, but for the model it starts from.
        as_of: Last session it may see, where that lies inside the window; None: it sees nothing
            of the window.
        is_made_anew: Whether its model stands in for the same one whose file was altered.
    """

    window: Window
    seed: int
    is_main_seed: bool
    spans: Spans
    starts_from: Window | None
    steps: int
    identity: Mapping[str, Any]
    as_of: date | None = None
    is_made_anew: bool = False

    @property
    def label(self) -> str:
        """Name for people."""
        inside = "" if self.as_of is None else f" as of {self.as_of}"
        return f"{self.window.key}{inside} seed {self.seed}"

    @property
    def slot(self) -> str:
        """Name of what it is trained for, one after the other: a window, or inside a window."""
        return self.window.key if self.as_of is None else f"{self.window.key}-inside"

    @property
    def log_parts(self) -> tuple[str, str]:
        """Where its scalars lie below the folder of logs, each training's apart."""
        inside = "" if self.as_of is None else f"-as-of-{self.as_of}"
        return self.window.key, f"seed-{self.seed}{inside}"

    @property
    def random_seed(self) -> int:
        """Seed of the random numbers, of its own in every window; below 2^32."""
        stream = np.random.SeedSequence((self.seed, self.window.start.toordinal()))
        return int(stream.generate_state(1)[0])

    def full_identity(self, warm_start_sha256: str | None) -> dict[str, Any]:
        """Return the identity with the model it starts from."""
        return {**self.identity, "warm_start_sha256": warm_start_sha256}

    def name_parts(self, warm_start_sha256: str | None) -> tuple[str, ...]:
        """Return the model's name in the store; it ends with a hash of the identity.

        A model that was made anew says so behind it.
        """
        key = hash_mapping(self.full_identity(warm_start_sha256))[:16]
        key += MADE_ANEW if self.is_made_anew else ""
        return ("policies", POLICY, self.window.key, f"seed-{self.seed}", key)


@dataclass(frozen=True)
class Chain:
    """Trainings of one seed, oldest first: each starts from the model of one before, or anew."""

    seed: int
    trainings: tuple[Training, ...]


def plan_chains(
    market: PortfolioMarket, plans: Sequence[WindowPlan], newest: Window, settings: Settings
) -> tuple[Chain, ...]:
    """Plan the trainings of every seed; the main seed's chain comes first.

    Each of the first `seeds_older_windows` seeds has a chain of its own through all windows: a
    training goes on from the model of the window before, with `steps_per_window`, where that can
    be trained. Further seeds are trained for the newest window only, from nothing, so that they
    share nothing but their data with the main seed.

    Args:
        market: Prices and forecasts of all sessions.
        plans: The windows of the run.
        newest: The newest window there is, in the run or not.
        settings: Seeds, steps and hyperparameters.
    """
    config = settings.portfolio.ppo
    jobs = [
        _Job(market, plan.window, plan.spans, settings)
        for plan in sorted(plans, key=lambda plan: plan.window)
        if plan.spans is not None
    ]
    former = plan_windows(market, [job.window.shift(-1) for job in jobs], config.min_train_windows)
    chains = []
    for number in range(max(config.seeds_older_windows, config.seeds_newest_window)):
        is_chained = number < config.seeds_older_windows
        trainings = tuple(
            job.training(number, before.window if is_chained and before.spans else None)
            for job, before in zip(jobs, former, strict=True)
            if is_chained or job.window == newest
        )
        if trainings:
            chains.append(Chain(settings.seed + number, trainings))
    return tuple(chains)


def plan_chain_inside(
    market: PortfolioMarket, plans: Sequence[WindowPlan], settings: Settings
) -> Chain:
    """Plan the main seed's trainings inside windows, in the order of `plans`.

    Each is its window's own training with more to see: it goes on from the model of the window
    before, where there is one, so that its validation half year is as new to it.

    Args:
        market: Prices and forecasts of all sessions.
        plans: What `plan_inside` found that can be trained.
        settings: Seed, steps and hyperparameters.
    """
    least = settings.portfolio.ppo.min_train_windows
    trainings = []
    for plan in plans:
        if plan.spans is None:
            continue
        (before,) = plan_windows(market, [plan.window.shift(-1)], least)
        job = _Job(market, plan.window, plan.spans, settings)
        as_of = market.panel.dates[plan.spans.stop - 1].item()
        training = job.training(0, before.window if before.spans else None)
        trainings.append(replace(training, as_of=as_of))
    return Chain(settings.seed, tuple(trainings))


@dataclass(frozen=True)
class _Job:
    """A window to train for, whatever the seed."""

    market: PortfolioMarket
    window: Window
    spans: Spans
    settings: Settings

    def training(self, number: int, starts_from: Window | None) -> Training:
        """Return the training of seed number `number`."""
        config, seed = self.settings.portfolio.ppo, self.settings.seed + number
        steps = config.first_steps if starts_from is None else config.steps_per_window
        return Training(
            window=self.window,
            seed=seed,
            is_main_seed=number == 0,
            spans=self.spans,
            starts_from=starts_from,
            steps=steps,
            identity={**self._identity, "seed": seed, "steps": steps},
        )

    @cached_property
    def _identity(self) -> Mapping[str, Any]:
        spans, days = self.spans, self.market.panel.dates
        return {
            "format": FORMAT,
            "policy": POLICY,
            "window": self.window.key,
            "train_start": str(days[spans.first]),
            "train_end": str(days[spans.valid_first - 1]),
            "valid_start": str(days[spans.valid_first]),
            "valid_end": str(days[spans.stop - 1]),
            "tickers": list(self.market.panel.tickers),
            "hyperparameters": hyperparameters(self.settings),
            "data_sha256": data_sha256(spans.cut(self.market)),
            "libraries": {name: version(name) for name in LIBRARIES},
        }


def hyperparameters(settings: Settings) -> dict[str, Any]:
    """Return what a training learns with, JSON-like: PPO, costs, limits and capital."""
    config = settings.portfolio
    return {
        **config.ppo.model_dump(mode="json", exclude=_NOT_LEARNED_WITH),
        "costs": settings.costs.model_dump(mode="json"),
        "max_weight": config.max_weight,
        "max_invested": config.max_invested,
        "min_cash": config.min_cash,
        "capital_usd": config.capital_usd,
    }
