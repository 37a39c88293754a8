"""The market assets on a tiny market: one partition alone, a vendor that fails, pictures."""

from pathlib import Path

import dagster as dg
import pandas as pd
import pytest

from odyssey_assets.contracts import TableContract
from odyssey_assets.core.hashing import hash_frame
from odyssey_assets.core.slices import Slice
from odyssey_assets.core.windows import parse_window
from odyssey_assets.infrastructure.home import load_settings
from odyssey_assets.market_data.assets import (
    DELIVERED_CHECK,
    SERIES_CHECK,
    data_quality_pictures,
)
from odyssey_assets.market_data.catalog import build_source
from odyssey_assets.market_data.tables import BARS, MACRO, QUARANTINE, RAW_BARS
from odyssey_assets_tests.market_data.sources.price_files import yahoo_text
from odyssey_assets_tests.tiny_market import (
    END,
    TICKERS,
    WINDOWS,
    TinyHome,
    found,
    materialize,
    tiny_settings,
    warehouse_of,
)

CELL = f"{WINDOWS[2]}|SPY"


def delivered_by(table: TableContract, check: str) -> dg.AssetSelection:
    """Select an asset with the one check that it evaluates itself."""
    asset = dg.AssetSelection.assets(table.key).without_checks()
    return asset | dg.AssetSelection.checks(dg.AssetCheckKey(dg.AssetKey(list(table.key)), check))


MACRO_SELECTION = delivered_by(MACRO, SERIES_CHECK)
BARS_SELECTION = (
    delivered_by(RAW_BARS, DELIVERED_CHECK)
    | dg.AssetSelection.assets(BARS.key, QUARANTINE.key).without_checks()
)


def metadata_of(
    result: dg.ExecuteInProcessResult, asset: str, partition: str
) -> dict[str, dg.MetadataValue]:
    """Return the metadata of the materialization of one partition."""
    events = [
        event.materialization
        for event in result.get_asset_materialization_events()
        if event.asset_key == dg.AssetKey(asset.split("/")) and event.partition == partition
    ]
    assert len(events) == 1
    return dict(events[0].metadata)


def test_one_cell_alone_equals_the_full_run_and_touches_nothing_else(tiny_copy: Path) -> None:
    settings = tiny_settings(tiny_copy)
    warehouse = warehouse_of(settings)
    before = {table: warehouse.read(table) for table in (RAW_BARS, BARS, QUARANTINE)}
    window = parse_window(WINDOWS[2])
    warehouse.replace(BARS, BARS.empty(), (Slice(("SPY",), window.start, window.end),))
    lost = len(before[BARS]) - len(warehouse.read(BARS))
    assert lost > 100
    result = materialize(settings, BARS_SELECTION, CELL, CELL)
    assert result.success
    for table, rows in before.items():
        columns = table.content_columns
        pd.testing.assert_frame_equal(warehouse.read(table)[[*columns]], rows[[*columns]])
    picture = str(metadata_of(result, "market_data/bars", CELL)["price"].value)
    assert picture.startswith("![Price of SPY](data:image/png;base64,")


def test_one_macro_window_alone_equals_the_full_run(tiny_copy: Path) -> None:
    settings = tiny_settings(tiny_copy)
    warehouse = warehouse_of(settings)
    before = warehouse.read(MACRO)
    window = parse_window(WINDOWS[1])
    warehouse.replace(MACRO, MACRO.empty(), (Slice(None, window.start, window.end),))
    assert len(warehouse.read(MACRO)) < len(before)
    result = materialize(settings, MACRO_SELECTION, WINDOWS[1], WINDOWS[1])
    assert result.success
    assert hash_frame(warehouse.read(MACRO), MACRO.content_columns) == hash_frame(
        before, MACRO.content_columns
    )


@pytest.fixture
def files(tiny_home: TinyHome, tmp_path: Path) -> Path:
    """Return a folder with prices of SPY only, two gaps in them, and no macro series."""
    source = build_source(tiny_settings(tiny_home.root))
    settings = tiny_settings(tiny_home.root)
    rows = source.fetch_bars("SPY", settings.start, END).rows
    folder = tmp_path / "prices"
    folder.mkdir()
    missing = [200, 201, *range(300, 312)]
    text = yahoo_text(rows.drop(index=rows.index[missing]), has_actions=True)
    (folder / "SPY.csv").write_text(text)
    return folder


def test_ticker_that_was_not_delivered_is_reported_and_the_others_go_on(
    files: Path, tmp_path: Path
) -> None:
    settings = tiny_settings(
        tmp_path / "home", source="files", price_dir=files, macro_dir=files, macro_series=("VIX",)
    )
    result = materialize(settings, BARS_SELECTION)
    assert result.success
    (check,) = result.get_asset_check_evaluations()
    assert (check.check_name, check.passed) == (DELIVERED_CHECK, False)
    assert check.severity == dg.AssetCheckSeverity.WARN
    assert found(check)["expected"] == len(TICKERS)
    assert list(found(check)["not_delivered"]) == ["AAPL"]
    assert "AAPL.csv" in found(check)["not_delivered"]["AAPL"]
    assert set(warehouse_of(settings).read(BARS)["ticker"]) == {"SPY"}
    gaps = str(metadata_of(result, "market_data/bars", f"{WINDOWS[-1]}|SPY")["gaps"].value)
    days = warehouse_of(settings).read(RAW_BARS)["date"]
    assert [line.split("|")[3:5] for line in gaps.splitlines()[2:]] == [
        [" 2 ", " True "],
        [" 12 ", " False "],
    ]
    first_missing = gaps.splitlines()[2].split("|")[1].strip()
    assert pd.Timestamp(first_missing) not in set(days)


def test_macro_series_that_was_not_delivered_is_named_and_the_others_go_on(
    files: Path, tmp_path: Path
) -> None:
    (files / "GOLD.csv").write_text("Date,Close\n2021-03-01,1700.5\n2022-03-01,1900.5\n")
    settings = tiny_settings(
        tmp_path / "home",
        source="files",
        price_dir=files,
        macro_dir=files,
        macro_series=("VIX", "GOLD"),
    )
    result = materialize(settings, MACRO_SELECTION, WINDOWS[0], WINDOWS[-1])
    assert result.success
    (check,) = result.get_asset_check_evaluations()
    assert (check.check_name, check.passed) == (SERIES_CHECK, False)
    assert found(check)["expected"] == 2
    assert list(found(check)["not_delivered"]) == ["VIX"]
    stored = warehouse_of(settings).read(MACRO)
    assert dict(zip(stored["date"].dt.year, stored["value"], strict=True)) == {
        2021: 1700.5,
        2022: 1900.5,
    }


def test_data_quality_mart_shows_the_map_of_missing_sessions(tiny_home: TinyHome) -> None:
    settings = load_settings(home=tiny_home.root)
    shown = data_quality_pictures(settings)(warehouse_of(settings))
    assert list(shown) == ["missing_data"]
    assert "data:image/png;base64," in str(shown["missing_data"].value)
