"""A market small enough to run the whole graph in seconds, and ways to run it as its user does."""

import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pandas as pd

from odyssey_assets.definitions import TABLES
from odyssey_assets.infrastructure.home import Home
from odyssey_assets.infrastructure.warehouse import Warehouse
from odyssey_assets.settings_sections import WarehouseSettings

TICKERS = ("AAPL", "MSFT", "SPY")
END = date(2022, 12, 30)
LEARNED_WINDOWS = ("2022-01-01", "2022-07-01")
FIRST_STEPS = 8192  # some seconds between checkpoints and end, in which a run can be cut short
ENVIRONMENT: Mapping[str, str] = {
    "ODYSSEY_SOURCE": "simulated",
    "ODYSSEY_TICKERS": ",".join(TICKERS),
    "ODYSSEY_START": "2019-01-01",
    "ODYSSEY_END": END.isoformat(),
    "ODYSSEY_SIMULATED__BREAK_START": "2022-07-01",
    "ODYSSEY_SIMULATED__BREAK_TICKERS": '["MSFT"]',
    "ODYSSEY_FORECASTING__MIN_TRAIN_YEARS": "1",
    "ODYSSEY_FORECASTING__WARMUP_SESSIONS": "120",
    "ODYSSEY_FORECASTING__XGBOOST__MAX_ROUNDS": "25",
    "ODYSSEY_FORECASTING__XGBOOST__EARLY_STOPPING_ROUNDS": "5",
    "ODYSSEY_FORECASTING__XGBOOST__SELECTION_ROUNDS": "5",
    "ODYSSEY_FORECASTING__XGBOOST__MAX_DEPTH": "3",
    "ODYSSEY_PORTFOLIO__LOOKBACK_SESSIONS": "60",
    "ODYSSEY_PORTFOLIO__PPO__MIN_TRAIN_WINDOWS": "1",
    "ODYSSEY_PORTFOLIO__PPO__FIRST_STEPS": str(FIRST_STEPS),
    "ODYSSEY_PORTFOLIO__PPO__STEPS_PER_WINDOW": "512",
    "ODYSSEY_PORTFOLIO__PPO__CHECKPOINT_STEPS": "512",
    "ODYSSEY_PORTFOLIO__PPO__COPIES": "4",
    "ODYSSEY_PORTFOLIO__PPO__ROLLOUT_STEPS": "32",
    "ODYSSEY_PORTFOLIO__PPO__EPISODE_SESSIONS": "60",
    "ODYSSEY_PORTFOLIO__PPO__BATCH_SIZE": "64",
    "ODYSSEY_PORTFOLIO__PPO__EPOCHS": "2",
    "ODYSSEY_PORTFOLIO__PPO__SEEDS_NEWEST_WINDOW": "2",
    "ODYSSEY_BACKTESTING__MONTE_CARLO_PATHS": "50",
    "ODYSSEY_RETRAINING__IS_AUTOMATIC": "false",
    "ODYSSEY_WORKERS": "1",
}
ODYSSEY = str(Path(sys.executable).with_name("odyssey"))


def environment(home: Path, **changes: str) -> dict[str, str]:
    """Return a process environment for the small market in `home`."""
    return {**os.environ, **ENVIRONMENT, "ODYSSEY_HOME": str(home), **changes}


def odyssey(
    home: Path, *arguments: str, is_success: bool | None = True, **changes: str
) -> subprocess.CompletedProcess[str]:
    """Run the command as a person does; None for `is_success` accepts any exit status."""
    done = subprocess.run(
        [ODYSSEY, *arguments],
        capture_output=True,
        text=True,
        env=environment(home, **changes),
        check=False,
        timeout=600,
    )
    if is_success is not None:
        assert (done.returncode == 0) is is_success, done.stdout + done.stderr
    return done


def open_warehouse(home: Path) -> Warehouse:
    """Return the live warehouse of `home`."""
    return Warehouse(Home(home), WarehouseSettings())


def table_hashes(home: Path) -> dict[str, str]:
    """Return the content hash of every stored table but the raw vintages."""
    warehouse = open_warehouse(home)
    return {
        table.qualified_name: warehouse.table_hash(table)
        for table in TABLES
        if not table.is_append_only
    }


def query(home: Path, sql: str) -> pd.DataFrame:
    """Return rows of the live warehouse."""
    return open_warehouse(home).query(sql)
