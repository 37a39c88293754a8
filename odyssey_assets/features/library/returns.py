"""Return features: what a holder earned, over which spread, and how far below the high.

Each feature is declared in `SPECS` and computed in `compute`; a new one is a line in both. Returns
are total returns: adjusted prices include dividends.
"""

import numpy as np
import talib

from odyssey_assets.core.sessions import SESSIONS_PER_YEAR
from odyssey_assets.features.series import Columns, TickerBars, change_over, ratio
from odyssey_assets.features.spec import FeatureSpec

RETURN_WINDOWS = (1, 5, 10, 20, 60, 252)
WINDOWS = (20, 60)
DRAWDOWN_WINDOW = 252

SPECS: tuple[FeatureSpec, ...] = (
    *(
        FeatureSpec(
            f"return_{n}d",
            "returns",
            ("close",),
            n + 1,
            f"close / close {n} sessions ago - 1",
            "simple total return",
            minimum=-1.0,
        )
        for n in RETURN_WINDOWS
    ),
    FeatureSpec(
        "overnight_return_1d",
        "returns",
        ("open", "close"),
        2,
        "open / previous close - 1",
        "simple total return",
        minimum=-1.0,
    ),
    *(
        FeatureSpec(
            f"return_std_{n}",
            "returns",
            ("close",),
            n + 1,
            f"std(ret, {n}, ddof 1), per day",
            "sample standard deviation",
            minimum=0.0,
        )
        for n in WINDOWS
    ),
    *(
        FeatureSpec(
            f"sharpe_{n}",
            "returns",
            ("close",),
            n + 1,
            f"mean(ret, {n}) / std(ret, {n}, ddof 1) x sqrt(252); null where the std is 0",
            "Sharpe (1994), without a risk-free rate",
        )
        for n in WINDOWS
    ),
    *(
        FeatureSpec(
            f"cumulative_return_{n}",
            "returns",
            ("close",),
            n + 1,
            f"exp(sum(logret, {n})) - 1, log returns clipped by `features.clip_thresholds`",
            "winsorised total return",
            minimum=-1.0,
        )
        for n in WINDOWS
    ),
    FeatureSpec(
        "demeaned_return_60",
        "returns",
        ("close",),
        61,
        "ret - mean(ret, 60)",
        "deviation from the moving average",
    ),
    FeatureSpec(
        "drawdown_252",
        "returns",
        ("close",),
        252,
        "close / highest close of 252 sessions - 1",
        "TA-Lib MAX",
        minimum=-1.0,
        maximum=0.0,
    ),
)


def compute(bars: TickerBars) -> Columns:
    """Return the return features of one ticker, each row known at its close."""
    columns: Columns = {f"return_{n}d": change_over(bars.close, n) for n in RETURN_WINDOWS}
    overnight = np.full(bars.close.size, np.nan)
    overnight[1:] = bars.open[1:] / bars.close[:-1] - 1.0
    columns["overnight_return_1d"] = overnight
    columns["drawdown_252"] = bars.close / talib.MAX(bars.close, DRAWDOWN_WINDOW) - 1.0
    return columns | _over_windows(bars)


def _over_windows(bars: TickerBars) -> Columns:
    from odyssey_assets.features import kernels

    columns: Columns = {}
    for n in WINDOWS:
        mean = kernels.rolling_sum(bars.simple_return, n) / n
        std = kernels.rolling_std(bars.simple_return, n)
        columns[f"return_std_{n}"] = std
        columns[f"sharpe_{n}"] = ratio(mean, std, above=kernels.NO_SPREAD) * np.sqrt(
            SESSIONS_PER_YEAR
        )
        columns[f"cumulative_return_{n}"] = np.expm1(
            kernels.rolling_sum(bars.clipped_log_return, n)
        )
        if n == 60:
            columns["demeaned_return_60"] = bars.simple_return - mean
    return columns
