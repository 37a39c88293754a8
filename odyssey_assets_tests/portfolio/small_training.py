"""Trainings small enough for a test: two tickers over five half years, networks of eight units.

Loads no slow library. Markets are made by `portfolio.markets`, networks by `small_learner`.
"""

from pathlib import Path
from typing import Any

import pandas as pd

from odyssey_assets.core.collaborators import ModelStore, Tracker
from odyssey_assets.core.windows import Window, parse_window
from odyssey_assets.portfolio.market import PortfolioMarket
from odyssey_assets.portfolio.tables import POLICIES
from odyssey_assets.portfolio.training import train_windows
from odyssey_assets.portfolio.training_plan import Training, plan_chains
from odyssey_assets.portfolio.training_table import Trained
from odyssey_assets.portfolio.window_plans import plan_windows
from odyssey_assets.settings import Settings, build_settings
from odyssey_assets_tests.portfolio.markets import random_market

WINDOWS = tuple(
    parse_window(key)
    for key in ("2015-01-01", "2015-07-01", "2016-01-01", "2016-07-01", "2017-01-01")
)
FIRST_TRAINED, NEWEST = WINDOWS[2], WINDOWS[4]
STEPS_A_ROLLOUT = 64
TINY: dict[str, Any] = {
    "first_steps": 512,
    "steps_per_window": 256,
    "checkpoint_steps": 128,
    "copies": 4,
    "rollout_steps": 16,
    "episode_sessions": 40,
    "batch_size": 32,
    "epochs": 2,
    "hidden_units": (8, 8),
    "min_train_windows": 1,
    "seeds_newest_window": 2,
}


def small_market(tickers: int = 2, seed: int = 0, **changes: Any) -> PortfolioMarket:
    """Return a market over `WINDOWS` but for the end of the newest."""
    return random_market(600, tickers, seed, **changes)


def tiny_settings(tickers: int = 2, **ppo: Any) -> Settings:
    """Return settings of a training that takes a fraction of a second."""
    return build_settings(
        tickers=tuple(f"T{at:02d}" for at in range(tickers)),
        proxy="T00",
        workers=1,
        portfolio={"ppo": {**TINY, **ppo}},
    )


def train(
    store: ModelStore,
    market: PortfolioMarket,
    settings: Settings,
    windows: tuple[Window, ...] = WINDOWS,
    earlier: pd.DataFrame | None = None,
    tracker: Tracker | None = None,
    tensorboard_dir: Path | None = None,
    **options: Any,
) -> Trained:
    """Train for windows of the small market."""
    rows = POLICIES.empty() if earlier is None else earlier
    return train_windows(
        market, windows, NEWEST, rows, settings, store, tracker, tensorboard_dir, **options
    )


def first_training(market: PortfolioMarket, settings: Settings, number: int = 0) -> Training:
    """Return a training of the main seed: the first one, or the one `number` windows later."""
    plans = plan_windows(market, WINDOWS, settings.portfolio.ppo.min_train_windows)
    return plan_chains(market, plans, NEWEST, settings)[0].trainings[number]
