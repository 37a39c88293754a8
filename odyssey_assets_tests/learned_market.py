"""The tiny market with made-up forecasts in older half years, on which the learned policy trains.

The tiny market's own forecasts begin in its newest half year; a policy learns from two half years
of them before its window. Trainings without a home belong to `portfolio.small_training`.
"""

from pathlib import Path

import dagster as dg
import numpy as np
import pandas as pd

from odyssey_assets.backtesting.tables import WINDOW_TABLES
from odyssey_assets.core.slices import WHOLE_TABLE
from odyssey_assets.core.windows import window_starts
from odyssey_assets.forecasting.tables import PREDICTIONS
from odyssey_assets.market_data.tables import BARS
from odyssey_assets.portfolio.tables import TABLES as PORTFOLIO_TABLES
from odyssey_assets.settings import Settings
from odyssey_assets_tests.tiny_market import WINDOWS, materialize, tiny_settings, warehouse_of

COMPETITION_TABLES = (*PORTFOLIO_TABLES, *WINDOW_TABLES)
COMPETITION = dg.AssetSelection.assets(
    *(table.key for table in COMPETITION_TABLES)
).without_checks()
TRAINED_WINDOWS = WINDOWS[3:]
MAIN_SEED, OTHER_SEED = 42, 43


def learn(root: Path) -> None:
    """Plant forecasts in a home of the tiny market, let all policies compete, and publish."""
    settings = tiny_settings(root)
    plant_forecasts(settings)
    result = materialize(settings, COMPETITION, WINDOWS[0], WINDOWS[-1])
    assert result.success
    warehouse_of(settings).publish()


def plant_forecasts(settings: Settings, first: str = WINDOWS[1]) -> None:
    """Add forecasts of noise from the half year `first` on to those that the home holds."""
    warehouse = warehouse_of(settings)
    bars, own = warehouse.read(BARS), warehouse.read(PREDICTIONS)
    is_early = bars["date"].between(first, own["date"].min(), inclusive="left")
    cells = bars.loc[is_early, ["ticker", "date"]]
    windows = window_starts(pd.DatetimeIndex(cells["date"]))
    noise = np.random.default_rng(0).normal(0.0, 0.01, len(cells))
    planted = cells.assign(
        window=windows,
        model=settings.portfolio.forecast_model,
        horizon=settings.forecasting.horizon_sessions,
        prediction=noise,
        lower=noise - 0.03,
        upper=noise + 0.03,
        model_sha256="0" * 64,
        trained_as_of=windows - pd.Timedelta(days=7),
    )
    rows = PREDICTIONS.conform(pd.concat([planted, own]))
    warehouse.replace(PREDICTIONS, rows, (WHOLE_TABLE,))
