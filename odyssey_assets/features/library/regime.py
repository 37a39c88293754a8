"""Regime features: the market's state, the same for every ticker on a date.

Each feature is declared in `SPECS` and computed in `compute` once for all sessions; a new one is a
line in both. Windows count sessions of the exchange. Where the proxy or a series is absent its
features are null. How states are found belongs to `regime_states`.
"""

import numpy as np

from odyssey_assets.features.series import (
    Columns,
    FloatArray,
    MarketState,
    change_over,
    difference_over,
)
from odyssey_assets.features.spec import FeatureInput, FeatureSpec

PERCENTILE_WINDOWS = (20, 60)

_STATE_INPUTS: tuple[FeatureInput, ...] = ("proxy", "macro")
_STATE_SOURCE = "K-means, MacQueen (1967); scikit-learn KMeans"
_STATE_NULL = "null before the first window with 252 earlier sessions"

SPECS: tuple[FeatureSpec, ...] = (
    FeatureSpec(
        "regime",
        "regime",
        _STATE_INPUTS,
        40,
        "0 calm, 1 normal, 2 stressed: three-state K-means on the proxy's (realized_vol_20, "
        "return_20d, VIX), standardised, started from terciles of volatility; refitted at each "
        f"window start on data before it, states ordered by volatility; {_STATE_NULL}",
        _STATE_SOURCE,
        minimum=0.0,
        maximum=2.0,
    ),
    FeatureSpec(
        "regime_duration",
        "regime",
        _STATE_INPUTS,
        40,
        f"Sessions since the state last changed, 0 on the session of the change; {_STATE_NULL}",
        _STATE_SOURCE,
        minimum=0.0,
    ),
    FeatureSpec(
        "regime_strength",
        "regime",
        _STATE_INPUTS,
        40,
        "Distance to the nearest other centre - distance to the own centre, standard deviations; "
        f"{_STATE_NULL}",
        _STATE_SOURCE,
        minimum=0.0,
    ),
    *(
        FeatureSpec(
            f"vix_percentile_{n}",
            "regime",
            ("macro",),
            n,
            f"Share of the last {n} VIX closes at or below today's",
            "empirical distribution",
            minimum=0.0,
            maximum=1.0,
        )
        for n in PERCENTILE_WINDOWS
    ),
    FeatureSpec(
        "vix_change_5",
        "regime",
        ("macro",),
        6,
        "VIX / VIX 5 sessions ago - 1",
        "relative change",
        minimum=-1.0,
    ),
    FeatureSpec(
        "market_breadth",
        "regime",
        ("universe",),
        20,
        "Share of the universe's tickers with 20 sessions or more whose close is above sma_20",
        "advance-decline breadth over the moving average",
        minimum=0.0,
        maximum=1.0,
    ),
    FeatureSpec(
        "market_trend_200",
        "regime",
        ("proxy",),
        200,
        "close_to_sma_200 of the proxy",
        "Faber (2007)",
        minimum=-1.0,
    ),
    FeatureSpec(
        "tnx_change_20",
        "regime",
        ("macro",),
        21,
        "10-year yield - yield 20 sessions ago, percentage points",
        "difference",
    ),
    *(
        FeatureSpec(
            f"{series}_return_20",
            "regime",
            ("macro",),
            21,
            f"{meaning} / value 20 sessions ago - 1",
            "simple return",
            minimum=-1.0,
        )
        for series, meaning in (("dxy", "Dollar index"), ("gold", "Gold price"))
    ),
)


def compute(market: MarketState) -> Columns:
    """Return the regime features of each of the market's sessions, known at its close."""
    return {
        "regime": market.regime,
        "regime_duration": market.regime_duration,
        "regime_strength": market.regime_strength,
        **{f"vix_percentile_{n}": _percentile(market.vix, n) for n in PERCENTILE_WINDOWS},
        "vix_change_5": change_over(market.vix, 5),
        "market_breadth": market.breadth,
        "market_trend_200": market.proxy_trend,
        "tnx_change_20": difference_over(market.tnx, 20),
        "dxy_return_20": change_over(market.dxy, 20),
        "gold_return_20": change_over(market.gold, 20),
    }


def _percentile(values: FloatArray, window: int) -> FloatArray:
    result = np.full(values.size, np.nan)
    if values.size < window:
        return result
    windows = np.lib.stride_tricks.sliding_window_view(values, window)
    share = (windows <= values[window - 1 :, np.newaxis]).mean(axis=1)
    result[window - 1 :] = np.where(np.isnan(windows).any(axis=1), np.nan, share)
    return result
