"""Contract checks in real runs: green ones say how much was checked, red ones what and where."""

from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pandas as pd
import pytest

from odyssey_assets.core.slices import WHOLE_TABLE
from odyssey_assets.core.windows import parse_window
from odyssey_assets.infrastructure.contract_checks import (
    CHECK_NAME,
    MAX_EXAMPLES,
    MAX_FAILURES,
    build_contract_check,
    contract_result,
)
from odyssey_assets.infrastructure.contract_findings import Finding, findings
from odyssey_assets.infrastructure.home import Home
from odyssey_assets.infrastructure.partitions import build_grid, cell_key, range_tags
from odyssey_assets.infrastructure.warehouse import Warehouse
from odyssey_assets.settings import Settings
from odyssey_assets_tests.infrastructure.price_table import PRICES, TICKERS, prices

GRID = build_grid(
    Settings(start=date(2020, 1, 1), end=date(2020, 12, 31), tickers=TICKERS, home=Path("unused"))
)
KEYS = GRID.cells.get_partition_keys()
SECOND_HALF_OF_A_TICKER = prices(["BBB"]).query("date >= '2020-07-01'")
DOWNSTREAM = dg.AssetKey(["market", "downstream"])


def run(
    warehouse: Warehouse, first: str, last: str, partitions_def: dg.PartitionsDefinition | None
) -> dg.ExecuteInProcessResult:
    policy = dg.BackfillPolicy.single_run()

    @dg.asset(key=list(PRICES.key), partitions_def=partitions_def, backfill_policy=policy)
    def stored() -> dg.MaterializeResult:
        return dg.MaterializeResult()

    @dg.asset(
        key=DOWNSTREAM,
        deps=[dg.AssetKey(list(PRICES.key))],
        partitions_def=partitions_def,
        backfill_policy=policy,
    )
    def downstream() -> dg.MaterializeResult:
        return dg.MaterializeResult()

    definitions = dg.Definitions(
        assets=[stored, downstream],
        asset_checks=[build_contract_check(PRICES, partitions_def)],
        jobs=[dg.define_asset_job("job", selection="*")],
        resources={"warehouse": warehouse},
    )
    tags = range_tags(first, last) if partitions_def else {}
    job = definitions.resolve_job_def("job")
    return job.execute_in_process(tags=tags, raise_on_error=False)


def evaluation(result: dg.ExecuteInProcessResult) -> dg.AssetCheckEvaluation:
    (found,) = result.get_asset_check_evaluations()
    assert found.check_name == CHECK_NAME
    return found


def table_of(
    found: dg.AssetCheckEvaluation | dg.AssetCheckResult, name: str
) -> list[dict[str, Any]]:
    value = found.metadata[name]
    assert isinstance(value, dg.TableMetadataValue)
    return [dict(record.data) for record in value.records]


def failures_of(
    found: dg.AssetCheckEvaluation | dg.AssetCheckResult,
) -> list[dict[str, Any]]:
    value = found.metadata["failed_partitions"]
    assert isinstance(value, dg.JsonMetadataValue)
    assert isinstance(value.data, list)
    return value.data


def spoil(home: Home, statement: str) -> None:
    """Break what is stored behind the back of the contract."""
    with duckdb.connect(str(home.warehouse)) as connection:
        connection.execute(statement)


def test_check_of_a_range_counts_the_rows_of_that_range(warehouse: Warehouse) -> None:
    warehouse.replace(PRICES, prices(), (WHOLE_TABLE,))
    first, last = (cell_key(parse_window("2020-07-01"), ticker) for ticker in ("AAA", "BBB"))
    found = evaluation(run(warehouse, first, last, GRID.cells))
    assert found.passed
    count = 2 * len(SECOND_HALF_OF_A_TICKER)
    assert found.metadata["rows_checked"].value == count
    assert found.description == f"{count} rows meet 11 expectations."
    assert "failed_partitions" not in found.metadata


