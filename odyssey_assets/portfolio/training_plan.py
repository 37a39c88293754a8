"""Which trainings windows need: what each may see, where it starts from, and what identifies it.

Pure: rows of a market and settings go in, nothing is trained or read here. A training is identified
by all that decides its bytes, so that an equal one is recalled instead of repeated. Carrying the
plan out belongs to `portfolio.training` and `portfolio.training_chain`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from importlib.metadata import version
from typing import Any

import numpy as np
import pandas as pd

from odyssey_assets.core.hashing import hash_mapping
from odyssey_assets.core.windows import Window, window_starts
from odyssey_assets.portfolio.market import PortfolioMarket
from odyssey_assets.portfolio.training_data import Spans, data_sha256
from odyssey_assets.settings import Settings

FORMAT = 1
POLICY = "ppo"
LIBRARIES = ("numpy", "stable-baselines3", "torch")
MIN_SESSIONS = 2
_NOT_LEARNED_WITH = {
    "first_steps", "steps_per_window", "seeds_newest_window", "seeds_older_windows",
    "min_train_windows",
}  # fmt: skip


@dataclass(frozen=True)
class WindowPlan:
    """What one window's policy can learn from.

    Attributes:
        window: The window it decides in.
        spans: Rows to learn from and to validate on; None where it cannot be trained.
        reason: Why not, for people; None where it can.
    """

    window: Window
    spans: Spans | None = None
    reason: str | None = None


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
    """

    window: Window
    seed: int
    is_main_seed: bool
    spans: Spans
    starts_from: Window | None
    steps: int
    identity: Mapping[str, Any]

    @property
    def label(self) -> str:
        """Name for people."""
        return f"{self.window.key} seed {self.seed}"

    @property
    def random_seed(self) -> int:
        """Seed of the random numbers, of its own in every window; below 2^32."""
        stream = np.random.SeedSequence((self.seed, self.window.start.toordinal()))
        return int(stream.generate_state(1)[0])

    def full_identity(self, warm_start_sha256: str | None) -> dict[str, Any]:
        """Return the identity with the model it starts from."""
        return {**self.identity, "warm_start_sha256": warm_start_sha256}

    def name_parts(self, warm_start_sha256: str | None) -> tuple[str, ...]:
        """Return the model's name in the store; it ends with a hash of the identity."""
        key = hash_mapping(self.full_identity(warm_start_sha256))[:16]
        return ("policies", POLICY, self.window.key, f"seed-{self.seed}", key)


@dataclass(frozen=True)
class Chain:
    """Trainings of one seed, oldest first: each starts from the model of one before, or anew."""

    seed: int
    trainings: tuple[Training, ...]


def plan_windows(
    market: PortfolioMarket, windows: Sequence[Window], min_train_windows: int
) -> tuple[WindowPlan, ...]:
    """Plan what each window's policy learns from, in the order of `windows`.

    Validation is the half year before the window, training everything before that from the first
    forecast on. A window is skipped, with a reason, while it has no session, while fewer than
    `min_train_windows` half years with forecasts lie before validation, and where validation has
    no forecast. Nothing after the window's first session decides.
    """
    days = market.panel.dates
    forecast_days = days[np.isfinite(market.forecasts).any(axis=1)]
    return tuple(_plan_window(days, forecast_days, window, min_train_windows) for window in windows)


def _plan_window(
    days: np.ndarray, forecast_days: np.ndarray, window: Window, min_train_windows: int
) -> WindowPlan:
    valid_start = window.shift(-1).start
    if _row(days, window.start) == _row(days, window.end):
        return WindowPlan(
            window, reason=f"no session from {window.start} to before {window.end} is stored"
        )
    learned = forecast_days[: _row(forecast_days, valid_start)]
    if len(learned) == 0:
        return WindowPlan(window, reason=f"no forecasts before {valid_start}")
    half_years = len(np.unique(window_starts(pd.DatetimeIndex(learned))))
    if half_years < min_train_windows:
        return WindowPlan(
            window,
            reason=f"{half_years} half years with forecasts before {valid_start}, needs "
            f"{min_train_windows}",
        )
    spans = Spans(_row(days, learned[0].item()), _row(days, valid_start), _row(days, window.start))
    if spans.valid_first - spans.first < MIN_SESSIONS:
        return WindowPlan(window, reason=f"only one session with forecasts before {valid_start}")
    if _row(forecast_days, valid_start) == _row(forecast_days, window.start):
        return WindowPlan(
            window,
            reason=f"no forecasts to validate on from {valid_start} to before {window.start}",
        )
    return WindowPlan(window, spans)


def _row(days: np.ndarray, day: date) -> int:
    return int(np.searchsorted(days, np.datetime64(day, "D"), side="left"))


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
