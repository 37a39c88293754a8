"""The forecasting assets on a tiny market: stored models are used again, pictures are attached."""

from pathlib import Path

import dagster as dg
import pandas as pd

from odyssey_assets.core.slices import Slice
from odyssey_assets.core.windows import parse_window
from odyssey_assets.forecasting.assets import leaderboard_pictures
from odyssey_assets.forecasting.tables import FOLDS, PREDICTIONS, TABLES
from odyssey_assets.infrastructure.home import home_of
from odyssey_assets_tests.tiny_market import (
    WINDOWS,
    TinyHome,
    materialize,
    tiny_settings,
    warehouse_of,
)

ASSETS = dg.AssetSelection.groups("forecasting").without_checks()


def pictures_of(result: dg.ExecuteInProcessResult) -> dict[str, str]:
    """Return the start of every picture by asset and partition."""
    return {
        f"{event.asset_key.path[-1]} {event.partition}": str(value.value).split("]")[0]
        for event in result.get_asset_materialization_events()
        if event.asset_key is not None
        for value in event.materialization.metadata.values()
        if "data:image/png" in str(value.value)
    }


def test_one_cell_alone_reuses_its_model_and_equals_the_full_run(tiny_copy: Path) -> None:
    settings = tiny_settings(tiny_copy)
    warehouse = warehouse_of(settings)
    before = {table: warehouse.read(table) for table in TABLES}
    models = {
        path: path.stat().st_mtime_ns
        for path in home_of(settings).models.rglob("*")
        if path.is_file()
    }
    window = parse_window(WINDOWS[-1])
    for table in TABLES:
        warehouse.replace(table, table.empty(), (Slice(("SPY",), window.start, window.end),))
    assert len(warehouse.read(PREDICTIONS)) < len(before[PREDICTIONS])
    cell = f"{WINDOWS[-1]}|SPY"
    result = materialize(settings, ASSETS, cell, cell)
    assert result.success
    for table, rows in before.items():
        pd.testing.assert_frame_equal(warehouse.read(table), rows)
    assert {path: path.stat().st_mtime_ns for path in models} == models
    assert pictures_of(result) == {
        f"predictions {cell}": "![Forecasts of SPY beside their outcomes",
        f"feature_importance {cell}": "![Features that drove the newest model of SPY",
    }


def test_cell_without_enough_history_has_reasons_and_no_pictures(tiny_copy: Path) -> None:
    settings = tiny_settings(tiny_copy)
    cell = f"{WINDOWS[0]}|SPY"
    result = materialize(settings, ASSETS, cell, cell)
    assert result.success
    assert pictures_of(result) == {}
    folds = warehouse_of(settings).read(FOLDS)
    first = folds[folds["window"] == WINDOWS[0]]
    assert len(first) > 0
    assert (first["status"] == "skipped").all()
    assert first["reason"].notna().all()


def test_leaderboard_shows_the_sign_strategy(tiny_home: TinyHome) -> None:
    settings = tiny_settings(tiny_home.root)
    shown = leaderboard_pictures(settings)(warehouse_of(settings))
    assert list(shown) == ["sign_strategy"]
    assert "data:image/png;base64," in str(shown["sign_strategy"].value)
