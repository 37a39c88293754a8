"""The graph as the server loads it: complete, described, in pipeline order."""

import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from odyssey_assets.definitions import TABLES, build_defs
from odyssey_assets.infrastructure.home import home_of, remember_universe
from odyssey_assets.infrastructure.refresh import RETRAIN
from odyssey_assets.monitoring.retraining.requests import Batch, run_config
from odyssey_assets.settings import Settings
from odyssey_assets.settings_sections import PortfolioSettings

PYTHON_GROUPS = (
    "market_data", "features", "forecasting", "portfolio", "backtesting", "monitoring",
)  # fmt: skip
PIPELINE = (*PYTHON_GROUPS, "staging", "intermediate", "marts", "published")
MARKET = {"market_data/bars", "forecasting/predictions", "market_data/macro"}
FORECAST_FROM = {"features/features", "forecasting/folds", "forecasting/predictions"}
PYTHON_GRAPH = {
    "market_data/macro": set(),
    "market_data/raw_bars": set(),
    "market_data/bars": {"market_data/raw_bars"},
    "market_data/quarantine": {"market_data/raw_bars"},
    "features/features": {"market_data/bars", "market_data/macro"},
    "features/clip_thresholds": {"market_data/bars", "market_data/macro"},
    "features/labels": {"market_data/bars"},
    "forecasting/folds": {"features/features", "features/labels", "market_data/bars"},
    "forecasting/predictions": {"features/features", "features/labels", "market_data/bars"},
    "forecasting/feature_importance": {"features/features", "features/labels", "market_data/bars"},
    "forecasting/challengers": {"features/features", "features/labels", "market_data/bars"},
    "forecasting/trials": {
        "features/features", "forecasting/folds", "forecasting/challengers",
    },
    "portfolio/policies": MARKET,
    "portfolio/training_curves": MARKET,
    "portfolio/weights": {*MARKET, "portfolio/policies"},
    "portfolio/seed_paths": {*MARKET, "portfolio/policies"},
    "portfolio/policy_challengers": {*MARKET, "portfolio/policies"},
    "portfolio/policy_trials": {
        *MARKET, "portfolio/policies", "portfolio/weights", "portfolio/policy_challengers",
    },
    "backtesting/daily": {"portfolio/weights", "market_data/bars", "market_data/macro"},
    "backtesting/trades": {"portfolio/weights", "market_data/bars", "market_data/macro"},
    "backtesting/performance": {"backtesting/daily", "portfolio/seed_paths", "market_data/bars"},
    "backtesting/comparisons": {"backtesting/daily", "portfolio/seed_paths", "market_data/bars"},
    "backtesting/monte_carlo": {"backtesting/daily"},
    "backtesting/stress": {
        "backtesting/daily", "portfolio/weights", "market_data/bars", "market_data/macro",
    },
    "backtesting/regimes": {"backtesting/daily", "features/features"},
    "backtesting/tear_sheets": {
        "backtesting/daily", "backtesting/trades", "backtesting/performance",
        "backtesting/monte_carlo", "backtesting/stress", "backtesting/regimes",
        "portfolio/weights", "portfolio/seed_paths",
    },
    "monitoring/drift": FORECAST_FROM,
    "monitoring/drift_summary": FORECAST_FROM,
    "monitoring/forecast_quality": {
        "forecasting/predictions", "forecasting/folds", "features/labels", "market_data/bars",
    },
    "monitoring/policy_quality": {
        "backtesting/daily", "portfolio/weights", "portfolio/policies",
    },
    "monitoring/promotions": {
        "forecasting/challengers", "forecasting/trials", "forecasting/folds",
        "forecasting/predictions", "features/labels", "market_data/bars",
        "monitoring/forecast_quality", "monitoring/policy_quality", "portfolio/policies",
        "portfolio/policy_challengers", "portfolio/policy_trials", "backtesting/daily",
    },
    "monitoring/retraining_events": {"monitoring/promotions"},
    "monitoring/lineage": {
        "portfolio/weights", "forecasting/predictions", "features/features", "market_data/bars",
        "market_data/raw_bars",
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def definitions() -> dg.Definitions:
    return build_defs(source="simulated")


@pytest.fixture(scope="module")
def specs(definitions: dg.Definitions) -> dict[str, dg.AssetSpec]:
    return {spec.key.to_user_string(): spec for spec in definitions.resolve_all_asset_specs()}


def test_every_table_is_an_asset_with_the_declared_inputs(specs: dict[str, dg.AssetSpec]) -> None:
    graph = {
        name: {dependency.asset_key.to_user_string() for dependency in spec.deps}
        for name, spec in specs.items()
        if spec.group_name in PYTHON_GROUPS
    }
    assert graph == PYTHON_GRAPH
    assert set(graph) == {f"{table.schema}/{table.name}" for table in TABLES}


def test_every_dependency_runs_from_left_to_right(specs: dict[str, dg.AssetSpec]) -> None:
    for name, spec in specs.items():
        for dependency in spec.deps:
            upstream = specs[dependency.asset_key.to_user_string()]
            assert PIPELINE.index(str(upstream.group_name)) <= PIPELINE.index(
                str(spec.group_name)
            ), f"{upstream.key.to_user_string()} feeds {name}"


def test_every_asset_is_described_and_lists_its_columns(specs: dict[str, dg.AssetSpec]) -> None:
    for name, spec in specs.items():
        assert spec.description, name
        if spec.group_name != "published":
            columns = spec.metadata["dagster/column_schema"].columns
            assert columns, name
            assert all(column.description for column in columns), name


def test_every_contract_has_a_blocking_check(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    for table in TABLES:
        keys = graph.get_check_keys_for_assets({dg.AssetKey(list(table.key))})
        assert any(graph.get(key).blocking for key in keys), table.qualified_name


def test_every_job_of_the_pipeline_resolves(definitions: dg.Definitions) -> None:
    names = {job.name for job in definitions.resolve_all_job_defs()}
    assert {
        "refresh_macro", "refresh_market", "refresh_portfolio", "refresh_monitoring",
        "refresh_marts", "retrain", "promote", "rollback", "maintenance",
    } <= names  # fmt: skip


def test_everything_that_begins_by_itself_is_on(definitions: dg.Definitions) -> None:
    repository = definitions.get_repository_def()
    schedules = {schedule.name: schedule for schedule in repository.schedule_defs}
    assert set(schedules) == {"nightly", "monthly", "weekly"}
    running = dg.DefaultScheduleStatus.RUNNING
    assert all(schedule.default_status == running for schedule in schedules.values())
    sensors = {sensor.name: sensor.default_status for sensor in repository.sensor_defs}
    stopped = {name for name, at in sensors.items() if at != dg.DefaultSensorStatus.RUNNING}
    assert stopped == {"on_market_files"}, "files are watched where the source is files"
    assert {
        "on_drift", "on_failed_check", "on_new_window", "on_retraining", "on_run_failure",
        "on_warning",
    } <= set(sensors)  # fmt: skip


@pytest.mark.parametrize(
    ("policies", "learned"), [(("ppo", "equal_weight"), ["ppo"]), (("equal_weight",), [])]
)
def test_month_asks_for_every_ticker_and_every_policy_that_learns(
    policies: tuple[str, ...], learned: list[str], tmp_path: Path
) -> None:
    portfolio = PortfolioSettings(policies=policies)
    settings = Settings(home=tmp_path, tickers=("SPY", "HYG"), portfolio=portfolio)
    home_of(settings).create()
    remember_universe(settings, is_filled=True)
    repository = build_defs(**dict(settings)).get_repository_def()
    at = datetime(2024, 8, 1, 22, tzinfo=ZoneInfo("America/New_York"))
    with (
        dg.instance_for_test() as instance,
        dg.build_schedule_context(instance=instance, scheduled_execution_time=at) as context,
    ):
        data: Any = repository.get_schedule_def("monthly").evaluate_tick(context)
    (request,) = data.run_requests
    ops = request.run_config["ops"]
    assert ops["fit_challengers"]["config"] == {"tickers": ["SPY", "HYG"], "as_of": None}
    assert ops["train_policy_challengers"]["config"] == {"policies": learned, "as_of": None}
    assert ops["judge"]["config"] == {"batch": None, "cause": "schedule", "actor": "gate"}
    assert dg.validate_run_config(repository.get_job(RETRAIN), request.run_config)


def test_job_understands_how_a_batch_configures_it(
    definitions: dg.Definitions, tmp_path: Path
) -> None:
    settings = Settings(home=tmp_path, tickers=("SPY", "HYG"))
    config = run_config(Batch("key", ("HYG", "SPY", "ppo"), "decay", ("1", "2", "3")), settings)
    assert config["ops"]["train_policy_challengers"]["config"]["policies"] == ["ppo"]
    assert dg.validate_run_config(definitions.resolve_job_def(RETRAIN), config)


def test_definitions_validate_as_the_server_loads_them(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    home = tmp_path_factory.mktemp("home")
    done = subprocess.run(
        [sys.executable, "-m", "dagster", "definitions", "validate", "-w", "workspace.yaml"],
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin", "ODYSSEY_HOME": str(home), "DAGSTER_HOME": str(home)},
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
