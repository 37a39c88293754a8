"""The ledger of lineage in a real warehouse: complete after one run, unchanged by the next."""

from pathlib import Path

import dagster as dg
import pandas as pd
import pytest

from odyssey_assets.core.slices import WHOLE_TABLE
from odyssey_assets.core.windows import parse_window
from odyssey_assets.infrastructure.home import Home
from odyssey_assets.infrastructure.io_manager import WarehouseIOManager
from odyssey_assets.infrastructure.warehouse import Warehouse
from odyssey_assets.market_data.tables import RAW_BARS
from odyssey_assets.monitoring.ledgers import LINEAGE
from odyssey_assets.monitoring.lineage.assets import SOURCES, lineage_assets, windows_to_record
from odyssey_assets.portfolio.tables import WEIGHTS
from odyssey_assets.settings import Settings, build_settings
from odyssey_assets.settings_sections import WarehouseSettings
from odyssey_assets_tests.dbt_like_sql.market import MarketSize, build_tables

OLDEST, OPEN = "2023-07-01", ("2024-01-01", "2024-07-01")
FRAMES = build_tables(MarketSize())


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return build_settings(
        home=tmp_path, tickers="AAA,BBB,LATE", proxy="AAA", start="2023-07-01", end="2024-08-16"
    )


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    home = Home(tmp_path)
    home.create()
    warehouse = Warehouse(home, WarehouseSettings(min_free_gb=0))
    for contract in SOURCES:
        if contract.is_append_only:
            warehouse.append(contract, FRAMES[contract])
        else:
            warehouse.replace(contract, FRAMES[contract], (WHOLE_TABLE,))
    return warehouse


def _run(warehouse: Warehouse, settings: Settings) -> list[str]:
    """Materialize the asset and return the windows that it looked at."""
    result = dg.materialize(
        lineage_assets(),
        resources={
            "settings": settings,
            "warehouse": warehouse,
            "io_manager": WarehouseIOManager(warehouse, (*SOURCES, LINEAGE)),
        },
        instance=dg.DagsterInstance.ephemeral(),
    )
    [event] = result.get_asset_materialization_events()
    windows = event.materialization.metadata["windows"].value
    assert isinstance(windows, list)
    return [str(window) for window in windows]


def _decisions() -> int:
    return int(FRAMES[WEIGHTS]["is_decision"].sum())


def test_first_run_records_every_decision_and_the_next_adds_nothing(
    warehouse: Warehouse, settings: Settings
) -> None:
    assert _run(warehouse, settings) == [OLDEST, *OPEN]
    before = warehouse.read(LINEAGE)
    assert len(before) == _decisions()
    assert _run(warehouse, settings) == list(OPEN), "the windows whose outcomes are not all known"
    pd.testing.assert_frame_equal(warehouse.read(LINEAGE), before)


def test_restated_bar_of_a_closed_window_adds_a_row_a_decision(
    warehouse: Warehouse, settings: Settings
) -> None:
    _run(warehouse, settings)
    before = warehouse.read(LINEAGE)
    weights = FRAMES[WEIGHTS]
    is_old = weights["is_decision"] & (weights["window"] == OLDEST) & (weights["ticker"] == "AAA")
    cell = weights[is_old].iloc[-1]
    raw = FRAMES[RAW_BARS]
    vintage = raw[(raw["ticker"] == "AAA") & (raw["date"] == cell["date"])]
    later = before["recorded_at"].max() + pd.Timedelta(days=1)
    restated = vintage.assign(row_sha256="restated", ingested_at=later, response_sha256="r2")
    warehouse.append(RAW_BARS, restated)
    assert OLDEST in _run(warehouse, settings)
    after = warehouse.read(LINEAGE)
    added = after[~after["lineage_sha256"].isin(before["lineage_sha256"])]
    assert set(added["bar_row_sha256"]) == {"restated"}
    assert set(added["response_sha256"]) == {"r2"}
    decided = weights[is_old & (weights["date"] == cell["date"])]
    assert sorted(added["policy"]) == sorted(decided["policy"])
    assert len(after) == len(before) + len(added), "the former rows are still there"


def test_portfolio_held_anew_in_a_closed_window_is_recorded(
    warehouse: Warehouse, settings: Settings
) -> None:
    _run(warehouse, settings)
    weights = FRAMES[WEIGHTS]
    is_changed = (weights["window"] == OLDEST) & (weights["policy"] == "equal_weight")
    other = weights.assign(target_weight=weights["target_weight"].mask(is_changed, 0.05))
    warehouse.replace(WEIGHTS, other, (WHOLE_TABLE,))
    assert _run(warehouse, settings) == [OLDEST, *OPEN]
    added = int((is_changed & weights["is_decision"]).sum())
    assert added > 0
    assert len(warehouse.read(LINEAGE)) == _decisions() + added
    warehouse.replace(WEIGHTS, weights, (WHOLE_TABLE,))
    assert _run(warehouse, settings) == list(OPEN), "what it came back to is recorded already"


def test_windows_to_record_of_an_empty_home_are_the_open_ones(
    tmp_path: Path, settings: Settings
) -> None:
    home = Home(tmp_path / "empty")
    home.create()
    warehouse = Warehouse(home, WarehouseSettings(min_free_gb=0))
    assert windows_to_record(warehouse, settings) == tuple(map(parse_window, OPEN))
