"""The I/O manager in real runs: ranges, single cells, histories, and frames that are refused."""

from datetime import date
from pathlib import Path

import dagster as dg
import pandas as pd
import pytest

from odyssey_assets.contracts import Column, TableContract
from odyssey_assets.core.slices import WHOLE_TABLE
from odyssey_assets.core.windows import parse_window
from odyssey_assets.errors import ContractError
from odyssey_assets.infrastructure.io_manager import (
    FROM_THE_BEGINNING,
    OF_EVERY_TICKER,
    WarehouseIOManager,
    asset_metadata,
)
from odyssey_assets.infrastructure.partitions import (
    PartitionGrid,
    build_grid,
    cell_key,
    cut,
    history_mapping,
    range_tags,
    slices_of,
)
from odyssey_assets.infrastructure.warehouse import Warehouse
from odyssey_assets.settings import Settings
from odyssey_assets_tests.infrastructure.price_table import PRICES, TICKERS, VINTAGES, prices

START, END = date(2019, 1, 1), date(2020, 12, 31)
CELLS = TableContract(
    "market",
    "cells",
    "How much history a cell's input held.",
    ("ticker", "window"),
    (
        Column("ticker", "VARCHAR", "Ticker."),
        Column("window", "DATE", "Window."),
        Column("rows_seen", "BIGINT", "Rows of the ticker up to the window's end."),
    ),
    date_column="window",
)
SUMMARY = TableContract(
    "market",
    "summary",
    "All that is stored.",
    ("ticker",),
    (Column("ticker", "VARCHAR", "Ticker."), Column("rows_seen", "BIGINT", "Rows.")),
    date_column=None,
    ticker_column=None,
)
MOODS = TableContract(
    "market",
    "moods",
    "One row a window.",
    ("window",),
    (Column("window", "DATE", "Window."),),
    date_column="window",
    ticker_column=None,
)
CONTRACTS = (PRICES, VINTAGES, CELLS, SUMMARY, MOODS)
GRID = build_grid(Settings(start=START, end=END, tickers=TICKERS, home=Path("unused")))
ALL_PRICES = prices(TICKERS, START, date(2021, 1, 1))


def assets_on(grid: PartitionGrid) -> list[dg.AssetsDefinition]:
    single_run = dg.BackfillPolicy.single_run()

    @dg.asset(
        key=list(PRICES.key),
        partitions_def=grid.cells,
        backfill_policy=single_run,
        metadata=asset_metadata(PRICES),
    )
    def prices_asset(context: dg.AssetExecutionContext) -> pd.DataFrame:
        return cut(ALL_PRICES, PRICES, slices_of(context.partition_keys))

    @dg.asset(
        key=list(CELLS.key),
        ins={"history": dg.AssetIn(list(PRICES.key), partition_mapping=history_mapping(grid))},
        partitions_def=grid.cells,
        backfill_policy=single_run,
    )
    def cells(context: dg.AssetExecutionContext, history: pd.DataFrame) -> pd.DataFrame:
        rows = []
        for key in map(str, context.partition_keys):
            window, ticker = key.split("|")
            is_seen = (history["ticker"] == ticker) & (
                history["date"] < pd.Timestamp(parse_window(window).end)
            )
            rows.append((ticker, pd.Timestamp(window), int(is_seen.sum())))
        return pd.DataFrame(rows, columns=list(CELLS.column_names))

    @dg.asset(key=list(SUMMARY.key), ins={"stored": dg.AssetIn(list(PRICES.key))})
    def summary(stored: pd.DataFrame) -> pd.DataFrame:
        return stored.groupby("ticker").size().rename("rows_seen").reset_index()

    @dg.asset(key=list(MOODS.key), partitions_def=grid.windows, backfill_policy=single_run)
    def moods(context: dg.AssetExecutionContext) -> pd.DataFrame:
        return pd.DataFrame({"window": pd.to_datetime(context.partition_keys)})

    return [prices_asset, cells, summary, moods]


@pytest.fixture
def manager(warehouse: Warehouse) -> WarehouseIOManager:
    return WarehouseIOManager(warehouse, CONTRACTS)


