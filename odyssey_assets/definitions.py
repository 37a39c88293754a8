"""The whole platform as Dagster loads it: the pipeline in order, and nothing else."""

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import (
    UnresolvedAssetJobDefinition as Job,
)

from odyssey_assets.backtesting.assets import backtest_assets, summary_assets
from odyssey_assets.backtesting.checks import backtest_checks, summary_checks
from odyssey_assets.backtesting.tables import TABLES as BACKTESTING_TABLES
from odyssey_assets.features.assets import feature_assets
from odyssey_assets.features.checks import feature_checks
from odyssey_assets.features.tables import HORIZONS_SESSIONS
from odyssey_assets.features.tables import TABLES as FEATURE_TABLES
from odyssey_assets.forecasting.assets import (
    forecasting_assets,
    leaderboard_pictures,
    version_assets,
)
from odyssey_assets.forecasting.checks import forecasting_checks, version_checks
from odyssey_assets.forecasting.tables import TABLES as FORECASTING_TABLES
from odyssey_assets.forecasting.tables import VERSION_TABLES as FORECASTER_VERSIONS
from odyssey_assets.infrastructure.alerting import alert_sensors
from odyssey_assets.infrastructure.contract_checks import build_contract_check
from odyssey_assets.infrastructure.followers import FollowingJobs, followers
from odyssey_assets.infrastructure.home import home_of, load_settings
from odyssey_assets.infrastructure.io_manager import WarehouseIOManager
from odyssey_assets.infrastructure.maintenance import maintenance_job
from odyssey_assets.infrastructure.overdue import overdue_sensor
from odyssey_assets.infrastructure.partitions import PartitionGrid, build_grid
from odyssey_assets.infrastructure.refresh import (
    REFRESH_MACRO,
    REFRESH_MARKET,
    REFRESH_MARTS,
    REFRESH_MONITORING,
    REFRESH_PORTFOLIO,
    Stages,
    publication_asset,
    refresh_jobs,
    retraining_job,
)
from odyssey_assets.infrastructure.schedules import ScheduledJobs, schedules
from odyssey_assets.infrastructure.source_files import market_files_sensor
from odyssey_assets.infrastructure.sql_assets import build_sql_assets, build_sql_checks
from odyssey_assets.infrastructure.sql_project import load_project
from odyssey_assets.infrastructure.sql_specs import SqlProject
from odyssey_assets.infrastructure.warehouse import Warehouse
from odyssey_assets.market_data.assets import (
    data_quality_pictures,
    macro_assets,
    market_data_assets,
)
from odyssey_assets.market_data.catalog import build_source
from odyssey_assets.market_data.checks import market_data_checks
from odyssey_assets.market_data.tables import TABLES as MARKET_DATA_TABLES
from odyssey_assets.monitoring.brief.assets import brief_assets, brief_pictures
from odyssey_assets.monitoring.drift.assets import drift_assets
from odyssey_assets.monitoring.drift.checks import drift_checks
from odyssey_assets.monitoring.kept_models import named_models
from odyssey_assets.monitoring.ledgers import LINEAGE, RETRAINING_EVENTS
from odyssey_assets.monitoring.ledgers import TABLES as LEDGERS
from odyssey_assets.monitoring.lineage.assets import lineage_assets
from odyssey_assets.monitoring.promotion.assets import promotion_assets
from odyssey_assets.monitoring.promotion.automation import promotion_jobs
from odyssey_assets.monitoring.promotion.champions import ChampionBook
from odyssey_assets.monitoring.promotion.checks import promotion_checks
from odyssey_assets.monitoring.quality.assets import policy_quality_assets, quality_assets
from odyssey_assets.monitoring.quality.checks import policy_quality_checks, quality_checks
from odyssey_assets.monitoring.retraining.assets import retraining_assets
from odyssey_assets.monitoring.retraining.automation import (
    ON_DRIFT,
    ON_FAILED_CHECK,
    RequestedJobs,
    retraining_sensors,
)
from odyssey_assets.monitoring.retraining.requests import GATE, retrain_config
from odyssey_assets.monitoring.retraining.settling.automation import settling_sensor
from odyssey_assets.monitoring.tables import TABLES as MONITORING_TABLES
from odyssey_assets.portfolio.assets import portfolio_assets
from odyssey_assets.portfolio.catalog import learned_policies
from odyssey_assets.portfolio.checks import portfolio_checks
from odyssey_assets.portfolio.tables import TABLES as PORTFOLIO_TABLES
from odyssey_assets.portfolio.tables import VERSION_TABLES as POLICY_VERSIONS
from odyssey_assets.portfolio.versions.assets import policy_version_assets
from odyssey_assets.portfolio.versions.checks import policy_version_checks
from odyssey_assets.settings import Settings

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
    *FORECASTER_VERSIONS,
    *PORTFOLIO_TABLES,
    *POLICY_VERSIONS,
    *BACKTESTING_TABLES,
    *MONITORING_TABLES,
    *LEDGERS,
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
    project = load_project(SQL_PROJECT, TABLES)
    challengers, trials = version_assets()
    policy_challengers, policy_trials = policy_version_assets()
    judged = [trials, policy_trials, *promotion_assets()]
    stages = _stages(settings, grid, project, judged)
    jobs = refresh_jobs(stages)
    retrain = retraining_job([challengers, policy_challengers, *judged])
    maintenance = maintenance_job(named_models, (ON_DRIFT, ON_FAILED_CHECK))
    return dg.Definitions(
        assets=[*stages.assets, challengers, policy_challengers],
        asset_checks=_checks(grid, project),
        jobs=[*jobs.values(), retrain, *promotion_jobs(), maintenance],
        executor=dg.in_process_executor,
        sensors=_sensors(settings, grid, jobs, retrain),
        schedules=schedules(
            settings,
            ScheduledJobs(
                jobs[REFRESH_MACRO],
                retrain,
                retrain_config(
                    settings.tickers, learned_policies(settings), "schedule", None, GATE
                ),
                maintenance,
            ),
            max(HORIZONS_SESSIONS),
        ),
        resources={
            "settings": settings,
            "warehouse": warehouse,
            "source": build_source(settings),
            "champions": ChampionBook(warehouse),
            "io_manager": WarehouseIOManager(warehouse, TABLES),
        },
    )


