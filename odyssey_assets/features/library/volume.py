"""Volume features: how much trades, on which side, and what it takes to move the price.

Each feature is declared in `SPECS` and computed in `compute`; a new one is a line in both. Volume
is in shares of the ticker's first split basis. A window in which nothing traded has no ratio to
its volume: those features are null there.
"""

import numpy as np
import talib

from odyssey_assets.features.series import Columns, TickerBars, ratio
from odyssey_assets.features.spec import FeatureInput, FeatureSpec

WINDOW, TREND_WINDOW = 20, 5

_TRADED: tuple[FeatureInput, ...] = ("high", "low", "close", "volume")

SPECS: tuple[FeatureSpec, ...] = (
    FeatureSpec(
        "obv",
        "volume",
        ("close", "volume"),
        1,
        "Running sum of volume, added when the close rose and subtracted when it fell, from the "
        "ticker's first session",
        "Granville (1963); TA-Lib OBV",
        is_level=True,
    ),
    FeatureSpec(
        "obv_sma_20",
        "volume",
        ("close", "volume"),
        20,
        "Mean of obv over 20 sessions",
        "Granville (1963); TA-Lib SMA",
        is_level=True,
    ),
    FeatureSpec(
        "volume_to_sma_20",
        "volume",
        ("volume",),
        20,
        "volume / mean(volume, 20) - 1; null where nothing traded in the window",
        "ratio to the moving average",
        minimum=-1.0,
    ),
    FeatureSpec(
        "volume_trend_5",
        "volume",
        ("volume",),
        5,
        "Least-squares slope of volume over 5 sessions / mean(volume, 5); null where nothing "
        "traded in the window",
        "TA-Lib LINEARREG_SLOPE",
        minimum=-1.0,
        maximum=1.0,
    ),
    FeatureSpec(
        "volume_zscore_20",
        "volume",
        ("volume",),
        20,
        "(volume - mean(volume, 20)) / std(volume, 20, ddof 1); null where volume is constant",
        "standard score",
        minimum=-4.25,
        maximum=4.25,
    ),
    FeatureSpec(
        "accumulation_distribution",
        "volume",
        _TRADED,
        1,
        "Running sum of volume x ((close - low) - (high - close)) / (high - low) from the "
        "ticker's first session; a session without range adds nothing",
        "Chaikin; TA-Lib AD",
        is_level=True,
    ),
    FeatureSpec(
        "chaikin_money_flow_20",
        "volume",
        _TRADED,
        20,
        "sum(volume x ((close - low) - (high - close)) / (high - low), 20) / sum(volume, 20); "
        "null where nothing traded in the window",
        "Chaikin",
        minimum=-1.0,
        maximum=1.0,
    ),
    FeatureSpec(
        "volume_weighted_momentum_20",
        "volume",
        ("close", "volume"),
        21,
        "sum(ret x volume, 20) / sum(volume, 20); null where nothing traded in the window",
        "mean return weighted by volume",
        minimum=-1.0,
    ),
    FeatureSpec(
        "amihud_illiquidity_20",
        "volume",
        ("close", "volume"),
        21,
        "mean(|ret| / (close x volume), 20) x 1e9 over the sessions that traded; null where none "
        "did",
        "Amihud (2002)",
        minimum=0.0,
    ),
)


def compute(bars: TickerBars) -> Columns:
    """Return the volume features of one ticker, each row known at its close."""
    obv = talib.OBV(bars.close, bars.volume)
    return {
        "obv": obv,
        "obv_sma_20": talib.SMA(obv, WINDOW),
        "accumulation_distribution": talib.AD(bars.high, bars.low, bars.close, bars.volume),
        **_relative_volume(bars),
        **_volume_and_price(bars),
    }


def _relative_volume(bars: TickerBars) -> Columns:
    from odyssey_assets.features import kernels

    volume = bars.volume
    mean = kernels.rolling_sum(volume, WINDOW) / WINDOW
    std = kernels.rolling_std(volume, WINDOW)
    trend_mean = kernels.rolling_sum(volume, TREND_WINDOW) / TREND_WINDOW
    slope = talib.LINEARREG_SLOPE(volume, TREND_WINDOW)
    return {
        "volume_to_sma_20": ratio(volume, mean) - 1.0,
        "volume_trend_5": np.clip(ratio(slope, trend_mean), -1.0, 1.0),
        "volume_zscore_20": ratio(volume - mean, std),
    }


def _volume_and_price(bars: TickerBars) -> Columns:
    from odyssey_assets.features import kernels

    volume, size = bars.volume, bars.high - bars.low
    position = (bars.close - bars.low) - (bars.high - bars.close)
    flow = np.where(size > 0.0, ratio(position, size), 0.0) * volume
    traded = kernels.rolling_sum(volume, WINDOW)
    money_flow = ratio(kernels.rolling_sum(flow, WINDOW), traded)
    weighted_return = kernels.rolling_sum(bars.simple_return * volume, WINDOW)
    # Null on the first row, whose return is unknown; zero on a session that did not trade.
    impact = np.abs(bars.simple_return) * np.where(
        volume > 0.0, ratio(np.full(volume.size, 1e9), bars.close * volume), 0.0
    )
    sessions_traded = kernels.rolling_sum((volume > 0.0).astype(np.float64), WINDOW)
    return {
        "chaikin_money_flow_20": np.clip(money_flow, -1.0, 1.0),
        "volume_weighted_momentum_20": ratio(weighted_return, traded),
        "amihud_illiquidity_20": ratio(kernels.rolling_sum(impact, WINDOW), sessions_traded),
    }
