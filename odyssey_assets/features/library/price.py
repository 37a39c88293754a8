"""Price features: where the close stands against its averages, bands and ranges.

Each feature is declared in `SPECS` and computed in `compute`; a new one is a line in both.
"""

import numpy as np
import talib

from odyssey_assets.features.series import Columns, FloatArray, TickerBars, ratio
from odyssey_assets.features.spec import FeatureInput, FeatureSpec

SMA_WINDOWS = (5, 10, 20, 50, 200)
EMA_WINDOWS = (12, 26)
BAND_WINDOW, BAND_WIDTH = 20, 2.0
VWAP_WINDOW = 20
ICHIMOKU_WINDOWS = (9, 26, 52)

_BANDS = "Bollinger (2001); TA-Lib BBANDS"
_ICHIMOKU = "Hosoda's Ichimoku; TA-Lib MIDPRICE"
_RANGE: tuple[FeatureInput, ...] = ("high", "low", "close")
_TRADED: tuple[FeatureInput, ...] = ("high", "low", "close", "volume")


def _level(
    name: str, inputs: tuple[FeatureInput, ...], lookback: int, formula: str, source: str
) -> FeatureSpec:
    return FeatureSpec(name, "price", inputs, lookback, formula, source, is_level=True)


def _share(
    name: str, inputs: tuple[FeatureInput, ...], lookback: int, formula: str, source: str
) -> FeatureSpec:
    return FeatureSpec(name, "price", inputs, lookback, formula, source, minimum=-1.0)


SPECS: tuple[FeatureSpec, ...] = (
    *(
        _level(f"sma_{n}", ("close",), n, f"Mean of close over {n} sessions", "TA-Lib SMA")
        for n in SMA_WINDOWS
    ),
    *(
        _level(
            f"ema_{n}",
            ("close",),
            n,
            f"Exponential mean of close, weight 2 / {n + 1}, started from the mean of the first "
            f"{n} closes",
            "TA-Lib EMA",
        )
        for n in EMA_WINDOWS
    ),
    *(
        _share(f"close_to_sma_{n}", ("close",), n, f"close / sma_{n} - 1", "TA-Lib SMA")
        for n in SMA_WINDOWS
    ),
    _level("bb_upper_20", ("close",), 20, "sma_20 + 2 x std(close, 20, ddof 0)", _BANDS),
    _level("bb_middle_20", ("close",), 20, "sma_20", _BANDS),
    _level("bb_lower_20", ("close",), 20, "sma_20 - 2 x std(close, 20, ddof 0)", _BANDS),
    FeatureSpec(
        "bb_width_20",
        "price",
        ("close",),
        20,
        "(bb_upper_20 - bb_lower_20) / bb_middle_20",
        _BANDS,
        minimum=0.0,
    ),
    FeatureSpec(
        "bb_position_20",
        "price",
        ("close",),
        20,
        "(close - bb_lower_20) / (bb_upper_20 - bb_lower_20), 0.5 where the 20 closes are equal",
        _BANDS,
    ),
    _level(
        "vwap_20",
        _TRADED,
        20,
        "sum(typical x volume, 20) / sum(volume, 20), typical = (high + low + close) / 3; null "
        "where nothing traded in the window",
        "Berkowitz, Logue and Noser (1988), from daily bars",
    ),
    _share(
        "close_to_vwap_20",
        _TRADED,
        20,
        "close / vwap_20 - 1",
        "Berkowitz, Logue and Noser (1988), from daily bars",
    ),
    _share(
        "ichimoku_conversion_to_base",
        ("high", "low"),
        26,
        "mid(9) / mid(26) - 1, mid(n) = (highest high + lowest low of n sessions) / 2",
        _ICHIMOKU,
    ),
    _share(
        "close_to_ichimoku_cloud",
        _RANGE,
        52,
        "close / mean(span a, span b) - 1, span a = (mid(9) + mid(26)) / 2, span b = mid(52), "
        "not shifted forward",
        _ICHIMOKU,
    ),
)


def compute(bars: TickerBars) -> Columns:
    """Return the price features of one ticker, each row known at its close."""
    columns: Columns = {}
    for window in SMA_WINDOWS:
        columns[f"sma_{window}"] = talib.SMA(bars.close, window)
        columns[f"close_to_sma_{window}"] = bars.close / columns[f"sma_{window}"] - 1.0
    for window in EMA_WINDOWS:
        columns[f"ema_{window}"] = talib.EMA(bars.close, window)
    return columns | _bands(bars) | _vwap(bars) | _ichimoku(bars)


def _bands(bars: TickerBars) -> Columns:
    upper, middle, lower = talib.BBANDS(bars.close, BAND_WINDOW, BAND_WIDTH, BAND_WIDTH)
    position = ratio(bars.close - lower, upper - lower)
    position[_is_flat(bars.close) | (upper == lower)] = 0.5
    return {
        "bb_upper_20": upper,
        "bb_middle_20": middle,
        "bb_lower_20": lower,
        "bb_width_20": (upper - lower) / middle,
        "bb_position_20": position,
    }


def _is_flat(close: FloatArray) -> np.ndarray:
    # TA-Lib's running sums leave a band of rounding width around equal closes.
    return talib.MAX(close, BAND_WINDOW) == talib.MIN(close, BAND_WINDOW)


def _vwap(bars: TickerBars) -> Columns:
    from odyssey_assets.features import kernels

    typical = (bars.high + bars.low + bars.close) / 3.0
    traded = kernels.rolling_sum(typical * bars.volume, VWAP_WINDOW)
    vwap = ratio(traded, kernels.rolling_sum(bars.volume, VWAP_WINDOW))
    return {"vwap_20": vwap, "close_to_vwap_20": bars.close / vwap - 1.0}


def _ichimoku(bars: TickerBars) -> Columns:
    conversion, base, slow = (talib.MIDPRICE(bars.high, bars.low, n) for n in ICHIMOKU_WINDOWS)
    cloud = ((conversion + base) / 2.0 + slow) / 2.0
    return {
        "ichimoku_conversion_to_base": conversion / base - 1.0,
        "close_to_ichimoku_cloud": bars.close / cloud - 1.0,
    }
