"""A short made-up market as a folder of CSV files, and `odyssey run` on it inside this process."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner, Result

from odyssey_assets.cli import app
from odyssey_assets.core.sessions import sessions_between

START, END = date(2021, 7, 1), date(2021, 12, 31)
SESSIONS = sessions_between(START, END)


def price_bars(seed: int, sessions: pd.DatetimeIndex = SESSIONS) -> pd.DataFrame:
    """Return honest bars under a Yahoo-style header, dates as ISO texts."""
    rng = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(rng.normal(0.0003, 0.012, len(sessions))))
    opening = close * (1 + rng.normal(0, 0.003, len(close)))
    spread = np.abs(rng.normal(0.006, 0.002, len(close))) + 0.001
    return pd.DataFrame(
        {
            "Date": sessions.strftime("%Y-%m-%d"),
            "Open": opening.round(2),
            "High": (np.maximum(opening, close) * (1 + spread)).round(2),
            "Low": (np.minimum(opening, close) * (1 - spread)).round(2),
            "Close": close.round(2),
            "Volume": rng.integers(1_000_000, 9_000_000, len(close)),
            "Dividends": 0.0,
            "Stock Splits": 0.0,
        }
    )


def files_environment(home: Path, prices: Path, *tickers: str) -> dict[str, str]:
    """Return the variables of a home on the folder `prices`, without macro series."""
    return {
        "ODYSSEY_HOME": str(home),
        "ODYSSEY_SOURCE": "files",
        "ODYSSEY_PRICE_DIR": str(prices),
        "ODYSSEY_MACRO_SERIES": "",
        "ODYSSEY_START": START.isoformat(),
        "ODYSSEY_END": END.isoformat(),
        "ODYSSEY_TICKERS": ",".join(tickers),
        "ODYSSEY_WORKERS": "1",
    }


def run_here(environment: Mapping[str, str], *arguments: str) -> Result:
    """Run `odyssey` in this process, which saves seconds; the environment is put back after."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAGSTER_HOME", "")
        for name, value in environment.items():
            patch.setenv(name, value)
        return CliRunner().invoke(app, list(arguments))
