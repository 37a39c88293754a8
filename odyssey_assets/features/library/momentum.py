"""Momentum features: oscillators and trend strength, all from TA-Lib.

Each feature is declared in `SPECS` and computed in `compute`; a new one is a line in both.
Oscillators are clipped to their scale, because running sums overshoot it by rounding.
"""

import numpy as np
import talib

from odyssey_assets.features.series import Columns, TickerBars
from odyssey_assets.features.spec import FeatureInput, FeatureSpec

RSI_WINDOWS = (7, 14, 21)
CHANGE_WINDOWS = (5, 10, 20)

_RANGE: tuple[FeatureInput, ...] = ("high", "low", "close")
_MACD = "Appel (1979); TA-Lib MACD(12, 26, 9)"
_STOCHASTIC = "Lane (1984); TA-Lib STOCH(14, 3, 3)"


def _oscillator(
    name: str, inputs: tuple[FeatureInput, ...], lookback: int, formula: str, source: str
) -> FeatureSpec:
    return FeatureSpec(
        name, "momentum", inputs, lookback, formula, source, minimum=0.0, maximum=100.0
    )


def _level(name: str, lookback: int, formula: str, source: str) -> FeatureSpec:
    return FeatureSpec(name, "momentum", ("close",), lookback, formula, source, is_level=True)


SPECS: tuple[FeatureSpec, ...] = (
    *(
        _oscillator(
            f"rsi_{n}",
            ("close",),
            n + 1,
            f"100 x mean gain / (mean gain + mean loss), Wilder means of {n} sessions; 0 where "
            "the close never moved",
            "Wilder (1978); TA-Lib RSI",
        )
        for n in RSI_WINDOWS
    ),
    _level("macd", 34, "ema(close, 12) - ema(close, 26)", _MACD),
    _level("macd_signal", 34, "ema(macd, 9)", _MACD),
    _level("macd_histogram", 34, "macd - macd_signal", _MACD),
    *(
        FeatureSpec(
            f"roc_{n}",
            "momentum",
            ("close",),
            n + 1,
            f"(close - close {n} sessions ago) / close {n} sessions ago",
            "TA-Lib ROCP",
            minimum=-1.0,
        )
        for n in CHANGE_WINDOWS
    ),
    *(
        _level(f"mom_{n}", n + 1, f"close - close {n} sessions ago", "TA-Lib MOM")
        for n in CHANGE_WINDOWS
    ),
    FeatureSpec(
        "williams_r_14",
        "momentum",
        _RANGE,
        14,
        "-100 x (highest high - close) / (highest high - lowest low) of 14 sessions; 0 where the "
        "range is empty",
        "Williams (1979); TA-Lib WILLR",
        minimum=-100.0,
        maximum=0.0,
    ),
    _oscillator(
        "stochastic_k_14",
        _RANGE,
        18,
        "Mean over 3 sessions of 100 x (close - lowest low) / (highest high - lowest low) of 14 "
        "sessions; an empty range counts as 0",
        _STOCHASTIC,
    ),
    _oscillator(
        "stochastic_d_14", _RANGE, 18, "Mean of stochastic_k_14 over 3 sessions", _STOCHASTIC
    ),
    FeatureSpec(
        "cci_20",
        "momentum",
        _RANGE,
        20,
        "(typical - mean) / (0.015 x mean absolute deviation) over 20 sessions, typical = "
        "(high + low + close) / 3; 0 where there is no deviation",
        "Lambert (1980); TA-Lib CCI",
    ),
    _oscillator(
        "adx_14",
        _RANGE,
        28,
        "Wilder mean over 14 sessions of 100 x |+DI - -DI| / (+DI + -DI)",
        "Wilder (1978); TA-Lib ADX",
    ),
    _oscillator(
        "mfi_14",
        ("high", "low", "close", "volume"),
        15,
        "100 x positive / total money flow of 14 sessions, flow = typical x volume signed by the "
        "change of typical; 0 where less than 1 USD flowed",
        "Quong and Soudack (1989); TA-Lib MFI",
    ),
)


def compute(bars: TickerBars) -> Columns:
    """Return the momentum features of one ticker, each row known at its close."""
    high, low, close = bars.high, bars.low, bars.close
    columns: Columns = {}
    for window in RSI_WINDOWS:
        columns[f"rsi_{window}"] = talib.RSI(close, window)
    for window in CHANGE_WINDOWS:
        columns[f"roc_{window}"] = talib.ROCP(close, window)
        columns[f"mom_{window}"] = talib.MOM(close, window)
    macd, signal, histogram = talib.MACD(close, 12, 26, 9)
    slow_k, slow_d = talib.STOCH(high, low, close, fastk_period=14, slowk_period=3, slowd_period=3)
    return columns | {
        "macd": macd,
        "macd_signal": signal,
        "macd_histogram": histogram,
        "williams_r_14": np.clip(talib.WILLR(high, low, close, 14), -100.0, 0.0),
        "stochastic_k_14": np.clip(slow_k, 0.0, 100.0),
        "stochastic_d_14": np.clip(slow_d, 0.0, 100.0),
        "cci_20": talib.CCI(high, low, close, 20),
        "adx_14": np.clip(talib.ADX(high, low, close, 14), 0.0, 100.0),
        "mfi_14": np.clip(talib.MFI(high, low, close, bars.volume, 14), 0.0, 100.0),
    }
