"""The grid: which windows exist, what a run covers, and how a frame is cut to it."""

from datetime import date

import dagster as dg
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from odyssey_assets.contracts import Column, TableContract
from odyssey_assets.core.slices import Slice
from odyssey_assets.core.windows import Window, parse_window
from odyssey_assets.infrastructure.partitions import (
    build_grid,
    cell_key,
    cell_range_tags,
    cut,
    history_mapping,
    open_windows,
    parse_partition,
    range_tags,
    slices_of,
    windows_by_ticker,
)
from odyssey_assets.settings import Settings, build_settings

CONTRACT = TableContract(
    "test",
    "values",
    "Test table.",
    ("ticker", "date"),
    (Column("ticker", "VARCHAR", "Ticker."), Column("date", "DATE", "Session.")),
)


def settings(end: date | None = date(2024, 12, 31)) -> Settings:
    return build_settings(start=date(2020, 3, 1), end=end, tickers="AAPL,SPY", proxy="SPY")


def test_grid_of_a_closed_period_holds_every_window_once() -> None:
    grid = build_grid(settings())
    assert [window.key for window in grid.window_list()][::9] == ["2020-01-01", "2024-07-01"]
    assert len(grid.cells.get_partition_keys()) == 10 * 2


def test_grid_without_an_end_includes_the_current_window() -> None:
    newest = build_grid(settings(end=None)).window_list()[-1]
    assert newest.start <= date.today() < newest.end


def test_cell_key_parses_back() -> None:
    key = cell_key(parse_window("2024-01-01"), "AAPL")
    assert str(key) == "2024-01-01|AAPL"
    assert parse_partition(key) == ("AAPL", parse_window("2024-01-01"))
    assert parse_partition("2024-01-01") == (None, parse_window("2024-01-01"))


@given(
    st.sets(st.tuples(st.sampled_from(["A", "B", "C"]), st.integers(0, 6)), min_size=1, max_size=21)
)
def test_slices_of_any_partitions_hold_exactly_them(cells: set[tuple[str, int]]) -> None:
    first = Window(date(2020, 1, 1))
    keys = [cell_key(first.shift(index), ticker) for ticker, index in cells]
    held = {
        (ticker, index)
        for part in slices_of(keys)
        for ticker in part.tickers or ()
        for index in range(7)
        if part.start is not None
        and part.end is not None
        and part.start <= first.shift(index).start < part.end
    }
    assert held == cells


def test_windows_by_ticker_sorts_both() -> None:
    windows = [parse_window(key) for key in ("2024-01-01", "2023-07-01")]
    keys = [cell_key(window, ticker) for ticker in ("SPY", "AAPL") for window in windows]
    assert windows_by_ticker(keys) == {
        "AAPL": (windows[1], windows[0]),
        "SPY": (windows[1], windows[0]),
    }


def test_cut_keeps_rows_of_the_slices_only() -> None:
    frame = pd.DataFrame(
        {
            "ticker": ["A", "A", "B"],
            "date": pd.to_datetime(["2024-06-30", "2024-07-01", "2024-07-01"]),
        }
    )
    kept = cut(frame, CONTRACT, [Slice(("A",), date(2024, 7, 1), date(2025, 1, 1))])
    assert kept.to_numpy().tolist() == [["A", pd.Timestamp("2024-07-01")]]


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        (date(2024, 12, 31), ["2024-07-01"]),
        (date(2024, 7, 15), ["2024-01-01", "2024-07-01"]),
        (date(2024, 9, 30), ["2024-07-01"]),
        (date(2024, 9, 20), ["2024-01-01", "2024-07-01"]),
    ],
)
def test_open_windows_reach_back_until_every_outcome_is_known(
    end: date, expected: list[str]
) -> None:
    assert [window.key for window in open_windows(settings(end), 60)] == expected


def test_history_mapping_loads_a_cells_whole_past_in_a_range_run() -> None:
    grid = build_grid(settings())
    seen: dict[str, set[str]] = {}

    class Recorder(dg.IOManager):
        def handle_output(self, context: dg.OutputContext, obj: object) -> None:
            del context, obj

        def load_input(self, context: dg.InputContext) -> int:
            seen[context.name] = set(context.asset_partition_keys)
            return 0

    @dg.asset(partitions_def=grid.cells, backfill_policy=dg.BackfillPolicy.single_run())
    def upstream() -> int:
        return 0

    @dg.asset(
        ins={"own": dg.AssetIn("upstream", partition_mapping=history_mapping(grid))},
        partitions_def=grid.cells,
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def downstream(own: int) -> int:
        return own

    cell = cell_key(parse_window("2021-07-01"), "SPY")
    dg.materialize(
        [upstream, downstream],
        selection=[downstream],
        tags=range_tags(cell, cell),
        resources={"io_manager": Recorder()},
        instance=dg.DagsterInstance.ephemeral(),
    )
    windows = ["2020-01-01", "2020-07-01", "2021-01-01", "2021-07-01"]
    assert seen["own"] == {f"{window}|SPY" for window in windows}


def test_cells_of_windows_and_tickers_are_a_range_inside_the_grid() -> None:
    grid = build_grid(settings())
    first, last = parse_window("2021-01-01"), parse_window("2021-07-01")
    tags = cell_range_tags(grid, first, last, ["SPY"])
    assert tags == range_tags("2021-01-01|SPY", "2021-07-01|SPY")
    for everything in (None, [], ["GONE"]):
        tags = cell_range_tags(grid, first, last, everything)
        assert tags == range_tags("2021-01-01|AAPL", "2021-07-01|SPY")
    outside = cell_range_tags(grid, parse_window("2000-01-01"), parse_window("2090-01-01"))
    assert outside == range_tags("2020-01-01|AAPL", "2024-07-01|SPY")
