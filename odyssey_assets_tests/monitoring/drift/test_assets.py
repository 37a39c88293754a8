"""The drift assets on a tiny market: verdicts, reports, pictures, and a night that repeats them."""

from pathlib import Path

import dagster as dg
import pandas as pd

from odyssey_assets.core.slices import Slice
from odyssey_assets.core.windows import parse_window
from odyssey_assets.infrastructure.home import home_of
from odyssey_assets.monitoring.tables import DRIFT, DRIFT_SUMMARY
from odyssey_assets_tests.tiny_market import (
    TICKERS,
    WINDOWS,
    materialize,
    tiny_settings,
    warehouse_of,
)

ASSETS = dg.AssetSelection.assets(list(DRIFT.key), list(DRIFT_SUMMARY.key)).without_checks()
RUNNING = parse_window(WINDOWS[-1])
LAST = f"{WINDOWS[-1]}|{TICKERS[-1]}"


def metadata_of(
    result: dg.ExecuteInProcessResult, table: str, partition: str
) -> dict[str, dg.MetadataValue]:
    [event] = [
        event
        for event in result.get_asset_materialization_events()
        if event.partition == partition and event.asset_key == dg.AssetKey(["monitoring", table])
    ]
    return dict(event.materialization.metadata)


def test_run_fills_both_tables_and_a_night_gives_the_same_rows(tiny_copy: Path) -> None:
    settings = tiny_settings(tiny_copy)
    warehouse = warehouse_of(settings)
    result = materialize(settings, ASSETS)
    assert result.success
    drift, summary = warehouse.read(DRIFT), warehouse.read(DRIFT_SUMMARY)
    newest = summary[summary["as_of"] == summary["as_of"].max()]
    assert list(newest["ticker"]) == sorted(TICKERS)
    assert set(newest["judged_by"]) == {"evidently"}
    others = summary.drop(newest.index)
    assert set(others["judged_by"]) == {"scores", "nobody"}
    assert {"p_values"} <= set(metadata_of(result, "drift", LAST))
    assert {"share_drifted", "reports_written"} <= set(metadata_of(result, "drift_summary", LAST))

    for table in (DRIFT, DRIFT_SUMMARY):
        warehouse.replace(table, table.empty(), (Slice(None, RUNNING.start, RUNNING.end),))
    assert materialize(settings, ASSETS, first=f"{WINDOWS[-1]}|{TICKERS[0]}").success
    pd.testing.assert_frame_equal(warehouse.read(DRIFT), drift, check_exact=True)
    pd.testing.assert_frame_equal(warehouse.read(DRIFT_SUMMARY), summary, check_exact=True)


def test_report_is_written_on_demand_linked_and_named_in_its_row(tiny_copy: Path) -> None:
    settings = tiny_settings(tiny_copy)
    reports = home_of(settings).reports
    cell = f"{WINDOWS[-1]}|SPY"
    ops = {"measure_drift": {"is_report_wanted": True}}
    result = materialize(settings, ASSETS, cell, cell, ops=ops)
    assert result.success
    summary = warehouse_of(settings).read(DRIFT_SUMMARY)
    row = summary[summary["ticker"] == "SPY"].iloc[-1]
    path = f"drift/SPY/{WINDOWS[-1]}_{row['as_of']:%Y-%m-%d}.html"
    assert row["report_path"] == path
    assert "Dataset Drift" in (reports / path).read_text()
    links = metadata_of(result, "drift_summary", cell)
    assert links["report"].value == f"http://127.0.0.1:{settings.reports_port}/{path}"
    assert links["report_file"].value == str(reports / path)
