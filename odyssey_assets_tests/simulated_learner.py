"""A home of the tiny market whose policy has learned for three half years, and its simulation.

Before the newest half year no model forecasts there: what the policy learned from is made up, and
is no fold's.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from odyssey_assets.forecasting.tables import PREDICTIONS
from odyssey_assets.monitoring.quality import chance
from odyssey_assets.settings import Settings
from odyssey_assets.simulate import open_simulation
from odyssey_assets.simulated_loop import Simulation
from odyssey_assets_tests.learned_market import COMPETITION, plant_forecasts
from odyssey_assets_tests.simulated_home import GENEROUS, eager_settings
from odyssey_assets_tests.tiny_market import WINDOWS, materialize, warehouse_of

# Small batches, so that a training of a second changes what the policy does.
LEARNING = {
    "first_steps": 2048, "steps_per_window": 2048, "checkpoint_steps": 256, "copies": 8,
    "rollout_steps": 32, "batch_size": 64, "epochs": 3, "episode_sessions": 60,
    "learning_rate": 0.03, "min_train_windows": 1,
}  # fmt: skip


def learner_settings(home: Path, **changes: Any) -> Settings:
    """Return settings by which the policy decays, as far as it is remembered, and is judged."""
    promotion = {
        "min_unseen_sessions": 5, "min_unseen_returns": 8, "bootstrap_paths": 100,
        "significance": 0.001, **GENEROUS,
    }  # fmt: skip
    return eager_settings(
        home,
        **{
            "portfolio": {"max_weight": 0.7, "ppo": LEARNING},
            "decay": {"false_alarm_rate": 0.99, "min_sharpe": 50.0},
            "promotion": promotion,
            **changes,
        },
    )


def prepare(home: Path) -> None:
    """Plant forecasts from the beginning in a home of the tiny market, and let policies compete."""
    settings = learner_settings(home)
    plant_forecasts(settings, WINDOWS[0])
    assert materialize(settings, COMPETITION, WINDOWS[0], WINDOWS[-1]).success


@contextmanager
def short_memory() -> Iterator[None]:
    """Let two earlier windows tell what chance explains: the policy has no more of them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chance, "MIN_PAST_WINDOWS", 2)
        yield


def open_learner(settings: Settings, start: date, end: date) -> Simulation:
    """Return a simulation in which the planted forecasts are what was forecast."""
    simulation, _ = open_simulation(settings, start, end)
    planted = warehouse_of(settings).read(PREDICTIONS)
    ordered = planted.sort_values(["date", "ticker"], kind="stable", ignore_index=True)
    history = replace(simulation.history, predictions=ordered)
    portfolio = replace(simulation.portfolio, history=history)
    return replace(simulation, history=history, portfolio=portfolio)