def _stages(
    settings: Settings,
    grid: PartitionGrid,
    project: SqlProject,
    judged: Sequence[dg.AssetsDefinition],
) -> Stages:
    pictures = {
        "marts.mart_data_quality": data_quality_pictures(settings),
        "marts.mart_model_leaderboard": leaderboard_pictures(settings),
        "marts.mart_morning_brief": brief_pictures(),
    }
    models = build_sql_assets(project, pictures)
    return Stages(
        macro=macro_assets(grid),
        market=[*market_data_assets(grid), *feature_assets(grid), *forecasting_assets(grid)],
        portfolio=[
            *portfolio_assets(grid),
            *backtest_assets(grid),
            *policy_quality_assets(grid),
        ],
        monitoring=[*drift_assets(grid), *quality_assets(grid)],
        marts=[
            *summary_assets(),
            *judged,
            *lineage_assets(),
            *retraining_assets(grid),
            *models,
            publication_asset([model.key for model in models]),
            *brief_assets(),
        ],
    )


def _checks(grid: PartitionGrid, project: SqlProject) -> list[dg.AssetChecksDefinition]:
    return [
        *market_data_checks(grid),
        *feature_checks(grid),
        *forecasting_checks(grid),
        *version_checks(),
        *portfolio_checks(grid),
        *policy_version_checks(),
        *backtest_checks(grid),
        *summary_checks(),
        *drift_checks(grid),
        *quality_checks(grid),
        *policy_quality_checks(grid),
        *(build_contract_check(ledger) for ledger in (RETRAINING_EVENTS, LINEAGE)),
        *promotion_checks(),
        *build_sql_checks(project),
    ]


def _sensors(
    settings: Settings, grid: PartitionGrid, jobs: Mapping[str, Job], retrain: Job
) -> list[dg.SensorDefinition]:
    following = FollowingJobs(
        jobs[REFRESH_MARKET],
        jobs[REFRESH_PORTFOLIO],
        jobs[REFRESH_MONITORING],
        jobs[REFRESH_MARTS],
    )
    return [
        *followers(grid, following),
        *retraining_sensors(grid, RequestedJobs(jobs[REFRESH_MARKET], retrain)),
        settling_sensor(grid),
        market_files_sensor(settings, jobs[REFRESH_MACRO], max(HORIZONS_SESSIONS)),
        overdue_sensor(settings, jobs[REFRESH_MACRO], max(HORIZONS_SESSIONS)),
        *alert_sensors(settings),
    ]


@dg.definitions
def defs() -> dg.Definitions:
    """Return the definitions of the home that the environment names, when Dagster asks."""
    return build_defs()
