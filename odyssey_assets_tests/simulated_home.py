"""A home of the tiny market in which much is found in few sessions, and what a simulation made."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from odyssey_assets.contracts import TableContract
from odyssey_assets.forecasting.tables import CHALLENGERS, TRIALS
from odyssey_assets.monitoring.ledgers import PROMOTIONS, RETRAINING_EVENTS
from odyssey_assets.portfolio.tables import POLICY_CHALLENGERS, POLICY_TRIALS
from odyssey_assets.settings import Settings
from odyssey_assets.simulate import open_simulation
from odyssey_assets.simulated_loop import LoopEvent, Simulation
from odyssey_assets_tests.tiny_market import tiny_settings

LEDGERS = (
    RETRAINING_EVENTS, CHALLENGERS, TRIALS, PROMOTIONS, POLICY_CHALLENGERS, POLICY_TRIALS,
)  # fmt: skip
GENEROUS = {"sharpe_tolerance": 1000.0, "correlation_tolerance": 2.0, "rmse_tolerance": 1000.0}


@dataclass(frozen=True)
class Played:
    """What a simulation came to.

    Attributes:
        events: What happened, in order.
        ledgers: What was entered, by name of the table.
    """

    events: Sequence[LoopEvent]
    ledgers: dict[str, pd.DataFrame]

    def of(self, table: TableContract) -> pd.DataFrame:
        """Return the rows of a ledger."""
        return self.ledgers[table.name]

    def days(self, kind: str) -> list[date]:
        """Return the days on which something of a kind happened, each once."""
        return sorted({event.day for event in self.events if event.kind == kind})


def eager_settings(home: Path, **changes: Any) -> Settings:
    """Return settings by which nearly everything drifts, retrains soon, and is promoted."""
    return tiny_settings(
        home,
        **{
            "retraining": {"is_automatic": True, "cooldown_sessions": 12},
            "drift": {"false_alarm_rate": 0.99, "min_sessions": 8},
            "promotion": {"min_unseen_sessions": 5, "bootstrap_paths": 100, **GENEROUS},
            "schedules": {"monthly_day": 5},
            **changes,
        },
    )


def play_through(settings: Settings, start: date, end: date) -> Played:
    """Run the clock from `start` to `end`."""
    simulation, _ = open_simulation(settings, start, end)
    return play_on(simulation, start, end)


def play_on(simulation: Simulation, start: date, end: date) -> Played:
    """Run the clock of a simulation from `start` to `end`."""
    events = list(simulation.run(start, end))
    warehouse = simulation.books.warehouse
    return Played(events, {table.name: warehouse.read(table) for table in LEDGERS})


def file_hashes(root: Path) -> dict[str, str]:
    """Return the SHA-256 of every file of a home but those of its simulations."""
    return {
        str(file.relative_to(root)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(root.rglob("*"))
        if file.is_file() and file.relative_to(root).parts[0] != "simulations"
    }
