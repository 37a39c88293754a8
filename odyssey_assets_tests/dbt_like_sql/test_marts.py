"""Prices, data quality and features as marts show them, against pandas."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from odyssey_assets.features.catalog import FEATURES
from odyssey_assets.features.tables import FEATURES_TABLE
from odyssey_assets.infrastructure.warehouse import Warehouse
from odyssey_assets.market_data.tables import BARS
from odyssey_assets_tests.dbt_like_sql.stored import (
    Tables,
    change_market,
    read_mart,
)

QUALITY = [("marts", "mart_data_quality")]


def test_prices_today_basis_match_pandas(warehouse: Warehouse, tables: Tables) -> None:
    bars = tables[BARS]
    last = bars.groupby("ticker")[["split_factor", "total_return_factor"]].transform("last")
    adjusted = bars["close"] * bars["total_return_factor"]
    found = read_mart(warehouse, "mart_prices_today_basis")
    expected = pd.DataFrame(
        {
            "close": adjusted / last["total_return_factor"],
            "split_adjusted_close": bars["close"] * bars["split_factor"] / last["split_factor"],
            "split_adjusted_volume": bars["volume"] / bars["split_factor"] * last["split_factor"],
            "total_return_1d": adjusted.groupby(bars["ticker"]).pct_change(),
        }
    )
    pd.testing.assert_frame_equal(found[["ticker", "date"]], bars[["ticker", "date"]])
    pd.testing.assert_frame_equal(found[list(expected)], expected, rtol=1e-12)
    newest = found.groupby("ticker").tail(1)
    assert (newest["close"] == newest["close_as_traded"]).all()


def test_data_quality_counts_what_was_made_wrong(warehouse: Warehouse, tables: Tables) -> None:
    quality = read_mart(warehouse, "mart_data_quality").set_index("subject")
    bars = tables[BARS]
    sessions = bars["date"].nunique()
    assert quality.loc["BBB", "expected_sessions"] == sessions
    assert quality.loc["BBB", "missing_sessions"] == 2
    assert quality.loc["BBB", "filled_sessions"] == 1
    assert quality.loc["BBB", "present_sessions"] == sessions - 3
    assert quality.loc["BBB", "rejected_rows"] == 1
    assert quality.loc["BBB", "quarantine_reasons"] == "stale_bar 1"
    assert quality.loc["AAA", "repaired_values"] == 1
    assert quality.loc["AAA", "finding"] == "complete"
    assert (quality.loc[["AAA", "LATE"], "anomalous_sessions"] == 1).all()
    assert quality.loc["LATE", "missing_sessions"] == 0, "a late listing is not missing data"
    assert quality.loc["LATE", "expected_sessions"] == (bars["ticker"] == "LATE").sum()
    assert quality.loc["TNX", "missing_sessions"] == 2
    assert quality.loc["GOLD", "sessions_behind"] == 3
    assert quality.loc["GOLD", "present_sessions"] == sessions - 3
    assert quality.loc["DXY", "is_absent"]
    assert quality.loc["DXY", "finding"] == "absent: features that read it are null"
    assert quality.loc["VIX", "finding"] == "complete"
    features = tables[FEATURES_TABLE].set_index("ticker")[list(FEATURES_TABLE.column_names[2:])]
    nulls = features.isna().groupby(level=0).mean().mean(axis=1)
    for ticker in ("AAA", "BBB", "LATE"):
        assert quality.loc[ticker, "feature_null_share"] == pytest.approx(nulls[ticker])
        rows = int((bars["ticker"] == ticker).sum())
        assert quality.loc[ticker, "unexpected_feature_null_share"] == pytest.approx(
            (rows - 20) / (rows * len(FEATURES))
        )


def test_data_quality_takes_the_origin_of_a_ticker_from_its_bars(
    warehouse: Warehouse, tables: Tables, tmp_path: Path
) -> None:
    real = {BARS: tables[BARS].query("ticker != 'LATE'").assign(is_simulated=False)}
    quality = read_mart(change_market(warehouse, tmp_path, real, QUALITY), "mart_data_quality")
    quality = quality.set_index("subject")
    assert not quality.loc[["AAA", "BBB"], "is_simulated"].any(), "old vintages do not count"
    assert quality.loc["LATE", "finding"] == "absent: no delivered row became a bar"
    assert quality.loc["LATE", "is_simulated"]


def test_feature_catalog_repeats_the_declarations(warehouse: Warehouse, tables: Tables) -> None:
    catalog = read_mart(warehouse, "mart_feature_catalog").set_index("feature")
    assert list(catalog.index) == [spec.name for spec in FEATURES]
    values = tables[FEATURES_TABLE]
    for spec in FEATURES:
        row = catalog.loc[spec.name]
        assert row["feature_group"] == spec.group
        assert row["lookback_sessions"] == spec.lookback
        assert row["is_level"] == spec.is_level
        assert row["formula"] == spec.formula
        assert row["formula_source"] == spec.source
        assert row["null_share"] == pytest.approx(values[spec.name].isna().mean())
        assert row["minimum"] == pytest.approx(values[spec.name].min(), nan_ok=True)
        assert row["mean"] == pytest.approx(values[spec.name].mean(), nan_ok=True)
    assert catalog.loc["dxy_return_20", "null_share"] == 1
    assert (catalog["important_folds"].head(7) == catalog["trained_folds"].iloc[0]).all()
    assert (catalog["mean_rank"].head(7) == range(1, 8)).all()
    assert (catalog["important_folds"].iloc[7:] == 0).all()


def test_feature_statistics_match_pandas(warehouse: Warehouse, tables: Tables) -> None:
    found = read_mart(warehouse, "mart_feature_statistics").set_index(["ticker", "feature"])
    values = tables[FEATURES_TABLE].set_index("ticker").drop(columns="date")
    melted = values.groupby(level=0).std().melt(ignore_index=False, var_name="feature")
    expected = melted.set_index("feature", append=True)["value"].dropna()
    deviations = found["standard_deviation"].dropna().sort_index()
    np.testing.assert_allclose(deviations, expected.sort_index(), rtol=1e-9)
    assert len(found) == 3 * len(FEATURES)
