from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from odyssey_assets.core.adjustment import adjusted_bars
from odyssey_assets.core.sessions import sessions_between
from odyssey_assets.features.computation import compute_features
from odyssey_assets.features.library import cross_asset
from odyssey_assets.features.spec import FeatureSpec
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


def correlation_oracle(other: str, window: int) -> Oracle:
    return lambda frame: frame["return"].rolling(window).corr(frame[other])


def beta_oracle(window: int) -> Oracle:
    return lambda frame: (
        frame["return"].rolling(window).cov(frame.proxy_return)
        / frame.proxy_return.rolling(window).var()
    )


def strength_oracle(window: int) -> Oracle:
    return lambda frame: (
        frame.close / frame.close.shift(window) - frame.proxy / frame.proxy.shift(window)
    )


ORACLES: dict[str, Oracle] = {
    **{f"correlation_spy_{n}": correlation_oracle("proxy_return", n) for n in (20, 60)},
    "correlation_vix_20": correlation_oracle("vix_change", 20),
    "correlation_tnx_60": correlation_oracle("tnx_change", 60),
    **{f"beta_spy_{n}": beta_oracle(n) for n in (20, 60)},
    **{f"relative_strength_spy_{n}": strength_oracle(n) for n in (20, 60)},
}


@pytest.fixture(scope="module")
def market() -> Market:
    """A market whose proxy misses three sessions and, later, eight."""
    market = small_market()
    proxy = market.bars.index[market.bars["ticker"] == PROXY]
    return Market(market.bars.drop(index=[*proxy[100:103], *proxy[450:458]]), market.macro)


@pytest.fixture(scope="module")
def features(market: Market) -> pd.DataFrame:
    return compute_features(market.bars, market.macro, market_settings()).features


def beside_the_market(market: Market, ticker: str) -> pd.DataFrame:
    """Return a ticker's closes beside what its sessions knew of proxy, VIX and yield."""
    bars = adjusted_bars(market.bars)
    calendar = sessions_between(START, END)
    macro = market.macro.pivot_table(index="date", columns="series", values="value")
    proxy = bars.loc[bars["ticker"] == PROXY].set_index("date")["close"]
    known = pd.DataFrame({"proxy": proxy, "vix": macro["VIX"], "tnx": macro["TNX"]})
    known = known.reindex(calendar).ffill(limit=5)
    frame = bars.loc[bars["ticker"] == ticker, ["date", "close"]].set_index("date").join(known)
    return frame.assign(
        **{"return": frame.close / frame.close.shift(1) - 1},
        proxy_return=frame.proxy / frame.proxy.shift(1) - 1,
        vix_change=frame.vix.diff(),
        tnx_change=frame.tnx.diff(),
    )


@pytest.mark.parametrize("ticker", [PLAIN, GAPPY, LATE])
@pytest.mark.parametrize("spec", cross_asset.SPECS, ids=lambda spec: spec.name)
def test_cross_asset_feature_with_gaps_matches_oracle(
    spec: FeatureSpec, ticker: str, market: Market, features: pd.DataFrame
) -> None:
    found = features.loc[features["ticker"] == ticker, spec.name].to_numpy()
    expected = ORACLES[spec.name](beside_the_market(market, ticker)).to_numpy()

    assert np.isnan(found[: spec.lookback - 1]).all()
    assert not np.isnan(found[spec.lookback - 1])
    np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-9, equal_nan=True)


@pytest.mark.parametrize("window", [20, 60])
def test_proxy_beside_itself_has_correlation_and_beta_one(
    window: int, features: pd.DataFrame
) -> None:
    proxy = features.loc[features["ticker"] == PROXY].reset_index(drop=True)
    for name, value in (("correlation_spy", 1.0), ("beta_spy", 1.0), ("relative_strength_spy", 0)):
        column = proxy[f"{name}_{window}"]
        assert column[:window].isna().all()
        assert (column[window:] == value).all()


def test_cross_asset_without_proxy_is_null_and_macro_columns_stay(market: Market) -> None:
    bars = market.bars.loc[market.bars["ticker"] != PROXY]
    features = compute_features(bars, market.macro, market_settings()).features

    to_proxy = [spec.name for spec in cross_asset.SPECS if "proxy" in spec.inputs]
    assert features[to_proxy].isna().all(axis=None)
    assert features["correlation_vix_20"].notna().any()
    assert features["sma_5"].notna().any()
