"""The quality asset on a tiny market: it fills its table, adds pictures, and repeats itself."""

from pathlib import Path

import dagster as dg
import pandas as pd

from odyssey_assets.core.slices import Slice
from odyssey_assets.core.windows import parse_window
from odyssey_assets.forecasting.tables import PREDICTIONS
from odyssey_assets.monitoring.tables import FORECAST_QUALITY
from odyssey_assets_tests.tiny_market import (
    TICKERS,
    WINDOWS,
    materialize,
    tiny_settings,
    warehouse_of,
)

ASSET = dg.AssetSelection.assets(list(FORECAST_QUALITY.key)).without_checks()


def test_every_forecast_session_has_a_row_and_one_cell_alone_equals_the_full_run(
    tiny_copy: Path,
) -> None:
    settings = tiny_settings(tiny_copy)
    warehouse = warehouse_of(settings)
    result = materialize(settings, ASSET)
    assert result.success
    rows = warehouse.read(FORECAST_QUALITY)
    made = warehouse.read(PREDICTIONS)
    made = made[made["model"] == "xgboost"]
    assert list(rows["date"]) == list(made["date"])
    assert rows["rmse_60"].notna().any()
    [event] = [
        event
        for event in result.get_asset_materialization_events()
        if event.partition == f"{WINDOWS[-1]}|{TICKERS[-1]}"
    ]
    pictures = event.materialization.metadata
    assert {"correlation", "coverage"} <= set(pictures)

    window = parse_window(WINDOWS[-1])
    cell = f"{WINDOWS[-1]}|SPY"
    slices = (Slice(("SPY",), window.start, window.end),)
    warehouse.replace(FORECAST_QUALITY, FORECAST_QUALITY.empty(), slices)
    assert materialize(settings, ASSET, cell, cell).success
    pd.testing.assert_frame_equal(warehouse.read(FORECAST_QUALITY), rows, check_exact=True)


def test_cell_without_a_model_has_no_rows_and_no_pictures(tiny_copy: Path) -> None:
    settings = tiny_settings(tiny_copy)
    cell = f"{WINDOWS[0]}|SPY"
    result = materialize(settings, ASSET, cell, cell)
    assert result.success
    [event] = result.get_asset_materialization_events()
    assert "correlation" not in event.materialization.metadata
