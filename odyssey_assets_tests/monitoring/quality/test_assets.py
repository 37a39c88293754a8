"""The quality assets on a tiny market: they fill tables, add pictures, and repeat themselves."""

from pathlib import Path

import dagster as dg
import pandas as pd

from odyssey_assets.backtesting.tables import DAILY
from odyssey_assets.core.slices import Slice
from odyssey_assets.core.windows import parse_window
from odyssey_assets.forecasting.tables import PREDICTIONS
from odyssey_assets.monitoring.tables import FORECAST_QUALITY, POLICY_QUALITY
from odyssey_assets.portfolio.tables import POLICIES, WEIGHTS
from odyssey_assets_tests.learned_market import TRAINED_WINDOWS
from odyssey_assets_tests.tiny_market import (
    TICKERS,
    WINDOWS,
    materialize,
    tiny_settings,
    warehouse_of,
)

ASSET = dg.AssetSelection.assets(list(FORECAST_QUALITY.key)).without_checks()
POLICY_ASSET = dg.AssetSelection.assets(list(POLICY_QUALITY.key)).without_checks()


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


def test_learned_policy_has_a_row_a_return_and_one_window_alone_equals_the_full_run(
    learned_copy: Path,
) -> None:
    settings = tiny_settings(learned_copy)
    warehouse = warehouse_of(settings)
    result = materialize(settings, POLICY_ASSET, WINDOWS[0], WINDOWS[-1])
    assert result.success
    rows = warehouse.read(POLICY_QUALITY)
    daily, weights = warehouse.read(DAILY), warehouse.read(WEIGHTS)
    assert list(rows["date"]) == list(daily.loc[daily["strategy"] == "ppo", "date"])
    assert set(rows["window"]) == set(pd.to_datetime(TRAINED_WINDOWS))
    assert rows["sharpe_60"].notna().any()
    assert rows["equal_weight_sharpe_60"].notna().any()
    own = weights[weights["policy"] == "ppo"].drop_duplicates("date").set_index("date")
    assert list(rows["model_sha256"]) == list(own["model_sha256"].reindex(rows["date"]))
    trained = warehouse.read(POLICIES)
    promised = trained[trained["is_main_seed"]].set_index("window")["validation_sharpe"]
    assert list(rows["expected_sharpe"]) == list(promised.reindex(rows["window"]))
    [event] = [
        event
        for event in result.get_asset_materialization_events()
        if event.partition == WINDOWS[-1]
    ]
    assert "data:image/png" in str(event.materialization.metadata["sharpe_ppo"].value)

    window = parse_window(WINDOWS[-1])
    warehouse.replace(
        POLICY_QUALITY, POLICY_QUALITY.empty(), (Slice(None, window.start, window.end),)
    )
    assert materialize(settings, POLICY_ASSET, WINDOWS[-1], WINDOWS[-1]).success
    pd.testing.assert_frame_equal(warehouse.read(POLICY_QUALITY), rows, check_exact=True)


def test_market_without_a_learned_policy_has_no_policy_rows_and_no_picture(tiny_copy: Path) -> None:
    settings = tiny_settings(tiny_copy)
    result = materialize(settings, POLICY_ASSET, WINDOWS[0], WINDOWS[-1])
    assert result.success
    assert warehouse_of(settings).read(POLICY_QUALITY).empty
    for event in result.get_asset_materialization_events():
        assert not [name for name in event.materialization.metadata if name.startswith("sharpe")]
