"""The partition grid as Dagster sees it: half-year windows by tickers.

Definitions of the grid, the mappings between its assets, and the way from a run's partition keys
to the slices of a table. What a window is belongs to `core.windows`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import dagster as dg
import pandas as pd

from odyssey_assets.contracts import TableContract
from odyssey_assets.core.sessions import last_completed_session, sessions_between
from odyssey_assets.core.slices import Slice, rectangles
from odyssey_assets.core.windows import (
    WINDOW_FORMAT,
    Window,
    parse_window,
    windows_between,
)
from odyssey_assets.infrastructure.stored_rows import is_inside
from odyssey_assets.settings import Settings

HALF_YEARLY_CRON = "0 0 1 1,7 *"
WINDOW_DIMENSION = "date"
TICKER_DIMENSION = "ticker"
CELL_SEPARATOR = "|"
RANGE_START_TAG = "dagster/asset_partition_range_start"
MAX_COUNTED_PARTITIONS = 60
PARTITION_ROW_COUNT = "dagster/partition_row_count"
RANGE_END_TAG = "dagster/asset_partition_range_end"

Partition = tuple[str | None, Window]


@dataclass(frozen=True)
class PartitionGrid:
    """The partitions of one universe.

    Attributes:
        windows: Half-year windows, for assets without tickers.
        cells: Windows by tickers, for ticker-level assets.
        tickers: Tickers in the order of the settings.
        first: First window of the grid.
    """

    windows: dg.TimeWindowPartitionsDefinition
    cells: dg.MultiPartitionsDefinition
    tickers: tuple[str, ...]
    first: Window

    def window_list(self) -> tuple[Window, ...]:
        """Return all windows that exist at this moment, oldest first."""
        return tuple(parse_window(key) for key in self.windows.get_partition_keys())


def build_grid(settings: Settings) -> PartitionGrid:
    """Return the grid of the settings' dates and tickers; without an end it grows with time."""
    first = windows_between(settings.start, settings.start)[0]
    last = None if settings.end is None else windows_between(settings.end, settings.end)[0]
    is_over = last is not None and last.end <= date.today()
    windows = dg.TimeWindowPartitionsDefinition(
        start=first.key,
        end=last.end.strftime(WINDOW_FORMAT) if last is not None and is_over else None,
        fmt=WINDOW_FORMAT,
        cron_schedule=HALF_YEARLY_CRON,
        end_offset=0 if is_over else 1,
    )
    cells = dg.MultiPartitionsDefinition(
        {
            WINDOW_DIMENSION: windows,
            TICKER_DIMENSION: dg.StaticPartitionsDefinition(list(settings.tickers)),
        }
    )
    return PartitionGrid(windows, cells, settings.tickers, first)


def last_session(settings: Settings) -> date:
    """Return the last session the settings ask for that is over."""
    completed = last_completed_session()
    return completed if settings.end is None else min(settings.end, completed)


def open_windows(settings: Settings, longest_horizon: int) -> tuple[Window, ...]:
    """Return the windows that a nightly run rewrites, oldest first.

    A window stays open until the outcome of its last session is known over the longest horizon:
    until then its labels and the scores of its forecasts still change.

    Args:
        settings: Gives the last session.
        longest_horizon: Sessions until the last outcome is known.
    """
    last = last_session(settings)
    recent = sessions_between(last - timedelta(days=3 * longest_horizon + 30), last)
    oldest_unknown = recent[-longest_horizon - 1].date()
    return windows_between(max(oldest_unknown, settings.start), last)