def test_check_that_fails_blocks_what_comes_after_and_names_cells_and_values(
    warehouse: Warehouse, home: Home
) -> None:
    warehouse.replace(PRICES, prices(), (WHOLE_TABLE,))
    spoil(
        home,
        "update market.prices set close = -5 "
        "where ticker = 'BBB' and date >= '2020-07-01' or ticker = 'CCC' and date = '2020-01-01'",
    )
    result = run(warehouse, KEYS[0], KEYS[-1], GRID.cells)
    found = evaluation(result)
    assert not found.passed
    assert found.severity == dg.AssetCheckSeverity.ERROR
    assert [event.asset_key for event in result.get_asset_materialization_events()].count(
        DOWNSTREAM
    ) == 0
    count = len(SECOND_HALF_OF_A_TICKER)
    assert failures_of(found) == [
        {
            "ticker": ticker,
            "window": window,
            "column": "close",
            "value": "-5.0",
            "expected": "at least 0 and finite",
            "failures": failures,
        }
        for ticker, window, failures in (("BBB", "2020-07-01", count), ("CCC", "2020-01-01", 1))
    ]
    assert str(found.description).startswith("1 of 11 expectations are broken in")
    records = table_of(found, "expectations")
    assert records[0] == {
        "column": "close",
        "expected": "at least 0 and finite",
        "found": f"{count + 1} of {len(prices())} rows break it",
        "failures": str(count + 1),
    }
    examples = table_of(found, "examples")
    assert len(examples) == MAX_EXAMPLES
    assert {each["value"] for each in examples} == {"-5.0"}
    assert examples[0]["row"].startswith("ticker=BBB, date=2020-07-")


def test_check_outside_the_broken_cells_passes(warehouse: Warehouse, home: Home) -> None:
    warehouse.replace(PRICES, prices(), (WHOLE_TABLE,))
    spoil(home, "update market.prices set close = -5 where ticker = 'BBB'")
    cell = cell_key(parse_window("2020-07-01"), "AAA")
    assert evaluation(run(warehouse, cell, cell, GRID.cells)).passed


def test_check_without_partitions_reads_the_whole_table(warehouse: Warehouse, home: Home) -> None:
    warehouse.replace(PRICES, prices(), (WHOLE_TABLE,))
    spoil(home, "insert into market.prices select * from market.prices where ticker = 'AAA'")
    found = evaluation(run(warehouse, "", "", None))
    assert not found.passed
    failed = failures_of(found)
    assert [each["window"] for each in failed] == ["2020-01-01", "2020-07-01"]
    assert {each["column"] for each in failed} == {"ticker, date"}


def test_check_of_a_table_with_other_columns_names_them(warehouse: Warehouse, home: Home) -> None:
    warehouse.replace(PRICES, prices(), (WHOLE_TABLE,))
    spoil(home, "alter table market.prices add column venue varchar")
    found = evaluation(run(warehouse, KEYS[0], KEYS[-1], GRID.cells))
    assert not found.passed
    (entry,) = failures_of(found)
    assert entry["ticker"] is entry["window"] is None
    assert "venue" in entry["value"]
    assert "examples" not in found.metadata


def test_failures_beyond_the_limit_still_name_every_partition() -> None:
    tickers = [f"T{index}" for index in range(MAX_FAILURES + 5)]
    rows = pd.DataFrame(
        {"ticker": tickers, "date": pd.Timestamp("2020-02-03"), "close": -1.0, "lots": -1}
    )
    broken = [
        Finding(column, "at least 0", "all", len(rows), rows[["ticker", "date", column]])
        for column in ("close", "lots")
    ]
    failed = failures_of(contract_result(PRICES, len(rows), broken))
    assert {each["ticker"] for each in failed} == set(tickers)
    assert {each["column"] for each in failed} == {"close"}


def test_rows_with_a_null_key_are_listed_without_it() -> None:
    rows = prices().astype({"ticker": object}).head(3)
    rows.loc[0, "ticker"] = None
    rows.loc[1, "date"] = pd.NaT
    result = contract_result(PRICES, 3, findings(rows, PRICES))
    keys = [(each["ticker"], each["window"], each["value"]) for each in failures_of(result)]
    assert keys == [(None, "2020-01-01", "null"), ("AAA", None, "null")]
    assert table_of(result, "examples")[0]["row"] == "ticker=null, date=2020-01-01"


@pytest.mark.parametrize("found", [(), findings(prices(), PRICES)])
def test_result_without_broken_findings_passes(found: tuple[Finding, ...]) -> None:
    result = contract_result(PRICES, 7, found)
    assert result.passed
    assert result.metadata["expectations_checked"].value == len(found)
