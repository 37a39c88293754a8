"""Made-up markets as arrays: random walks with late listings, halts and forecasts of any skill.

For tests of everything that steps through a `PortfolioMarket`: rules, rollout, environment,
training, backtests. The same arguments give the same bits. Markets made of rows, with splits and
dividends, are in `features.markets`.
"""

from collections.abc import Mapping
from datetime import date

import numpy as np
import pandas as pd

from odyssey_assets.core.price_panel import VOLATILITY_SESSIONS, VOLUME_SESSIONS, PricePanel
from odyssey_assets.portfolio.market import PortfolioMarket

START = date(2015, 1, 1)
START_PRICE = 100.0
DAILY_SHARES = 1e6


def random_market(
    sessions: int = 300,
    tickers: int = 4,
    seed: int = 0,
    *,
    skill: float = 0.5,
    first_forecast: int = 0,
    horizon: int = 5,
    volatility: float = 0.01,
    drift: float = 0.0,
    halt_share: float = 0.0,
    listed_from: Mapping[int, int] | None = None,
) -> PortfolioMarket:
    """Return a random market with forecasts.

    Args:
        sessions: Rows.
        tickers: Columns, named T00, T01, ...
        seed: Of all that is random.
        skill: Correlation of the forecasts with what comes; 0: noise, 1: the truth.
        first_forecast: First row with forecasts; at or beyond `sessions`: none at all.
        horizon: Sessions ahead that are forecast.
        volatility: Standard deviation of daily log returns.
        drift: Mean of daily log returns.
        halt_share: Share of listed sessions without a bar; a ticker's first session has one.
        listed_from: First row of a ticker by its column; the others are listed from row 0 on.
    """
    generator = np.random.default_rng(seed)
    steps = generator.normal(drift, volatility, (sessions + horizon, tickers))
    truth = START_PRICE * np.exp(np.cumsum(steps, axis=0))
    outcome = truth[horizon:] / truth[:-horizon] - 1
    noise = generator.normal(0.0, volatility * np.sqrt(horizon), outcome.shape)
    panel = panel_of(
        truth[:sessions],
        gaps=generator.normal(0.0, volatility / 2, (sessions, tickers)),
        has_bar=_bars(generator.random((sessions, tickers)) >= halt_share, listed_from or {}),
    )
    forecasts = skill * outcome + np.sqrt(1 - skill**2) * noise
    forecasts[:first_forecast] = np.nan
    forecasts[~panel.has_bar] = np.nan
    widths = np.where(np.isnan(forecasts), np.nan, 2 * volatility * np.sqrt(horizon))
    return PortfolioMarket(panel, forecasts, widths, horizon)


def market_of_closes(
    close: np.ndarray,
    forecasts: np.ndarray | float = np.nan,
    *,
    has_bar: np.ndarray | None = None,
    horizon: int = 5,
) -> PortfolioMarket:
    """Return a market with these closing prices, shape (sessions, tickers), and forecasts.

    Sessions open at the close before.
    """
    panel = panel_of(close, has_bar=has_bar)
    known = np.broadcast_to(np.asarray(forecasts, dtype=np.float64), close.shape).copy()
    return PortfolioMarket(panel, known, np.abs(known), horizon)


def panel_of(
    close: np.ndarray,
    *,
    gaps: np.ndarray | float = 0.0,
    has_bar: np.ndarray | None = None,
    cash_return: float = 0.0,
) -> PricePanel:
    """Return the panel of these closing prices as a real one is built.

    Args:
        close: Adjusted closing prices, shape (sessions, tickers); not read where there is no bar.
        gaps: Log return from the close before to the open.
        has_bar: Where a bar is; everywhere if not given. A ticker is listed from its first on.
        cash_return: Interest a session.
    """
    sessions, tickers = close.shape
    if has_bar is None:
        has_bar = np.ones(close.shape, dtype=np.bool_)
    closes = pd.DataFrame(np.where(has_bar, close, np.nan)).ffill()
    before = closes.shift(1)
    opens = (before * np.exp(gaps)).where(has_bar, before).fillna(closes)
    dollars = closes.where(has_bar, 0.0).where(closes.notna()) * DAILY_SHARES
    days = np.busday_offset(np.datetime64(START), np.arange(sessions), roll="forward")
    return PricePanel(
        dates=days.astype("datetime64[D]"),
        tickers=tuple(f"T{column:02d}" for column in range(tickers)),
        open=np.ascontiguousarray(opens),
        close=np.ascontiguousarray(closes),
        factor=np.ascontiguousarray(closes.where(closes.isna(), 1.0)),
        has_bar=has_bar,
        dollar_volume=np.ascontiguousarray(dollars.rolling(VOLUME_SESSIONS, min_periods=1).mean()),
        volatility=np.ascontiguousarray((closes / before - 1).rolling(VOLATILITY_SESSIONS).std()),
        cash_return=np.full(sessions, cash_return),
    )


def _bars(has_bar: np.ndarray, listed_from: Mapping[int, int]) -> np.ndarray:
    """Return where bars are: none before a ticker's first row, always one at it."""
    has_bar = has_bar.copy()
    for column in range(has_bar.shape[1]):
        first = listed_from.get(column, 0)
        has_bar[:first, column] = False
        has_bar[first : first + 1, column] = True
    return has_bar
