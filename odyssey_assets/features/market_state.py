"""The market's state on every session: proxy, breadth, macro series and regime, aligned by date.

A value is carried on to sessions that have none, for at most `macro_fill_sessions`; the age of a
value is counted in sessions of the exchange. What the features make of it is in `library`.
"""

import numpy as np
import pandas as pd
import talib
from numpy.typing import NDArray

from odyssey_assets.features.library import price, returns, volatility
from odyssey_assets.features.panel import Panel
from odyssey_assets.features.regime import regime_states
from odyssey_assets.features.series import Columns, FloatArray, MarketState
from odyssey_assets.settings import Settings

BREADTH_WINDOW = 20
PROXY_FEATURES = ("close_to_sma_200", "realized_vol_20", "return_20d")


def build_market_state(panel: Panel, macro: pd.DataFrame, settings: Settings) -> MarketState:
    """Return the market's state on every session of the panel's calendar.

    Args:
        panel: Bars of all tickers of the universe.
        macro: Rows of `market_data.macro`; only series named in the settings are used.
        settings: Proxy, macro series and fill limit.
    """
    proxy = _proxy_columns(panel, settings)
    vix, tnx, dxy, gold = (
        _macro_values(panel, macro, name, settings) for name in ("VIX", "TNX", "DXY", "GOLD")
    )
    observations = np.column_stack([proxy["realized_vol_20"], proxy["return_20d"], vix])
    states = regime_states(observations, panel.calendar)
    return MarketState(
        proxy=settings.proxy,
        proxy_close=proxy["close"],
        proxy_trend=proxy["close_to_sma_200"],
        breadth=_breadth(panel),
        vix=vix,
        tnx=tnx,
        dxy=dxy,
        gold=gold,
        regime=states.state,
        regime_duration=states.duration,
        regime_strength=states.strength,
    )


def carried_on(
    positions: NDArray[np.int64], values: FloatArray, sessions: int, limit: int
) -> FloatArray:
    """Spread values over `sessions` sessions, each carried on for at most `limit` of them.

    Args:
        positions: The session at whose close each value is known, ascending; of several values
            for one session the last counts.
        values: One value a position.
        sessions: Number of sessions.
        limit: Sessions without a value that take the last one; further ones are null.
    """
    latest = np.searchsorted(positions, np.arange(sessions), side="right") - 1
    result = np.full(sessions, np.nan)
    has_value = np.flatnonzero(latest >= 0)
    is_fresh = has_value - positions[latest[has_value]] <= limit
    rows = has_value[is_fresh]
    result[rows] = values[latest[rows]]
    return result


def _macro_values(panel: Panel, macro: pd.DataFrame, series: str, settings: Settings) -> FloatArray:
    sessions = len(panel.calendar)
    if series not in settings.macro_series:
        return np.full(sessions, np.nan)
    rows = macro.loc[macro["series"] == series].sort_values("date", kind="stable")
    rows = rows.loc[rows["date"].between(panel.calendar[0], panel.calendar[-1])]
    dates = rows["date"].to_numpy(dtype="datetime64[us]")
    # A value of a day without a session is known at the close of the next one.
    positions = np.searchsorted(panel.calendar.to_numpy(dtype="datetime64[us]"), dates)
    values = rows["value"].to_numpy(dtype=np.float64)
    return carried_on(positions, values, sessions, settings.features.macro_fill_sessions)


def _proxy_columns(panel: Panel, settings: Settings) -> Columns:
    sessions = len(panel.calendar)
    if settings.proxy not in panel.spans:
        return {name: np.full(sessions, np.nan) for name in ("close", *PROXY_FEATURES)}
    bars, _ = panel.ticker_bars(settings.proxy, settings.features)
    features = price.compute(bars) | volatility.compute(bars) | returns.compute(bars)
    columns = {"close": bars.close, **{name: features[name] for name in PROXY_FEATURES}}
    limit = settings.features.macro_fill_sessions
    return {
        name: carried_on(bars.sessions, values, sessions, limit) for name, values in columns.items()
    }


def _breadth(panel: Panel) -> FloatArray:
    known, above = np.zeros(len(panel.calendar)), np.zeros(len(panel.calendar))
    for span in panel.spans.values():
        close = panel.columns["close"][span]
        average = talib.SMA(close, BREADTH_WINDOW)
        known[panel.positions[span]] += ~np.isnan(average)
        above[panel.positions[span]] += close > average
    breadth = np.full(known.size, np.nan)
    return np.divide(above, known, out=breadth, where=known > 0.0)
