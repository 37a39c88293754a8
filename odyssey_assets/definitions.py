"""The whole platform as Dagster loads it: the pipeline in order, and nothing else."""

import warnings
from pathlib import Path
from typing import Any

import dagster as dg

from odyssey_assets.backtesting.assets import backtest_assets, summary_assets
from odyssey_assets.backtesting.checks import backtest_checks, summary_checks
from odyssey_assets.backtesting.tables import TABLES as BACKTESTING_TABLES
from odyssey_assets.features.assets import feature_assets
from odyssey_assets.features.checks import feature_checks
from odyssey_assets.features.tables import TABLES as FEATURE_TABLES
from odyssey_assets.forecasting.assets import forecasting_assets, leaderboard_pictures
from odyssey_assets.forecasting.checks import forecasting_checks
from odyssey_assets.forecasting.tables import TABLES as FORECASTING_TABLES
from odyssey_assets.infrastructure.followers import followers
from odyssey_assets.infrastructure.home import home_of, load_settings
from odyssey_assets.infrastructure.io_manager import WarehouseIOManager
from odyssey_assets.infrastructure.partitions import build_grid
from odyssey_assets.infrastructure.refresh import publication_asset, refresh_jobs
from odyssey_assets.infrastructure.sql_assets import build_sql_assets, build_sql_checks
from odyssey_assets.infrastructure.sql_project import load_project
from odyssey_assets.infrastructure.warehouse import Warehouse
from odyssey_assets.market_data.assets import (
    data_quality_pictures,
    macro_assets,
    market_data_assets,
)
from odyssey_assets.market_data.catalog import build_source
from odyssey_assets.market_data.checks import market_data_checks
from odyssey_assets.market_data.tables import TABLES as MARKET_DATA_TABLES
from odyssey_assets.portfolio.assets import portfolio_assets
from odyssey_assets.portfolio.checks import portfolio_checks
from odyssey_assets.portfolio.tables import TABLES as PORTFOLIO_TABLES

BETA_FEATURES_IN_USE = (
    "backfill_policy",
    "allow_nonexistent_upstream_partitions",
    "MultiPartitionMapping",
    "MultiToSingleDimensionPartitionMapping",
)
for _feature in BETA_FEATURES_IN_USE:
    warnings.filterwarnings("ignore", category=dg.BetaWarning, message=f".*`{_feature}`.*")
warnings.filterwarnings(
    "ignore", category=dg.PreviewWarning, message=".*partitions_def on an Asset"
)

SQL_PROJECT = Path(__file__).resolve().parents[1] / "dbt_like_sql"
TABLES = (
    *MARKET_DATA_TABLES,
    *FEATURE_TABLES,
    *FORECASTING_TABLES,
    *PORTFOLIO_TABLES,
    *BACKTESTING_TABLES,
)


def build_defs(**overrides: Any) -> dg.Definitions:
    """Return the definitions of one home.

    Args:
        **overrides: Settings by name; everything else comes from the environment, `odyssey.toml`
            and the home's memory.
    """
    settings = load_settings(**overrides)
    grid = build_grid(settings)
    warehouse = Warehouse(home_of(settings), settings.warehouse)
    macro = macro_assets(grid)
    market = [*market_data_assets(grid), *feature_assets(grid), *forecasting_assets(grid)]
    portfolio = [*portfolio_assets(grid), *backtest_assets(grid)]
    summaries = summary_assets()
    project = load_project(SQL_PROJECT, TABLES)
    pictures = {
        "marts.mart_data_quality": data_quality_pictures(settings),
        "marts.mart_model_leaderboard": leaderboard_pictures(settings),
    }
    models = build_sql_assets(project, pictures)
    published = publication_asset([model.key for model in models])
    jobs = refresh_jobs(macro, market, portfolio, [*summaries, *models, published])
    return dg.Definitions(
        assets=[*macro, *market, *portfolio, *summaries, *models, published],
        asset_checks=[
            *market_data_checks(grid),
            *feature_checks(grid),
            *forecasting_checks(grid),
            *portfolio_checks(grid),
            *backtest_checks(grid),
            *summary_checks(),
            *build_sql_checks(project),
        ],
        jobs=jobs,
        executor=dg.in_process_executor,
        sensors=followers(grid, portfolio_job=jobs[-2], marts_job=jobs[-1]),
        resources={
            "settings": settings,
            "warehouse": warehouse,
            "source": build_source(settings),
            "io_manager": WarehouseIOManager(warehouse, TABLES),
        },
    )


@dg.definitions
def defs() -> dg.Definitions:
    """Return the definitions of the home that the environment names, when Dagster asks."""
    return build_defs()
