"""Whether daily equity is what the recorded fills make of it: a second, independent bookkeeping.

Positions and cash are rebuilt from `trades` and prices without the simulator, and compared with
what it reported. Each function returns the rows that disagree (see `backtesting.findings`); none
is good. Limits belong to `backtesting.feasibility`, fills to `backtesting.fill_rules`.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from odyssey_assets.backtesting.findings import findings, together
from odyssey_assets.backtesting.trading_intensity import costs_paid, gains_before_costs
from odyssey_assets.core.price_panel import PricePanel

TOLERANCE = 1e-9
"""Relative for money, absolute for weights and returns."""


@dataclass(frozen=True, eq=False)
class Books:
    """Positions and cash as the fills leave them, on the sessions of a price panel.

    Attributes:
        strategies: Names, ascending.
        held: Value of each position at the close, USD, shape (strategies, sessions, tickers).
        cash: USD at the close, shape (strategies, sessions).
        start: Row of the close at which each strategy still holds nothing but its capital.
        end: Row of its newest equity.
    """

    strategies: tuple[str, ...]
    held: np.ndarray
    cash: np.ndarray
    start: np.ndarray
    end: np.ndarray

    @property
    def equity(self) -> np.ndarray:
        """Value at the close, USD, shape (strategies, sessions)."""
        return self.cash + self.held.sum(axis=2)


def rebuild_books(
    daily: pd.DataFrame, trades: pd.DataFrame, panel: PricePanel, capital_usd: float
) -> Books:
    """Rebuild what each strategy owned from its fills.

    Shares change by fills, splits and reinvested dividends: shares / adjustment factor only by
    fills. Cash pays shares x price and costs, and earns the cash return; with G the growth of
    money at that return, cash / G changes only by payments.

    Args:
        daily: Rows of `backtesting.daily` from the beginning: which strategies and sessions.
        trades: Rows of `backtesting.trades` from the beginning.
        panel: Prices of every session and ticker of both.
        capital_usd: Each strategy starts with.
    """
    strategies = pd.Index(sorted(daily["strategy"].unique()))
    spans = daily.groupby("strategy")["date"].agg(["min", "max"]).reindex(strategies)
    start = np.searchsorted(panel.dates, spans["min"].to_numpy().astype("datetime64[D]")) - 1
    end = np.searchsorted(panel.dates, spans["max"].to_numpy().astype("datetime64[D]"))
    strategy = strategies.get_indexer(trades["strategy"])
    session, ticker = (
        _session_of(trades, panel),
        pd.Index(panel.tickers).get_indexer(trades["ticker"]),
    )
    shares = trades["shares"].to_numpy(dtype=np.float64)
    units = np.zeros((len(strategies), len(panel), len(panel.tickers)))
    np.add.at(units, (strategy, session, ticker), shares / panel.factor[session, ticker])
    paid = np.zeros(units.shape[:2])
    payment = shares * trades["price"].to_numpy(dtype=np.float64) + costs_paid(trades)
    np.add.at(paid, (strategy, session), payment)
    units = np.cumsum(units, axis=1)
    growth = np.cumprod(1 + panel.cash_return)
    cash = growth * ((capital_usd / growth[start])[:, None] - np.cumsum(paid / growth, axis=1))
    return Books(
        strategies=tuple(strategies),
        held=np.where(units != 0, units * panel.close, 0.0),
        cash=cash,
        start=start,
        end=end,
    )


def unreconciled_equity(daily: pd.DataFrame, books: Books, panel: PricePanel) -> pd.DataFrame:
    """Return the rows whose equity or cash is not what the fills leave.

    Args:
        daily: Rows of `backtesting.daily`.
        books: Rebuilt from the fills of the same rows.
        panel: Prices of the books.
    """
    at = (pd.Index(books.strategies).get_indexer(daily["strategy"]), _session_of(daily, panel))
    equity, cash = books.equity[at], books.cash[at]
    found, share = daily["equity"].to_numpy(), daily["cash_weight"].to_numpy()
    return together(
        findings(
            "equity follows from the fills",
            daily,
            ~(np.abs(found - equity) <= TOLERANCE * np.abs(equity)),
            found,
            equity,
        ),
        findings(
            "cash follows from the fills",
            daily,
            ~(np.abs(share * equity - cash) <= TOLERANCE * np.abs(equity)),
            share * equity,
            cash,
        ),
    )


def unreconciled_weights(weights: pd.DataFrame, books: Books, panel: PricePanel) -> pd.DataFrame:
    """Return the rows of `portfolio.weights` whose held weight is not what the fills leave.

    Args:
        weights: Rows of `portfolio.weights`; those after a strategy's newest equity are left out.
        books: Rebuilt from the fills.
        panel: Prices of the books.
    """
    strategy = pd.Index(books.strategies).get_indexer(weights["policy"])
    session = _session_of(weights, panel)
    is_covered = (strategy >= 0) & (session <= np.append(books.end, -1)[strategy])
    own, strategy, session = weights[is_covered], strategy[is_covered], session[is_covered]
    ticker = pd.Index(panel.tickers).get_indexer(own["ticker"])
    expected = books.held[strategy, session, ticker] / books.equity[strategy, session]
    found = own["held_weight"].to_numpy()
    is_wrong = ~(np.abs(found - expected) <= TOLERANCE)
    return findings("held weights follow from the fills", own, is_wrong, found, expected)


def unbalanced_rows(daily: pd.DataFrame, capital_usd: float) -> pd.DataFrame:
    """Return the rows in which money comes from nowhere, or the return is not that of equity.

    Args:
        daily: Rows of `backtesting.daily` from the beginning.
        capital_usd: Each strategy starts with.
    """
    ordered = daily.sort_values(["strategy", "date"])
    equity = ordered["equity"].to_numpy()
    before = ordered.groupby("strategy")["equity"].shift(1).fillna(capital_usd).to_numpy()
    change, explained = equity - before, gains_before_costs(ordered) - costs_paid(ordered)
    expected = np.divide(equity, before, out=np.full(len(equity), np.nan), where=before > 0) - 1
    found = ordered["return"].to_numpy()
    return together(
        findings(
            "equity changes by price gain + interest - costs",
            ordered,
            ~(np.abs(change - explained) <= TOLERANCE * np.abs(before)),
            change,
            explained,
        ),
        findings(
            "return is equity / equity before - 1",
            ordered,
            ~(np.abs(found - expected) <= TOLERANCE),
            found,
            expected,
        ),
    )


def unreconciled_seed_paths(daily: pd.DataFrame, seed_paths: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of main seeds whose equity is not that of their strategy.

    The seed columns of `backtesting.performance` are only comparable where it is.

    Args:
        daily: Rows of `backtesting.daily`.
        seed_paths: Rows of `portfolio.seed_paths`; sessions that `daily` lacks are left out.
    """
    main = seed_paths[seed_paths["is_main_seed"]].rename(columns={"policy": "strategy"})
    known = daily[["strategy", "date", "equity"]].rename(columns={"equity": "expected"})
    rows = main.merge(known, on=["strategy", "date"], how="inner", validate="one_to_one")
    found, expected = rows["equity"].to_numpy(), rows["expected"].to_numpy()
    is_wrong = ~(np.abs(found - expected) <= TOLERANCE * np.abs(expected))
    return findings("the main seed is the strategy", rows, is_wrong, found, expected)


def _session_of(rows: pd.DataFrame, panel: PricePanel) -> np.ndarray:
    return np.searchsorted(panel.dates, rows["date"].to_numpy().astype("datetime64[D]"))
