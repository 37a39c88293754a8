"""The whole graph as its user runs it: what is there afterwards, and that it is there twice."""

import json
from pathlib import Path

import duckdb
import pandas as pd

from odyssey_assets.definitions import TABLES
from odyssey_assets_tests.end_to_end.small_market import TICKERS, odyssey, query, table_hashes


def published(home: Path, sql: str) -> pd.DataFrame:
    with duckdb.connect(str(home / "published" / "odyssey.duckdb"), read_only=True) as connection:
        return connection.execute(sql).df()


def test_run_publishes_every_table_with_rows_and_every_mart(finished_home: Path) -> None:
    tables = published(
        finished_home, "select schema_name || '.' || table_name as name from duckdb_tables()"
    )["name"]
    assert {table.qualified_name for table in TABLES} <= set(tables)
    for mart in (
        "mart_daily_signals", "mart_prices_today_basis", "mart_model_leaderboard",
        "mart_forecast_outcomes", "mart_data_quality", "mart_feature_catalog",
    ):  # fmt: skip
        assert len(published(finished_home, f"select 1 from marts.{mart}")) > 0, mart


def test_run_describes_every_table_and_column(finished_home: Path) -> None:
    undescribed = published(
        finished_home,
        "select schema_name, table_name, column_name from duckdb_columns() "
        "where schema_name not in ('main', 'meta') and not internal and comment is null",
    )
    assert undescribed.empty, undescribed


def test_run_says_everywhere_that_the_data_is_simulated(finished_home: Path) -> None:
    for table in ("market_data.bars", "market_data.macro", "marts.mart_daily_signals"):
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
    assert set(runs) == {"refresh_macro", "refresh_market", "refresh_marts"}
    assert set(runs.values()) == {dg.DagsterRunStatus.SUCCESS}
    cells = instance.get_materialized_partitions(dg.AssetKey(["forecasting", "predictions"]))
    assert len(cells) == len(TICKERS) * 8
