"""The tests of `dbt_like_sql/tests`: silent on a sound market, loud on a broken one."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from odyssey_assets.features.tables import LABELS
from odyssey_assets.forecasting.tables import FOLDS, PREDICTIONS
from odyssey_assets.infrastructure.sql_specs import ProjectTest
from odyssey_assets.infrastructure.warehouse import Warehouse
from odyssey_assets.market_data.tables import BARS
from odyssey_assets_tests.dbt_like_sql.broken_monitoring import (
    BROKEN_MONITORING_MARTS,
    break_monitoring,
)
from odyssey_assets_tests.dbt_like_sql.broken_portfolios import (
    BROKEN_PORTFOLIO_MARTS,
    BrokenTable,
    break_portfolios,
)
from odyssey_assets_tests.dbt_like_sql.market import MarketSize, build_tables
from odyssey_assets_tests.dbt_like_sql.stored import (
    PROJECT,
    SQL_FOLDER,
    Tables,
    change_market,
)


@pytest.mark.parametrize("test", PROJECT.tests, ids=lambda test: f"{test.table[1]}-{test.name}")
def test_sql_test_finds_no_violation_in_a_sound_market(
    warehouse: Warehouse, test: ProjectTest
) -> None:
    assert warehouse.query(test.sql).to_dict("records") == []


def _break(tables: Tables) -> Iterator[BrokenTable]:
    predictions, bars, folds = tables[PREDICTIONS], tables[BARS], tables[FOLDS]
    first = predictions.index == 0
    yield (
        "forecasts_follow_their_training",
        PREDICTIONS,
        predictions.assign(
            trained_as_of=predictions["trained_as_of"].mask(first, predictions["date"])
        ),
    )
    yield (
        "forecasts_lie_in_their_window",
        PREDICTIONS,
        predictions.assign(window=predictions["window"].mask(first, pd.Timestamp("2024-07-01"))),
    )
    yield (
        "intervals_hold_their_forecast",
        PREDICTIONS,
        predictions.assign(lower=predictions["lower"].mask(first, 1.0)),
    )
    yield (
        "forecasts_come_from_trained_folds",
        FOLDS,
        folds[folds["ticker"] != "AAA"],
    )
    yield (
        "folds_are_in_temporal_order",
        FOLDS,
        folds.assign(valid_end=folds["test_start"]),
    )
    yield (
        "rejected_rows_never_become_bars",
        BARS,
        bars.assign(is_filled=False),
    )
    yield (
        "every_bar_has_features_and_labels",
        LABELS,
        tables[LABELS].iloc[1:],
    )
    yield (
        "outcomes_match_prices",
        LABELS,
        tables[LABELS].assign(forward_return_5d=tables[LABELS]["forward_return_5d"] + 1e-6),
    )
    yield (
        "leaderboard_agrees_with_folds",
        FOLDS,
        folds.assign(rmse=folds["rmse"] * 1.01),
    )
    yield (
        "every_forecast_ticker_has_a_signal",
        PREDICTIONS,
        predictions[(predictions["model"] != "xgboost") | (predictions["ticker"] != "AAA")],
    )
    yield (
        "signals_are_of_the_newest_session",
        PREDICTIONS,
        predictions[predictions["date"] < predictions["date"].max()],
    )
    yield from break_portfolios(tables)
    yield from break_monitoring(tables)


BROKEN_TABLES = tuple(case[0] for case in _break(build_tables(MarketSize())))
BROKEN_MARTS = (
    ("newest_price_is_as_traded", "close * 1.001 as close"),
    ("signal_confidence_is_a_share", "1.5 as confidence"),
    ("leaderboard_is_honest", "true as beats_historical_mean"),
    ("expected_sessions_add_up", "missing_sessions + 1 as missing_sessions"),
    ("every_feature_is_described", "'' as formula"),
    *BROKEN_PORTFOLIO_MARTS,
    *BROKEN_MONITORING_MARTS,
)


def test_every_sql_test_is_shown_to_find_a_violation() -> None:
    files = {path.stem for path in (SQL_FOLDER / "tests").glob("*.sql")}
    assert {*BROKEN_TABLES, *(name for name, _ in BROKEN_MARTS)} == files


@pytest.mark.parametrize(("number", "name"), enumerate(BROKEN_TABLES))
def test_sql_test_finds_the_violation_in_a_broken_table(
    warehouse: Warehouse, tables: Tables, tmp_path: Path, number: int, name: str
) -> None:
    _, contract, broken = list(_break(tables))[number]
    test = next(test for test in PROJECT.tests if test.name == name)
    copy = change_market(warehouse, tmp_path, {contract: broken}, test.upstream)
    assert not copy.query(test.sql).empty


@pytest.mark.parametrize(("name", "wrong"), BROKEN_MARTS)
def test_sql_test_finds_the_violation_in_a_broken_mart(
    warehouse: Warehouse, tmp_path: Path, name: str, wrong: str
) -> None:
    test = next(test for test in PROJECT.tests if test.name == name)
    copy = change_market(warehouse, tmp_path, {}, ())
    broken = f"select * replace ({wrong}) from {'.'.join(test.table)}\n"
    copy.create_model(*test.table, "table", broken, "Broken.", {})
    assert not copy.query(test.sql).empty


def test_grain_test_finds_a_row_stored_twice(warehouse: Warehouse, tmp_path: Path) -> None:
    grain_tests = [test for test in PROJECT.tests if test.name.startswith("one_row_per_")]
    assert len(grain_tests) == sum(model.kind == "table" for model in PROJECT.models)
    copy = change_market(warehouse, tmp_path, {}, ())
    for test in grain_tests:
        table = ".".join(test.table)
        twice = f"select * from {table} union all (select * from {table} limit 1)\n"
        copy.create_model(*test.table, "table", twice, "Broken.", {})
        assert len(copy.query(test.sql)) == 1, table
