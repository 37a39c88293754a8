"""The backtesting assets: one window alone, summaries anew, pictures, links to existing reports."""

from collections.abc import Mapping
from pathlib import Path
from urllib.request import url2pathname

import dagster as dg
import pandas as pd
import pytest

from odyssey_assets.backtesting.tables import DAILY, SUMMARY_TABLES, TEAR_SHEETS, WINDOW_TABLES
from odyssey_assets.contracts import TableContract
from odyssey_assets.core.slices import WHOLE_TABLE, Slice
from odyssey_assets.core.windows import parse_window
from odyssey_assets.infrastructure.home import home_of
from odyssey_assets_tests.learned_market import COMPETITION_TABLES
from odyssey_assets_tests.tiny_market import (
    WINDOWS,
    TinyHome,
    materialize,
    tiny_settings,
    warehouse_of,
)

WHOLE = (WHOLE_TABLE,)
Metadata = Mapping[str, dg.MetadataValue]


def selection(tables: tuple[TableContract, ...]) -> dg.AssetSelection:
    return dg.AssetSelection.assets(*(table.key for table in tables)).without_checks()


@pytest.fixture(scope="module")
def metadata(tiny_home: TinyHome) -> Mapping[str, Metadata]:
    """Return what the run of the tiny home attached to the tables over the whole history."""
    instance = dg.DagsterInstance.from_config(str(home_of(tiny_settings(tiny_home.root)).dagster))
    found = {}
    for table in SUMMARY_TABLES:
        event = instance.get_latest_materialization_event(dg.AssetKey(list(table.key)))
        assert event is not None
        assert event.asset_materialization is not None
        found[table.name] = event.asset_materialization.metadata
    return found


def pictures_of(metadata: Metadata) -> set[str]:
    return {name for name, value in metadata.items() if "data:image/png" in str(value.value)}


@pytest.fixture(scope="module")
def strategies(tiny_home: TinyHome) -> set[str]:
    return set(warehouse_of(tiny_settings(tiny_home.root)).read(DAILY)["strategy"])


def test_one_window_alone_equals_the_full_run(learned_copy: Path) -> None:
    settings = tiny_settings(learned_copy)
    warehouse, window = warehouse_of(settings), parse_window(WINDOWS[3])
    before = {table: warehouse.read(table) for table in WINDOW_TABLES}
    for table, rows in before.items():
        warehouse.replace(table, table.empty(), (Slice(None, window.start, window.end),))
        assert 0 < len(warehouse.read(table)) < len(rows), table.qualified_name
    assert materialize(settings, selection(WINDOW_TABLES), window.key, window.key).success
    for table, rows in before.items():
        pd.testing.assert_frame_equal(warehouse.read(table), rows)


def test_older_window_needs_nothing_of_the_newer_ones(tiny_copy: Path) -> None:
    settings = tiny_settings(tiny_copy)
    warehouse, last = warehouse_of(settings), parse_window(WINDOWS[2])
    before = warehouse.read(DAILY)
    for table in COMPETITION_TABLES:
        later = Slice(None, last.end, None)
        warehouse.replace(table, table.empty(), (later,))
    assert materialize(settings, selection(WINDOW_TABLES), WINDOWS[0], last.key).success
    early = before[before["date"] < pd.Timestamp(last.end)].reset_index(drop=True)
    pd.testing.assert_frame_equal(warehouse.read(DAILY), early)


def test_summaries_made_again_are_the_same(tiny_copy: Path) -> None:
    settings = tiny_settings(tiny_copy)
    warehouse = warehouse_of(settings)
    before = {table: warehouse.read(table) for table in SUMMARY_TABLES}
    for table, rows in before.items():
        assert len(rows) > 0, table.qualified_name
        warehouse.replace(table, table.empty(), WHOLE)
    assert materialize(settings, selection(SUMMARY_TABLES)).success
    for table, rows in before.items():
        pd.testing.assert_frame_equal(warehouse.read(table), rows)


def test_home_in_which_nothing_was_held_has_empty_summaries(tiny_copy: Path) -> None:
    settings = tiny_settings(tiny_copy)
    warehouse = warehouse_of(settings)
    for table in COMPETITION_TABLES:
        warehouse.replace(table, table.empty(), WHOLE)
    assert materialize(settings, selection(SUMMARY_TABLES)).success
    assert [len(warehouse.read(table)) for table in SUMMARY_TABLES] == [0] * len(SUMMARY_TABLES)


def test_every_summary_shows_its_pictures(
    metadata: Mapping[str, Metadata], strategies: set[str]
) -> None:
    assert len(strategies) == 8
    alone = {"ppo", "equal_weight", "buy_and_hold"} & strategies
    assert len(alone) > 1
    assert pictures_of(metadata["performance"]) == {
        "equity", "drawdown", "rolling_sharpe", "costs", *(f"months_{each}" for each in alone),
    }  # fmt: skip
    assert pictures_of(metadata["monte_carlo"]) == {f"fan_{each}" for each in alone}
    assert pictures_of(metadata["stress"]) == {"stress"}
    assert pictures_of(metadata["regimes"]) == {"regimes"}


def test_every_tear_sheet_is_linked_by_address_and_by_file(
    metadata: Mapping[str, Metadata], strategies: set[str], tiny_home: TinyHome
) -> None:
    settings = tiny_settings(tiny_home.root)
    reports = home_of(settings).reports
    served = f"http://127.0.0.1:{settings.reports_port}/"
    links = metadata["tear_sheets"]
    sheets = warehouse_of(settings).read(TEAR_SHEETS).set_index("strategy")["path"]
    assert set(sheets.index) == strategies
    for strategy, path in sheets.items():
        file = links[f"{strategy}_file"]
        address = links[str(strategy)]
        assert isinstance(file, dg.PathMetadataValue)
        assert isinstance(address, dg.UrlMetadataValue)
        assert Path(str(file.value)) == tiny_home.root / path
        assert str(address.value).startswith(served)
        assert reports / url2pathname(str(address.value).removeprefix(served)) == Path(file.value)
        assert Path(str(file.value)).read_text().startswith("<!")
