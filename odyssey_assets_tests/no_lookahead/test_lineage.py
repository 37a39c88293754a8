"""The lineage of a weight rests on nothing dated after its decision."""

import numpy as np
import pandas as pd
import pytest

from odyssey_assets.contracts import TableContract
from odyssey_assets.features.tables import FEATURES_TABLE
from odyssey_assets.forecasting.tables import PREDICTIONS
from odyssey_assets.market_data.tables import BARS, RAW_BARS
from odyssey_assets.monitoring.lineage.rows import Evidence, lineage_rows
from odyssey_assets.portfolio.tables import WEIGHTS
from odyssey_assets_tests.dbt_like_sql.market import MarketSize, build_tables
from odyssey_assets_tests.dbt_like_sql.monitored import NIGHT
from odyssey_assets_tests.no_lookahead.harness import random_days

SOURCES = (WEIGHTS, PREDICTIONS, FEATURES_TABLE, BARS, RAW_BARS)
FRAMES = build_tables(MarketSize())
DAYS = random_days(FRAMES[WEIGHTS]["date"], count=4, seed=3)


def _rows(frames: dict[TableContract, pd.DataFrame]) -> pd.DataFrame:
    return lineage_rows(Evidence(*(frames[each] for each in SOURCES)), "xgboost", 5, NIGHT)


def _scrambled(day: pd.Timestamp) -> dict[TableContract, pd.DataFrame]:
    """Return the tables with other features, forecasts, weights and vintages after `day`."""
    generator = np.random.default_rng(1)
    names = list(FEATURES_TABLE.column_names[2:])
    later = {each: (FRAMES[each]["date"] > day).to_numpy() for each in SOURCES}
    features, predictions = FRAMES[FEATURES_TABLE].copy(), FRAMES[PREDICTIONS].copy()
    weights, raw = FRAMES[WEIGHTS].copy(), FRAMES[RAW_BARS].copy()
    noise = generator.normal(size=(int(later[FEATURES_TABLE].sum()), len(names)))
    features.loc[later[FEATURES_TABLE], names] = noise
    predictions.loc[later[PREDICTIONS], "prediction"] = 9.0
    weights.loc[later[WEIGHTS], "target_weight"] = 0.01
    raw.loc[later[RAW_BARS], "row_sha256"] = "another"
    changed = {FEATURES_TABLE: features, PREDICTIONS: predictions, WEIGHTS: weights, RAW_BARS: raw}
    return {**FRAMES, **changed}


@pytest.mark.parametrize("day", DAYS, ids=str)
def test_lineage_until_a_day_is_the_same_whatever_follows(day: pd.Timestamp) -> None:
    whole = _rows(dict(FRAMES))
    expected = whole[whole["date"] <= day].reset_index(drop=True)
    cut = {each: FRAMES[each][FRAMES[each]["date"] <= day] for each in SOURCES}
    pd.testing.assert_frame_equal(_rows(cut), expected)
    found = _rows(_scrambled(day))
    is_known = found["date"] <= day
    pd.testing.assert_frame_equal(found[is_known].reset_index(drop=True), expected)
    changed = set(found.loc[~is_known, "lineage_sha256"])
    assert changed.isdisjoint(whole["lineage_sha256"]), "the future was changed everywhere"
