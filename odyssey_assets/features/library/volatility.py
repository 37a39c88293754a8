"""Volatility features: how far prices move, from closes and from daily ranges, annualised.

Each feature is declared in `SPECS` and computed in `compute`; a new one is a line in both.
"""

import numpy as np
import talib

from odyssey_assets.core.sessions import SESSIONS_PER_YEAR
from odyssey_assets.features.series import Columns, FloatArray, TickerBars, ratio
from odyssey_assets.features.spec import FeatureInput, FeatureSpec

ATR_WINDOWS = (7, 14, 21)
WINDOW, LONG_WINDOW = 20, 60
YANG_ZHANG_WEIGHT = 0.34 / (1.34 + (WINDOW + 1) / (WINDOW - 1))

_RANGE: tuple[FeatureInput, ...] = ("high", "low", "close")


def _volatility(
    name: str, inputs: tuple[FeatureInput, ...], lookback: int, formula: str, source: str
) -> FeatureSpec:
    return FeatureSpec(name, "volatility", inputs, lookback, formula, source, minimum=0.0)


SPECS: tuple[FeatureSpec, ...] = (
    *(
        FeatureSpec(
            f"atr_{n}",
            "volatility",
            _RANGE,
            n + 1,
            f"Wilder mean over {n} sessions of the true range",
            "Wilder (1978); TA-Lib ATR",
            is_level=True,
            minimum=0.0,
        )
        for n in ATR_WINDOWS
    ),
    _volatility("natr_14", _RANGE, 15, "atr_14 / close", "TA-Lib NATR / 100"),
    *(
        _volatility(
            f"realized_vol_{n}",
            ("close",),
            n + 1,
            f"std(log return, {n}, ddof 1) x sqrt(252)",
            "Hull, Options, Futures and Other Derivatives",
        )
        for n in (WINDOW, LONG_WINDOW)
    ),
    _volatility(
        "vol_of_vol_20",
        ("close",),
        40,
        "std(realized_vol_20, 20, ddof 1)",
        "Baltussen, van Bekkum and van der Grient (2018), from realised volatility",
    ),
    _volatility(
        "parkinson_vol_20",
        ("high", "low"),
        20,
        "sqrt(252 x mean(ln(high / low)^2, 20) / (4 ln 2))",
        "Parkinson (1980)",
    ),
    _volatility(
        "garman_klass_vol_20",
        ("open", "high", "low", "close"),
        20,
        "sqrt(252 x mean(0.5 ln(high / low)^2 - (2 ln 2 - 1) ln(close / open)^2, 20))",
        "Garman and Klass (1980)",
    ),
    _volatility(
        "yang_zhang_vol_20",
        ("open", "high", "low", "close"),
        21,
        "sqrt(252 x (var(overnight) + k var(open to close) + (1 - k) mean(rogers satchell))), "
        "20 sessions, ddof 1, k = 0.34 / (1.34 + 21 / 19)",
        "Yang and Zhang (2000); Rogers and Satchell (1991)",
    ),
    _volatility(
        "downside_vol_20",
        ("close",),
        21,
        "sqrt(252 x mean(min(ret, 0)^2, 20))",
        "Sortino and van der Meer (1991)",
    ),
    FeatureSpec(
        "vol_ratio_20_60",
        "volatility",
        ("close",),
        61,
        "realized_vol_20 / realized_vol_60 - 1; null where the price did not move",
        "ratio of two realised volatilities",
        minimum=-1.0,
    ),
)


def compute(bars: TickerBars) -> Columns:
    """Return the volatility features of one ticker, each row known at its close."""
    columns: Columns = {
        f"atr_{n}": talib.ATR(bars.high, bars.low, bars.close, n) for n in ATR_WINDOWS
    }
    columns["natr_14"] = talib.NATR(bars.high, bars.low, bars.close, 14) / 100.0
    return columns | _from_closes(bars) | _from_ranges(bars)


def _from_closes(bars: TickerBars) -> Columns:
    from odyssey_assets.features import kernels

    year = np.sqrt(SESSIONS_PER_YEAR)
    short = kernels.rolling_std(bars.log_return, WINDOW) * year
    long = kernels.rolling_std(bars.log_return, LONG_WINDOW) * year
    return {
        "realized_vol_20": short,
        "realized_vol_60": long,
        "vol_of_vol_20": kernels.rolling_std(short, WINDOW),
        "downside_vol_20": _annualised(
            kernels.rolling_sum(np.minimum(bars.simple_return, 0.0) ** 2, WINDOW) / WINDOW
        ),
        "vol_ratio_20_60": ratio(short, long, above=kernels.NO_SPREAD * year) - 1.0,
    }


def _from_ranges(bars: TickerBars) -> Columns:
    from odyssey_assets.features import kernels

    log_open, log_close = np.log(bars.open), np.log(bars.close)
    log_high, log_low = np.log(bars.high), np.log(bars.low)
    square_range = (log_high - log_low) ** 2
    body = log_close - log_open
    garman_klass = 0.5 * square_range - (2.0 * np.log(2.0) - 1.0) * body**2
    rogers_satchell = (log_high - log_open) * (log_high - log_close) + (log_low - log_open) * (
        log_low - log_close
    )
    overnight = np.full(log_open.size, np.nan)
    overnight[1:] = log_open[1:] - log_close[:-1]
    yang_zhang = (
        kernels.rolling_std(overnight, WINDOW) ** 2
        + YANG_ZHANG_WEIGHT * kernels.rolling_std(body, WINDOW) ** 2
        + (1.0 - YANG_ZHANG_WEIGHT) * kernels.rolling_sum(rogers_satchell, WINDOW) / WINDOW
    )
    parkinson = kernels.rolling_sum(square_range, WINDOW) / (WINDOW * 4.0 * np.log(2.0))
    return {
        "parkinson_vol_20": _annualised(parkinson),
        "garman_klass_vol_20": _annualised(kernels.rolling_sum(garman_klass, WINDOW) / WINDOW),
        "yang_zhang_vol_20": _annualised(yang_zhang),
    }


def _annualised(daily_variance: FloatArray) -> FloatArray:
    # Rounding of a bar without range can leave a variance a hair below zero.
    return np.sqrt(SESSIONS_PER_YEAR * np.maximum(daily_variance, 0.0))