def run(
    manager: WarehouseIOManager,
    selection: list[dg.AssetsDefinition],
    *,
    first: str | None = None,
    last: str | None = None,
) -> dg.ExecuteInProcessResult:
    chosen = [asset.key for asset in selection]
    definitions = dg.Definitions(
        assets=assets_on(GRID),
        jobs=[dg.define_asset_job("job", selection=chosen)],
        resources={"io_manager": manager},
    )
    tags = range_tags(first, last) if first and last else {}
    return definitions.resolve_job_def("job").execute_in_process(tags=tags)


PRICES_ASSET, CELLS_ASSET, SUMMARY_ASSET, MOODS_ASSET = assets_on(GRID)
FIRST = cell_key(parse_window("2019-01-01"), TICKERS[0])
LAST = cell_key(parse_window("2020-07-01"), TICKERS[-1])


def expected_cells() -> pd.DataFrame:
    rows = [
        (ticker, window, len(prices([ticker], START, parse_window(window).end)))
        for ticker in TICKERS
        for window in ("2019-01-01", "2019-07-01", "2020-01-01", "2020-07-01")
    ]
    frame = pd.DataFrame(rows, columns=list(CELLS.column_names))
    return CELLS.conform(frame.assign(window=pd.to_datetime(frame["window"])))


