"""Whether fetching again brought other bars."""

from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from odyssey_assets.core.slices import WHOLE_TABLE
from odyssey_assets.infrastructure.home import Home
from odyssey_assets.infrastructure.warehouse import Warehouse
from odyssey_assets.market_data.tables import BARS
from odyssey_assets.monitoring.retraining.bars import bars_as_of, changed_since, noted, parsed
from odyssey_assets.settings_sections import WarehouseSettings
from odyssey_assets_tests.monitoring.retraining.found_events import bar

AS_OF = date(2024, 9, 30)


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    """Return a warehouse with a bar of each of two tickers."""
    made = Warehouse(Home(tmp_path), WarehouseSettings())
    store(made, bar("INTC", 1.0), bar("HYG", 1.0))
    return made


def store(warehouse: Warehouse, *rows: pd.DataFrame) -> None:
    warehouse.replace(BARS, pd.concat(rows), (WHOLE_TABLE,))


def test_bars_are_told_apart_by_ticker_and_by_content(warehouse: Warehouse) -> None:
    before = bars_as_of(warehouse, ("INTC", "HYG", "SPY"), AS_OF)
    assert changed_since(before, warehouse) == {"INTC": False, "HYG": False, "SPY": False}
    store(warehouse, bar("INTC", 2.0), bar("HYG", 1.0), bar("SPY", 1.0))
    assert changed_since(before, warehouse) == {"INTC": True, "HYG": False, "SPY": True}


def test_session_that_came_in_meanwhile_is_no_change(warehouse: Warehouse) -> None:
    before = bars_as_of(warehouse, ("INTC",), AS_OF)
    store(warehouse, bar("INTC", 1.0), bar("INTC", 9.0, "2024-10-01"))
    assert changed_since(before, warehouse) == {"INTC": False}
    store(warehouse, bar("INTC", 1.0), bar("INTC", 9.0, "2024-09-30"))
    assert changed_since(before, warehouse) == {"INTC": True}


def test_hashes_come_back_from_a_runs_tag(warehouse: Warehouse) -> None:
    before = bars_as_of(warehouse, ("INTC",), AS_OF)
    assert parsed(noted(before)) == before
