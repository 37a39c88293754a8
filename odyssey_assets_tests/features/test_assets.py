"""The feature assets on a tiny market: one partition alone equals its part of the full run."""

from pathlib import Path

import dagster as dg
import pandas as pd
import pytest

from odyssey_assets.contracts import TableContract
from odyssey_assets.core.slices import Slice
from odyssey_assets.core.windows import parse_window
from odyssey_assets.features.tables import CLIP_THRESHOLDS, FEATURES_TABLE, LABELS
from odyssey_assets_tests.tiny_market import WINDOWS, materialize, tiny_settings, warehouse_of


@pytest.mark.parametrize(
    ("tables", "window"),
    [((FEATURES_TABLE, CLIP_THRESHOLDS), WINDOWS[2]), ((LABELS,), WINDOWS[3])],
)
def test_one_cell_alone_equals_the_full_run(
    tables: tuple[TableContract, ...], window: str, tiny_copy: Path
) -> None:
    settings = tiny_settings(tiny_copy)
    warehouse = warehouse_of(settings)
    before = {table: warehouse.read(table) for table in tables}
    half_year = parse_window(window)
    for table in tables:
        warehouse.replace(table, table.empty(), (Slice(("AAPL",), half_year.start, half_year.end),))
        assert len(warehouse.read(table)) < len(before[table])
    cell = f"{window}|AAPL"
    selection = dg.AssetSelection.assets(*(table.key for table in tables)).without_checks()
    assert materialize(settings, selection, cell, cell).success
    for table, rows in before.items():
        pd.testing.assert_frame_equal(warehouse.read(table), rows)


def test_labels_of_a_window_reach_into_the_next_one(tiny_copy: Path) -> None:
    labels = warehouse_of(tiny_settings(tiny_copy)).read(LABELS)
    old = labels[labels["date"] < pd.Timestamp(WINDOWS[-1])]
    assert old["forward_return_60d"].notna().all()
    last = labels[labels["ticker"] == "SPY"].tail(60)
    assert last["forward_return_60d"].isna().all()
