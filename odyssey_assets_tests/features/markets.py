"""Small made-up markets for tests: random walks with every awkward thing a real one has.

A split, dividends, a late listing, a gap that was not filled, filled sessions without volume,
macro series that miss sessions and trade on other days. Statistical realism is the business of
the simulated source; here only shape and determinism matter.
"""

from datetime import date

import numpy as np
import pandas as pd

from odyssey_assets.core.sessions import sessions_between
from odyssey_assets.market_data.tables import BARS, MACRO
from odyssey_assets.settings import Settings, build_settings
from odyssey_assets_tests.no_lookahead.harness import Market

START, END = date(2010, 7, 1), date(2013, 1, 10)
SPLIT_DATE, DIVIDEND_DATE = date(2013, 1, 3), date(2013, 1, 4)
PROXY, PLAIN, LATE, GAPPY = "SPY", "AAA", "LATE", "GAPPY"
LATE_LISTING_SESSION = 300
GAP_SESSIONS = slice(200, 220)
FILLED_SESSIONS = slice(240, 243)
MACRO_LEVELS = {"VIX": 20.0, "TNX": 3.0, "DXY": 95.0, "GOLD": 1500.0}


def market_settings(**overrides: object) -> Settings:
    """Return settings that know the tickers of `small_market`."""
    return build_settings(**{"tickers": (PROXY, PLAIN, LATE, GAPPY), "proxy": PROXY, **overrides})


def small_market(start: date = START, end: date = END, seed: int = 7) -> Market:
    """Return the market of four tickers and four macro series; the same seed, the same bits."""
    sessions = sessions_between(start, end)
    generator = np.random.default_rng(seed)
    plain = ticker_bars(PLAIN, sessions, generator)
    gappy = ticker_bars(GAPPY, sessions, generator)
    gappy = gappy.drop(index=gappy.index[GAP_SESSIONS]).reset_index(drop=True)
    frames = (
        plain,
        _with_filled_sessions(gappy),
        ticker_bars(LATE, sessions[LATE_LISTING_SESSION:], generator),
        ticker_bars(PROXY, sessions, generator),
    )
    return Market(
        bars=BARS.conform(pd.concat(frames, ignore_index=True)),
        macro=_macro(sessions, generator),
    )


def ticker_bars(
    ticker: str, sessions: pd.DatetimeIndex, generator: np.random.Generator
) -> pd.DataFrame:
    """Return bars of one ticker: a random walk, one split and two dividends."""
    count = len(sessions)
    split_ratio, dividend_yield = np.ones(count), np.zeros(count)
    split_ratio[sessions == pd.Timestamp(SPLIT_DATE)] = 2.0
    dividend_yield[(sessions == pd.Timestamp(DIVIDEND_DATE)) | (np.arange(count) == 60)] = 0.01
    factor = np.cumprod(split_ratio / (1.0 - dividend_yield))
    close = 50.0 * np.exp(np.cumsum(generator.standard_t(4, count) * 0.012)) / factor
    open_ = close * np.exp(generator.normal(0.0, 0.006, count))
    spread = np.exp(np.abs(generator.normal(0.0, 0.006, (2, count))))
    before = np.append(close[0], close[:-1]) / split_ratio
    return pd.DataFrame(
        {
            "ticker": ticker,
            "date": sessions,
            "open": open_,
            "high": np.maximum(open_, close) * spread[0],
            "low": np.minimum(open_, close) / spread[1],
            "close": close,
            "volume": generator.lognormal(14.0, 0.5, count).round(),
            "dividend": dividend_yield * before,
            "split_ratio": split_ratio,
            "split_factor": np.cumprod(split_ratio),
            "total_return_factor": factor,
            "source": "test",
            "is_as_traded": True,
            "is_filled": False,
            "is_anomalous": False,
            "is_simulated": True,
        }
    )


def _with_filled_sessions(bars: pd.DataFrame) -> pd.DataFrame:
    filled = bars.index[FILLED_SESSIONS]
    last_close = bars.loc[filled[0] - 1, "close"]
    bars.loc[filled, ["open", "high", "low", "close"]] = last_close
    bars.loc[filled, "volume"] = 0.0
    bars.loc[filled, "is_filled"] = True
    return bars


def _macro(sessions: pd.DatetimeIndex, generator: np.random.Generator) -> pd.DataFrame:
    saturdays = pd.date_range(sessions[0], sessions[-1], freq="W-SAT").astype("datetime64[us]")
    frames = []
    for series, level in MACRO_LEVELS.items():
        days = sessions.union(saturdays[::4]) if series == "GOLD" else sessions
        missing = [400, 401] if series == "TNX" else [150]
        walk = level * np.exp(np.cumsum(generator.normal(0.0, 0.02, len(days))))
        frame = pd.DataFrame({"series": series, "date": days, "value": walk, "is_simulated": True})
        frames.append(frame.drop(index=missing, errors="ignore"))
    return MACRO.conform(pd.concat(frames, ignore_index=True))
