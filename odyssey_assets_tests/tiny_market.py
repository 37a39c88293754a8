"""A market tiny enough to run inside a test: two tickers over five half years, two models.

The command in this process, and assets or checks of a chosen part of the graph. The whole graph as
its user runs it, in processes of its own, belongs to `end_to_end`.
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from typer.testing import CliRunner, Result

from odyssey_assets.backtesting.assets import backtest_assets, summary_assets
from odyssey_assets.backtesting.checks import backtest_checks, summary_checks
from odyssey_assets.cli import app
from odyssey_assets.definitions import TABLES
from odyssey_assets.features.assets import feature_assets
from odyssey_assets.features.checks import feature_checks
from odyssey_assets.forecasting.assets import forecasting_assets, version_assets
from odyssey_assets.forecasting.checks import forecasting_checks, version_checks
from odyssey_assets.infrastructure.home import home_of, load_settings
from odyssey_assets.infrastructure.io_manager import WarehouseIOManager
from odyssey_assets.infrastructure.partitions import build_grid, range_tags
from odyssey_assets.infrastructure.warehouse import Warehouse
from odyssey_assets.market_data.assets import macro_assets, market_data_assets
from odyssey_assets.market_data.catalog import build_source
from odyssey_assets.market_data.checks import market_data_checks
from odyssey_assets.monitoring.drift.assets import drift_assets
from odyssey_assets.monitoring.drift.checks import drift_checks
from odyssey_assets.monitoring.promotion.champions import ChampionBook
from odyssey_assets.monitoring.quality.assets import policy_quality_assets, quality_assets
from odyssey_assets.monitoring.quality.checks import policy_quality_checks, quality_checks
from odyssey_assets.portfolio.assets import portfolio_assets
from odyssey_assets.portfolio.checks import portfolio_checks
from odyssey_assets.portfolio.versions.assets import policy_version_assets
from odyssey_assets.portfolio.versions.checks import policy_version_checks
from odyssey_assets.settings import Settings
from odyssey_assets_tests.end_to_end import small_market

TICKERS = ("AAPL", "SPY")
END = date(2022, 6, 30)
WINDOWS = ("2020-01-01", "2020-07-01", "2021-01-01", "2021-07-01", "2022-01-01")
ENVIRONMENT: Mapping[str, str] = {
    **small_market.ENVIRONMENT,
    "ODYSSEY_TICKERS": ",".join(TICKERS),
    "ODYSSEY_START": "2020-01-02",
    "ODYSSEY_END": END.isoformat(),
    "ODYSSEY_SIMULATED__BREAK_START": "2022-01-01",
    "ODYSSEY_FORECASTING__WARMUP_SESSIONS": "20",
    "ODYSSEY_FORECASTING__MODELS": '["xgboost", "historical_mean"]',
    "ODYSSEY_FORECASTING__XGBOOST__MAX_ROUNDS": "5",
    "ODYSSEY_FORECASTING__XGBOOST__MAX_DEPTH": "2",
    "ODYSSEY_PORTFOLIO__PPO__FIRST_STEPS": "512",
    "ODYSSEY_PORTFOLIO__PPO__STEPS_PER_WINDOW": "256",
    "ODYSSEY_PORTFOLIO__PPO__CHECKPOINT_STEPS": "256",
    "ODYSSEY_WAREHOUSE__MIN_FREE_GB": "0",
}
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dataclass(frozen=True)
class TinyHome:
    """A home of the tiny market.

    Attributes:
        root: Its folder.
        output: What the run that made it printed.
    """

    root: Path
    output: str

    def copy(self, folder: Path) -> Path:
        """Copy the home without its reports, so that a test may change it; return the new root."""
        ignored = shutil.ignore_patterns("reports")
        return Path(shutil.copytree(self.root, folder / "copy", ignore=ignored))


def invoke(home: Path, *arguments: str, **changes: str) -> Result:
    """Run the command in this process; the environment is afterwards as it was."""
    environment = {**ENVIRONMENT, "ODYSSEY_HOME": str(home), "DAGSTER_HOME": "", **changes}
    return CliRunner().invoke(app, list(arguments), env=environment)


def tiny_settings(home: Path, **changes: Any) -> Settings:
    """Return the settings of the tiny market in `home`."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in ENVIRONMENT.items():
            patch.setenv(name, value)
        return load_settings(home=home, **changes)


def warehouse_of(settings: Settings) -> Warehouse:
    """Return the warehouse of the settings' home, its folders created."""
    home = home_of(settings)
    home.create()
    return Warehouse(home, settings.warehouse)


def materialize(
    settings: Settings,
    selection: dg.AssetSelection,
    first: str = f"{WINDOWS[0]}|{TICKERS[0]}",
    last: str = f"{WINDOWS[-1]}|{TICKERS[-1]}",
    ops: Mapping[str, Any] | None = None,
) -> dg.ExecuteInProcessResult:
    """Run what is selected of the assets and checks, over the partitions from `first` to `last`.

    `ops` is the configuration of each op, by its name.
    """
    grid = build_grid(settings)
    warehouse = warehouse_of(settings)
    return dg.materialize(
        [
            *macro_assets(grid), *market_data_assets(grid), *feature_assets(grid),
            *forecasting_assets(grid), *version_assets(), *portfolio_assets(grid),
            *backtest_assets(grid), *summary_assets(), *quality_assets(grid),
            *quality_checks(grid), *drift_assets(grid), *drift_checks(grid),
            *policy_quality_assets(grid), *policy_quality_checks(grid),
            *policy_version_assets(), *policy_version_checks(),
            *market_data_checks(grid), *feature_checks(grid), *forecasting_checks(grid),
            *version_checks(), *portfolio_checks(grid), *backtest_checks(grid), *summary_checks(),
        ],
        selection=selection,
        instance=dg.DagsterInstance.ephemeral(),
        resources={
            "settings": settings,
            "warehouse": warehouse,
            "source": build_source(settings),
            "champions": ChampionBook(warehouse),
            "io_manager": WarehouseIOManager(warehouse, TABLES),
        },
        tags=range_tags(first, last),
        run_config={**QUIET, "ops": {name: {"config": one} for name, one in (ops or {}).items()}},
        raise_on_error=False,
    )  # fmt: skip


def evaluate(settings: Settings, asset: str, check: str, **cells: Any) -> dg.AssetCheckEvaluation:
    """Run one check alone and return its evaluation."""
    key = dg.AssetCheckKey(dg.AssetKey(asset.split("/")), check)
    result = materialize(settings, dg.AssetSelection.checks(key), **cells)
    (evaluation,) = result.get_asset_check_evaluations()
    return evaluation


def found(evaluation: dg.AssetCheckEvaluation) -> dict[str, Any]:
    """Return the metadata of an evaluation as plain values."""
    return {name: value.value for name, value in evaluation.metadata.items()}
