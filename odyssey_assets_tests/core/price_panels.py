"""Made-up price panels for tests of whatever trades: every awkward thing a market does, no files.

Prices here are random walks without any realism; panels built from bars belong to
`test_price_panel`.
"""

from dataclasses import replace

import numpy as np

from odyssey_assets.core.price_panel import PricePanel

START = np.datetime64("2020-01-01")


def flat_panel(sessions: int, tickers: int, price: float = 100.0) -> PricePanel:
    """Return tickers that trade every session at one price, with ample volume."""
    shape = (sessions, tickers)
    return PricePanel(
        dates=START + np.arange(sessions),
        tickers=tuple(f"T{number}" for number in range(tickers)),
        open=np.full(shape, price),
        close=np.full(shape, price),
        factor=np.ones(shape),
        has_bar=np.ones(shape, dtype=bool),
        dollar_volume=np.full(shape, 1e9),
        volatility=np.full(shape, 0.02),
        cash_return=np.zeros(sessions),
    )


def with_prices(
    panel: PricePanel, close: np.ndarray, open_: np.ndarray | None = None
) -> PricePanel:
    """Return the panel with other prices; without opens a session opens where the last closed."""
    opens = np.vstack([close[:1], close[:-1]]) if open_ is None else open_
    return replace(panel, close=close, open=opens)


def without_bars(panel: PricePanel, sessions: slice, ticker: int) -> PricePanel:
    """Return the panel with a halt: prices stand still and nothing trades."""
    close, opens, has_bar = panel.close.copy(), panel.open.copy(), panel.has_bar.copy()
    has_bar[sessions, ticker] = False
    for row in range(*sessions.indices(len(panel))):
        close[row, ticker] = opens[row, ticker] = close[row - 1, ticker]
    return replace(panel, close=close, open=opens, has_bar=has_bar)


def random_panel(seed: int, sessions: int = 40, tickers: int = 5) -> PricePanel:
    """Return a wild market: halts, late listings, thin and unknown volume, crashes, any interest.

    Ticker 0 never moves and the last falls by 90 % once.
    """
    generator = np.random.default_rng(seed)
    shape = (sessions, tickers)
    moves = generator.normal(0.0, 0.03, shape)
    moves[:, 0] = 0.0
    moves[sessions // 2, -1] = np.log(0.1)
    close = generator.uniform(5.0, 500.0, tickers) * np.exp(np.cumsum(moves, axis=0))
    gaps = np.where(np.arange(tickers) == 0, 0.0, generator.normal(0.0, 0.02, shape))
    before = np.vstack([close[:1], close[:-1]])
    has_bar = generator.random(shape) > 0.1
    opens = np.where(has_bar, before * np.exp(gaps), before)
    for row in range(1, sessions):
        close[row] = np.where(has_bar[row], close[row], close[row - 1])
        opens[row] = np.where(has_bar[row], opens[row], close[row - 1])
    first = np.where(generator.random(tickers) < 0.3, generator.integers(1, sessions, tickers), 0)
    is_listed = np.arange(sessions)[:, None] >= first
    volume = generator.lognormal(10.0, 2.0, shape)
    volume[generator.random(shape) < 0.05] = 0.0
    volume[generator.random(shape) < 0.05] = np.nan
    volatility = generator.uniform(0.005, 0.05, shape)
    volatility[:3] = np.nan
    return PricePanel(
        dates=START + np.arange(sessions),
        tickers=tuple(f"T{number}" for number in range(tickers)),
        open=np.where(is_listed, opens, np.nan),
        close=np.where(is_listed, close, np.nan),
        factor=np.where(is_listed, 1.0, np.nan),
        has_bar=has_bar & is_listed,
        dollar_volume=np.where(is_listed, volume, np.nan),
        volatility=np.where(is_listed, volatility, np.nan),
        cash_return=generator.normal(1e-4, 2e-4, sessions),
    )


def random_targets(seed: int, portfolios: int, panel: PricePanel) -> np.ndarray:
    """Return weights that break every limit, often zero, NaN where a ticker has no bar."""
    generator = np.random.default_rng(seed)
    shape = (portfolios, *panel.close.shape)
    wanted = generator.normal(0.15, 0.25, shape)
    wanted[generator.random(shape) < 0.2] = 0.0
    return np.where(panel.has_bar, wanted, np.nan)