def history_mapping(grid: PartitionGrid, later_windows: int = 0) -> dg.MultiPartitionMapping:
    """Map a cell to its window and all earlier ones, for an input that needs the whole past.

    The offset reaches back exactly as far as the grid: Dagster walks it step by step for each
    window of a run, so a larger one costs seconds.

    Args:
        grid: The grid of both assets.
        later_windows: Windows after the cell's own that are read too (outcomes of forecasts).
    """
    windows = dg.TimeWindowPartitionMapping(
        start_offset=-len(grid.window_list()),
        end_offset=later_windows,
        allow_nonexistent_upstream_partitions=True,
    )
    tickers = dg.IdentityPartitionMapping()
    return dg.MultiPartitionMapping(
        {
            WINDOW_DIMENSION: dg.DimensionPartitionMapping(WINDOW_DIMENSION, windows),
            TICKER_DIMENSION: dg.DimensionPartitionMapping(TICKER_DIMENSION, tickers),
        }
    )


def parse_partition(key: str) -> Partition:
    """Return (ticker, window) of a cell's key, or (None, window) of a window's key."""
    if isinstance(key, dg.MultiPartitionKey):
        dimensions = key.keys_by_dimension
        return dimensions[TICKER_DIMENSION], parse_window(dimensions[WINDOW_DIMENSION])
    return None, parse_window(key)


def cell_key(window: Window, ticker: str) -> dg.MultiPartitionKey:
    """Return the partition key of a ticker in a window."""
    return dg.MultiPartitionKey({WINDOW_DIMENSION: window.key, TICKER_DIMENSION: ticker})


def slices_of(keys: Iterable[str]) -> tuple[Slice, ...]:
    """Return the rectangles that hold exactly the partitions `keys`."""
    return rectangles(parse_partition(key) for key in keys)


def windows_by_ticker(keys: Iterable[str]) -> dict[str, tuple[Window, ...]]:
    """Return each ticker's windows of a run, both sorted (Dagster keeps no order of keys)."""
    grouped: dict[str, list[Window]] = {}
    for key in keys:
        ticker, window = parse_partition(key)
        if ticker is not None:
            grouped.setdefault(ticker, []).append(window)
    return {ticker: tuple(sorted(windows)) for ticker, windows in sorted(grouped.items())}


def cut(frame: pd.DataFrame, contract: TableContract, slices: Sequence[Slice]) -> pd.DataFrame:
    """Return the rows of `frame` that lie in `slices`, in the given order of rows."""
    return frame[is_inside(frame, contract, slices)].reset_index(drop=True)


def cut_to_run(
    context: dg.AssetExecutionContext, frame: pd.DataFrame, contract: TableContract
) -> pd.DataFrame:
    """Return the rows of the run's partitions, and note in the UI how many each of them has.

    A run over more than `MAX_COUNTED_PARTITIONS` shows only the total: Dagster compares every note
    with every partition of the run, which took minutes over 8,160 of them.
    """
    keys = context.partition_keys
    kept = cut(frame, contract, slices_of(keys))
    if len(keys) <= MAX_COUNTED_PARTITIONS:
        for key in keys:
            rows = len(cut(kept, contract, slices_of([key])))
            context.add_asset_metadata(
                {PARTITION_ROW_COUNT: rows}, asset_key=list(contract.key), partition_key=key
            )
    return kept


def range_tags(first: str, last: str) -> dict[str, str]:
    """Return the run tags that make one run cover all partitions from `first` to `last`."""
    return {RANGE_START_TAG: first, RANGE_END_TAG: last}


def cell_range_tags(
    grid: PartitionGrid, first: Window, last: Window, tickers: Sequence[str] | None = None
) -> dict[str, str]:
    """Return the run tags that cover windows from `first` to `last` and tickers of the grid.

    Dagster runs ranges only, so that tickers between the named ones come along.

    Args:
        grid: The grid.
        first: First window; one before the grid counts as the grid's first.
        last: Last window; one after the grid counts as the grid's last.
        tickers: Tickers wanted; None, or none of the grid: all.
    """
    every = grid.window_list()
    named = [ticker for ticker in grid.tickers if ticker in (tickers or ())] or grid.tickers
    start, end = (min(max(each, every[0]), every[-1]) for each in (first, last))
    return range_tags(cell_key(start, named[0]), cell_key(end, named[-1]))
