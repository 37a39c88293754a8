"""What the portfolio makes of a market at its worst, of a tampered policy and of a full disk.

Limits, equity and fills are checked by the graph itself, so a run that succeeds has kept them; the
tests look at what a person would see. Every piece alone belongs to the tests of its module.
"""

import shutil
from pathlib import Path

import dagster as dg
import numpy as np
import pandas as pd
import pytest
from typer.testing import Result

from odyssey_assets.backtesting.tables import TRADES, WINDOW_TABLES
from odyssey_assets.core.sessions import sessions_between
from odyssey_assets.portfolio.tables import TABLES as PORTFOLIO_TABLES
from odyssey_assets.portfolio.tables import WEIGHTS
from odyssey_assets_tests.end_to_end.file_market import price_bars, run_here
from odyssey_assets_tests.end_to_end.small_market import (
    ENVIRONMENT,
    LEARNED_WINDOWS,
    environment,
    open_warehouse,
    query,
    table_hashes,
)

pytestmark = pytest.mark.timeout(1200)
START, END = "2019-11-20", "2022-08-31"
TICKERS = ("CRASH", "DRY", "FLAT", "GAPPY", "SPY")
CRASHES = ("2021-10-06", "2022-08-10")
MISSING_DAYS = ("2021-08-02", "2022-07-01")
DRY_DAYS = (*(f"2021-09-{day}" for day in (1, 2, 3)), "2022-07-18", "2022-07-19", "2022-08-01")
NEWEST = LEARNED_WINDOWS[-1]
PRICES = ["Open", "High", "Low", "Close"]


def write_worst_market(folder: Path) -> None:
    """Write a file a ticker, each with the defect that its name says; SPY has none."""
    sessions = sessions_between(pd.Timestamp(START).date(), pd.Timestamp(END).date())
    for seed, ticker in enumerate(TICKERS):
        bars = price_bars(seed, sessions)
        days = bars["Date"]
        if ticker == "CRASH":
            falls = sum((days >= day).astype(int) for day in CRASHES)
            bars[PRICES] = (bars[PRICES].mul(np.power(0.1, falls), axis=0)).round(4)
        elif ticker == "DRY":
            bars.loc[days.isin(DRY_DAYS), "Volume"] = 0
        elif ticker == "FLAT":
            bars[PRICES], bars["Volume"] = 50.0, 1_000_000
        elif ticker == "GAPPY":
            bars = bars[~days.isin(MISSING_DAYS)]
        bars.to_csv(folder / f"{ticker}.csv", index=False)


@pytest.fixture(scope="module")
def worst(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """Return the home and the outcome of a run over the worst market."""
    root = tmp_path_factory.mktemp("worst")
    (root / "prices").mkdir()
    write_worst_market(root / "prices")
    variables = {
        **ENVIRONMENT,
        "ODYSSEY_HOME": str(root / "home"),
        "ODYSSEY_SOURCE": "files",
        "ODYSSEY_PRICE_DIR": str(root / "prices"),
        "ODYSSEY_MACRO_SERIES": "",
        "ODYSSEY_TICKERS": ",".join(TICKERS),
        "ODYSSEY_START": START,
        "ODYSSEY_END": END,
        "ODYSSEY_FORECASTING__WARMUP_SESSIONS": "20",
        "ODYSSEY_FORECASTING__MODELS": '["xgboost", "historical_mean"]',
        "ODYSSEY_PORTFOLIO__PPO__FIRST_STEPS": "1024",
    }
    return root / "home", run_here(variables, "run")
