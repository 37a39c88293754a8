from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from odyssey_assets.core.adjustment import adjusted_bars
from odyssey_assets.core.sessions import sessions_between
from odyssey_assets.features.computation import compute_features
from odyssey_assets.features.library import regime
from odyssey_assets.features.spec import FeatureSpec
from odyssey_assets.features.tables import FEATURES_TABLE
from odyssey_assets_tests.features.markets import (
    END,
    GAPPY,
    LATE,
    PLAIN,
    PROXY,
    START,
    market_settings,
    small_market,
)
from odyssey_assets_tests.no_lookahead.harness import Market

Oracle = Callable[[pd.DataFrame], pd.Series]
TICKERS = [PLAIN, GAPPY, LATE, PROXY]


def percentile_oracle(window: int) -> Oracle:
    return lambda known: (
        known["VIX"].rolling(window).apply(lambda v: (v <= v[-1]).sum() / window, raw=True)
    )


def breadth(known: pd.DataFrame) -> pd.Series:
    columns = {}
    for ticker in TICKERS:
        close = known[ticker].dropna()
        average = close.rolling(20).mean()
        columns[ticker] = (close > average).astype(float).where(average.notna())
    return pd.DataFrame(columns).reindex(known.index).mean(axis=1)


def trend(known: pd.DataFrame) -> pd.Series:
    return known[PROXY] / known[PROXY].rolling(200).mean() - 1


ORACLES: dict[str, Oracle] = {
    "vix_percentile_20": percentile_oracle(20),
    "vix_percentile_60": percentile_oracle(60),
    "vix_change_5": lambda known: known["VIX"] / known["VIX"].shift(5) - 1,
    "market_breadth": breadth,
    "market_trend_200": trend,
    "tnx_change_20": lambda known: known["TNX"] - known["TNX"].shift(20),
    "dxy_return_20": lambda known: known["DXY"] / known["DXY"].shift(20) - 1,
    "gold_return_20": lambda known: known["GOLD"] / known["GOLD"].shift(20) - 1,
}
STATE_SPECS = ("regime", "regime_duration", "regime_strength")
"""Held against their own oracle in `test_regime` of `features`."""


@pytest.fixture(scope="module")
def market() -> Market:
    return small_market()


@pytest.fixture(scope="module")
def features(market: Market) -> pd.DataFrame:
    return compute_features(market.bars, market.macro, market_settings()).features


def known_at_each_session(market: Market) -> pd.DataFrame:
    """Return adjusted closes and macro values; those of other days count on the next session."""
    calendar = sessions_between(START, END)
    closes = adjusted_bars(market.bars).pivot_table(index="date", columns="ticker", values="close")
    wide = market.macro.pivot_table(index="date", columns="series", values="value")
    known = wide.reindex(wide.index.union(calendar)).ffill(limit=5).reindex(calendar)
    return known.join(closes)


@pytest.mark.parametrize(
    "spec", [spec for spec in regime.SPECS if spec.name not in STATE_SPECS], ids=lambda s: s.name
)
def test_regime_feature_on_small_market_matches_oracle(
    spec: FeatureSpec, market: Market, features: pd.DataFrame
) -> None:
    found = features.loc[features["ticker"] == PLAIN].set_index("date")[spec.name]
    expected = ORACLES[spec.name](known_at_each_session(market))

    assert found[: spec.lookback - 1].isna().all()
    assert found[spec.lookback - 1 :].notna().all()
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12, equal_nan=True)


@pytest.mark.parametrize("spec", regime.SPECS, ids=lambda spec: spec.name)
def test_regime_feature_on_a_date_is_the_same_for_every_ticker(
    spec: FeatureSpec, features: pd.DataFrame
) -> None:
    proxy = features.loc[features["ticker"] == PROXY].set_index("date")[spec.name]
    expected = features["date"].map(proxy)

    pd.testing.assert_series_equal(features[spec.name], expected, check_names=False)
    assert features.loc[features["ticker"] == LATE, spec.name].notna().any()


@pytest.mark.parametrize("series", ["VIX", "TNX", "DXY", "GOLD"])
def test_series_that_is_absent_or_not_configured_leaves_only_its_columns_null(
    series: str, market: Market, features: pd.DataFrame
) -> None:
    names = {
        "VIX": {*STATE_SPECS, "vix_percentile_20", "vix_percentile_60", "vix_change_5"}
        | {"correlation_vix_20"},
        "TNX": {"tnx_change_20", "correlation_tnx_60"},
        "DXY": {"dxy_return_20"},
        "GOLD": {"gold_return_20"},
    }[series]
    others = tuple(name for name in ("VIX", "TNX", "DXY", "GOLD") if name != series)
    without_rows = market.macro.loc[market.macro["series"] != series]
    for macro, settings in (
        (without_rows, market_settings()),
        (market.macro, market_settings(macro_series=others)),
    ):
        found = compute_features(market.bars, macro, settings).features
        is_null = found.isna().all()

        assert set(is_null.index[is_null]) == names
        kept = [name for name in FEATURES_TABLE.column_names if name not in names]
        pd.testing.assert_frame_equal(found[kept], features[kept])