def test_run_over_the_whole_grid_stores_all_and_reads_whole_histories(
    manager: WarehouseIOManager, warehouse: Warehouse
) -> None:
    result = run(manager, [PRICES_ASSET, CELLS_ASSET], first=FIRST, last=LAST)
    pd.testing.assert_frame_equal(warehouse.read(PRICES), ALL_PRICES)
    pd.testing.assert_frame_equal(warehouse.read(CELLS), expected_cells())
    events = result.asset_materializations_for_node("market__prices")
    assert len(events) == 4 * len(TICKERS)
    metadata = events[0].metadata
    assert metadata["dagster/row_count"].value == len(ALL_PRICES)
    assert metadata["content_sha256"].value == warehouse.table_hash(PRICES)
    assert metadata["duration_s"].value is not None
    result = run(manager, [SUMMARY_ASSET])
    assert warehouse.read(SUMMARY)["rows_seen"].tolist() == [len(ALL_PRICES) // 3] * 3


def test_run_of_one_cell_reads_its_ticker_s_history_and_replaces_only_itself(
    manager: WarehouseIOManager, warehouse: Warehouse
) -> None:
    run(manager, [PRICES_ASSET, CELLS_ASSET], first=FIRST, last=LAST)
    cell = cell_key(parse_window("2020-01-01"), "BBB")
    run(manager, [CELLS_ASSET], first=cell, last=cell)
    run(manager, [PRICES_ASSET], first=cell, last=cell)
    pd.testing.assert_frame_equal(warehouse.read(CELLS), expected_cells())
    pd.testing.assert_frame_equal(warehouse.read(PRICES), ALL_PRICES)


@pytest.mark.parametrize(("from_ticker", "to_ticker"), [("BBB", "BBB"), ("AAA", "BBB")])
def test_run_over_some_windows_and_tickers_stores_only_those(
    manager: WarehouseIOManager, warehouse: Warehouse, from_ticker: str, to_ticker: str
) -> None:
    first = cell_key(parse_window("2019-07-01"), from_ticker)
    last = cell_key(parse_window("2020-01-01"), to_ticker)
    run(manager, [PRICES_ASSET], first=first, last=last)
    is_inside = (
        ALL_PRICES["ticker"].between(from_ticker, to_ticker)
        & (ALL_PRICES["date"] >= "2019-07-01")
        & (ALL_PRICES["date"] < "2020-07-01")
    )
    expected = ALL_PRICES[is_inside].reset_index(drop=True)
    pd.testing.assert_frame_equal(warehouse.read(PRICES), expected)


def test_run_over_windows_without_tickers_stores_them(
    manager: WarehouseIOManager, warehouse: Warehouse
) -> None:
    run(manager, [MOODS_ASSET], first="2019-01-01", last="2020-01-01")
    run(manager, [MOODS_ASSET], first="2020-07-01", last="2020-07-01")
    stored = warehouse.read(MOODS)["window"].dt.strftime("%Y-%m-%d").tolist()
    assert stored == ["2019-01-01", "2019-07-01", "2020-01-01", "2020-07-01"]


@pytest.mark.parametrize(
    ("widening", "tickers", "first_day"),
    [
        ({}, ["BBB"], "2020-01-01"),
        (FROM_THE_BEGINNING, ["BBB"], "2019-01-01"),
        (OF_EVERY_TICKER, list(TICKERS), "2020-01-01"),
        ({**FROM_THE_BEGINNING, **OF_EVERY_TICKER}, list(TICKERS), "2019-01-01"),
    ],
)
def test_input_metadata_widens_what_is_read_beyond_the_mapped_partitions(
    manager: WarehouseIOManager,
    warehouse: Warehouse,
    widening: dict[str, str],
    tickers: list[str],
    first_day: str,
) -> None:
    warehouse.replace(PRICES, ALL_PRICES, [WHOLE_TABLE])
    seen: list[pd.DataFrame] = []

    @dg.asset(
        key=list(CELLS.key),
        ins={"given": dg.AssetIn(list(PRICES.key), metadata=widening)},
        partitions_def=GRID.cells,
    )
    def reader(given: pd.DataFrame) -> pd.DataFrame:
        seen.append(given)
        return CELLS.empty()

    dg.materialize(
        [assets_on(GRID)[0], reader],
        selection=[reader],
        partition_key=cell_key(parse_window("2020-01-01"), "BBB"),
        resources={"io_manager": manager},
    )
    days = ALL_PRICES["date"]
    is_expected = ALL_PRICES["ticker"].isin(tickers) & (days >= first_day) & (days < "2020-07-01")
    pd.testing.assert_frame_equal(seen[0], ALL_PRICES[is_expected].reset_index(drop=True))


def test_input_that_was_never_stored_has_no_rows(
    manager: WarehouseIOManager, warehouse: Warehouse
) -> None:
    run(manager, [CELLS_ASSET], first=FIRST, last=LAST)
    assert warehouse.read(CELLS)["rows_seen"].eq(0).all()


def output_of(contract: TableContract | None) -> dg.OutputContext:
    return dg.build_output_context(
        asset_key=dg.AssetKey(list(contract.key) if contract else ["market", "unknown"])
    )


def test_append_only_output_keeps_older_rows(
    manager: WarehouseIOManager, warehouse: Warehouse
) -> None:
    manager.handle_output(output_of(VINTAGES), prices(["AAA"]))
    context = output_of(VINTAGES)
    manager.handle_output(context, prices(["AAA", "BBB"]))
    assert context.get_logged_metadata()["dagster/row_count"].value == len(prices(["BBB"]))
    assert set(warehouse.read(VINTAGES)["ticker"]) == {"AAA", "BBB"}


@pytest.mark.parametrize("wrong", [None, [1, 2], {"close": [1.0]}])
def test_output_that_is_no_frame_is_refused(manager: WarehouseIOManager, wrong: object) -> None:
    with pytest.raises(ContractError, match=rf"returned {type(wrong).__name__}.*contract.empty"):
        manager.handle_output(output_of(PRICES), wrong)


def test_output_without_a_contract_is_refused(manager: WarehouseIOManager) -> None:
    with pytest.raises(ContractError, match=r"market\.unknown has no contract.*tables\.py"):
        manager.handle_output(output_of(None), prices())


def test_asset_metadata_describes_every_column() -> None:
    metadata = asset_metadata(PRICES)
    schema = metadata["dagster/column_schema"]
    assert [column.name for column in schema.columns] == list(PRICES.column_names)
    close, state = (
        next(column for column in schema.columns if column.name == name)
        for name in ("close", "state")
    )
    assert close.type == "DOUBLE"
    assert close.constraints.other == ["at least 0"]
    assert state.constraints.other == ["one of open, shut"]
    assert metadata["dagster/table_name"] == "market.prices"
    assert metadata["grain"] == "ticker, date"
