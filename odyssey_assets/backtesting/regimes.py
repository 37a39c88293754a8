"""How strategies did in calm, normal and stressed markets.

A return belongs to the regime that was known when it began, at the close before: grouping by the
regime of the same close would sort returns by what they caused. How regimes are found belongs to
`features`.
"""

import numpy as np
import pandas as pd

from odyssey_assets.backtesting.tables import REGIMES
from odyssey_assets.backtesting.trading_intensity import annual_turnover
from odyssey_assets.core.drawdowns import max_drawdown
from odyssey_assets.core.returns import sharpe, volatility, win_rate
from odyssey_assets.core.sessions import SESSIONS_PER_YEAR
from odyssey_assets.core.sharpe_uncertainty import sharpe_standard_error

UNKNOWN = -1


def measure_regimes(daily: pd.DataFrame, features: pd.DataFrame, proxy: str) -> pd.DataFrame:
    """Return the rows of `backtesting.regimes`: one a strategy and regime that occurred.

    Args:
        daily: Rows of `backtesting.daily` from the beginning; without any there are no rows.
        features: Rows of `features.features`, at least `ticker`, `date` and `regime` of the proxy.
        proxy: Ticker whose regime counts.
    """
    if daily.empty:
        return REGIMES.empty()
    ordered = daily.sort_values("date")
    known = regimes_before(features, proxy, ordered["date"].to_numpy())
    sessions = ordered.groupby("strategy")["date"].transform("size")
    rows = [
        {"strategy": strategy, "regime": regime, **_measured(own)}
        for (strategy, regime), own in ordered.assign(
            regime=known, strategy_sessions=sessions
        ).groupby(["strategy", "regime"])
    ]
    return REGIMES.conform(pd.DataFrame(rows))


def regimes_before(features: pd.DataFrame, proxy: str, dates: np.ndarray) -> np.ndarray:
    """Return the regime at the proxy's last session before each date, int64; -1: not known.

    Args:
        features: Rows of `features.features`, at least `ticker`, `date` and `regime` of the proxy.
        proxy: Ticker whose regime counts.
        dates: `datetime64`, any order.
    """
    own = features[features["ticker"] == proxy].sort_values("date")
    states = np.append(np.nan, own["regime"].to_numpy(dtype=np.float64))
    state = states[np.searchsorted(own["date"].to_numpy().astype(dates.dtype), dates)]
    return np.where(np.isnan(state), UNKNOWN, state).astype(np.int64)


def _measured(own: pd.DataFrame) -> dict[str, object]:
    returns = own["return"].to_numpy(dtype=np.float64)
    return {
        "sessions": len(own),
        "share": len(own) / own["strategy_sessions"].iloc[0],
        "mean_annual_return": float(returns.mean()) * SESSIONS_PER_YEAR,
        "volatility": float(volatility(returns)),
        "sharpe": float(sharpe(returns)),
        "sharpe_standard_error": float(sharpe_standard_error(returns)),
        "max_drawdown": float(max_drawdown(returns)),
        "win_rate": float(win_rate(returns)),
        "turnover": annual_turnover(own["turnover"].to_numpy(dtype=np.float64)),
        "is_simulated": bool(own["is_simulated"].any()),
    }
