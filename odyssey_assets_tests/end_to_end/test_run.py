"""The whole graph as its user runs it: what is there afterwards, and that it is there twice."""

import json
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from odyssey_assets.definitions import TABLES
from odyssey_assets.settings_sections import PortfolioSettings
from odyssey_assets_tests.end_to_end.small_market import (
    FIRST_STEPS,
    LEARNED_WINDOWS,
    TICKERS,
    odyssey,
    query,
    table_hashes,
)

pytestmark = pytest.mark.timeout(900)
MARTS = (
    "mart_daily_signals", "mart_prices_today_basis", "mart_model_leaderboard",
    "mart_forecast_outcomes", "mart_data_quality", "mart_feature_catalog",
    "mart_strategy_comparison", "mart_current_portfolio", "mart_trade_blotter",
    "mart_monthly_returns", "mart_champions", "mart_drift", "mart_forecast_quality",
    "mart_policy_quality", "mart_morning_brief", "mart_why_this_weight",
)  # fmt: skip
# The small market rejects nothing, and retrains nothing by itself.
WITHOUT_ROWS = {
    "market_data.quarantine", "forecasting.challengers", "forecasting.trials",
    "portfolio.policy_challengers", "portfolio.policy_trials", "monitoring.retraining_events",
}  # fmt: skip


def published(home: Path, sql: str) -> pd.DataFrame:
    with duckdb.connect(str(home / "published" / "odyssey.duckdb"), read_only=True) as connection:
        return connection.execute(sql).df()


def test_run_publishes_every_table_and_mart_with_rows(finished_home: Path) -> None:
    stored = (table.qualified_name for table in TABLES)
    for name in (*stored, *(f"marts.{mart}" for mart in MARTS)):
        rows = len(published(finished_home, f"select 1 from {name} limit 1"))
        assert rows == (name not in WITHOUT_ROWS), name


def test_run_describes_every_table_and_column(finished_home: Path) -> None:
    undescribed = published(
        finished_home,
        "select schema_name, table_name, column_name from duckdb_columns() "
        "where schema_name not in ('main', 'meta') and not internal and comment is null",
    )
    assert undescribed.empty, undescribed


def test_run_says_everywhere_that_the_data_is_simulated(finished_home: Path) -> None:
    for table in (
        "market_data.bars", "market_data.macro", "marts.mart_daily_signals", "backtesting.daily",
        "marts.mart_strategy_comparison",
    ):  # fmt: skip
        flags = published(finished_home, f"select distinct is_simulated from {table}")
        assert flags["is_simulated"].tolist() == [True], table


def test_run_forecasts_out_of_sample_only(finished_home: Path) -> None:
    early = published(
        finished_home,
        'select * from forecasting.predictions where date <= trained_as_of or date < "window"',
    )
    assert early.empty
    forecast = published(
        finished_home,
        'select model, count(distinct ticker) as tickers, count(distinct "window") as windows '
        "from forecasting.predictions group by model order by model",
    )
    assert forecast["model"].tolist() == ["historical_mean", "ridge", "xgboost"]
    assert (forecast["tickers"] == len(TICKERS)).all()
    assert (forecast["windows"] >= 3).all()


def test_run_gives_a_reason_for_every_skipped_fold(finished_home: Path) -> None:
    skipped = published(finished_home, "select * from forecasting.folds where status = 'skipped'")
    assert len(skipped) > 0
    assert skipped["reason"].str.len().min() > 10
    assert skipped["rmse"].isna().all()


def test_run_trains_two_seeds_for_the_newest_window_and_one_before(finished_home: Path) -> None:
    policies = published(
        finished_home,
        """select strftime("window", '%Y-%m-%d') as first_day, * from portfolio.policies
        order by "window", seed""",
    )
    older, newest = LEARNED_WINDOWS
    skipped = policies[policies["status"] == "skipped"]
    assert (skipped["first_day"] < older).all()
    assert skipped["reason"].str.startswith("no forecasts before").all()
    trained = policies[policies["status"] == "trained"].set_index(["first_day", "seed"])
    assert trained["is_main_seed"].to_dict() == {
        (older, 42): True,
        (newest, 42): True,
        (newest, 43): False,
    }
    warm_starts = trained["warm_start_sha256"]
    assert warm_starts[newest, 42] == trained["model_sha256"][older, 42]
    assert warm_starts.isna().tolist() == [True, False, True]
    assert (trained["steps"] == FIRST_STEPS).tolist() == [True, False, True]


def test_run_holds_and_backtests_every_policy_in_the_newest_window(finished_home: Path) -> None:
    held = published(
        finished_home,
        f"""select policy, max(seed_count) as seeds from portfolio.weights
        where "window" = '{LEARNED_WINDOWS[-1]}' group by policy""",
    )
    assert set(held["policy"]) == set(PortfolioSettings().policies)
    assert held.set_index("policy")["seeds"]["ppo"] == 2
    compared = published(
        finished_home, "select strategy, seed_count from marts.mart_strategy_comparison"
    )
    assert set(compared["strategy"]) == set(held["policy"])
    sheets = published(finished_home, "select path from backtesting.tear_sheets")["path"]
    assert {Path(sheet).stem for sheet in sheets} == set(held["policy"])
    assert all((finished_home / sheet).is_file() for sheet in sheets)


def test_run_twice_from_nothing_gives_the_same_tables_and_models(
    finished_home: Path, tmp_path: Path
) -> None:
    second = tmp_path / "second"
    odyssey(second, "run", ODYSSEY_WORKERS="2")
    assert table_hashes(second) == table_hashes(finished_home)
    models = 'select ticker, "window", model, model_sha256 from forecasting.folds order by all'
    pd.testing.assert_frame_equal(query(second, models), query(finished_home, models))


def test_query_prints_rows_in_every_format(finished_home: Path) -> None:
    sql = "select ticker from marts.mart_daily_signals order by ticker"
    csv = odyssey(finished_home, "query", sql, "--format", "csv").stdout
    assert csv.split() == ["ticker", *TICKERS]
    rows = json.loads(odyssey(finished_home, "query", sql, "--format", "json").stdout)
    assert [row["ticker"] for row in rows] == list(TICKERS)
    table = odyssey(finished_home, "query", sql).stdout
    assert all(ticker in table for ticker in TICKERS)


def test_query_that_fails_says_why_and_exits_with_one(finished_home: Path) -> None:
    done = odyssey(finished_home, "query", "select nonsense", is_success=False)
    assert done.returncode == 1
    assert "nonsense" in done.stderr
    assert "Traceback" not in done.stderr


def test_doctor_finds_a_finished_home_well(finished_home: Path) -> None:
    done = odyssey(finished_home, "doctor")
    for subject in ("settings", "versions", "disk", "run lock", "warehouse", "source"):
        assert subject in done.stdout
    assert "error" not in done.stdout


def test_run_files_its_runs_with_the_instance_the_ui_opens(finished_home: Path) -> None:
    import dagster as dg

    instance = dg.DagsterInstance.from_config(str(finished_home / "dagster"))
    runs = {run.job_name: run.status for run in instance.get_runs()}
    assert set(runs) == {
        "refresh_macro", "refresh_market", "refresh_portfolio", "refresh_monitoring",
        "refresh_marts",
    }  # fmt: skip
    assert set(runs.values()) == {dg.DagsterRunStatus.SUCCESS}
    cells = instance.get_materialized_partitions(dg.AssetKey(["forecasting", "predictions"]))
    assert len(cells) == len(TICKERS) * 8
