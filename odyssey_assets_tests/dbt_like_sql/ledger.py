"""Bookkeeping of made-up portfolios on made-up bars: what was wanted, held, traded and earned.

Written apart from the execution simulator and simpler: prices open where they close, orders fill
at the next bar that trades. Rows of tables belong to `portfolios` and `backtests`.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

CAPITAL_USD = 1_000_000.0
COMMISSION, SLIPPAGE = 0.001, 0.0005
DUST_USD = 1e-6


@dataclass(frozen=True, eq=False)
class Prices:
    """Adjusted closes carried forward, adjustment factors, and which bars traded.

    All but the first two have the shape (sessions, tickers); prices are NaN before the listing.
    """

    dates: pd.DatetimeIndex
    tickers: tuple[str, ...]
    close: np.ndarray
    factor: np.ndarray
    has_bar: np.ndarray


@dataclass(frozen=True, eq=False)
class Ledger:
    """One strategy's books at each close; zeros before row `first`, where it holds cash only.

    `targets`, `units`, `fills`, `waiting` have the shape (sessions, tickers), in units of adjusted
    price but for the targets, which are weights; the others have the shape (sessions,). `decider`
    is the row of the decision in force.
    """

    first: int
    targets: np.ndarray
    is_decision: np.ndarray
    decider: np.ndarray
    units: np.ndarray
    fills: np.ndarray
    waiting: np.ndarray
    cash: np.ndarray
    equity: np.ndarray


def prices_of(bars: pd.DataFrame, tickers: tuple[str, ...]) -> Prices:
    rows = bars.assign(
        adjusted=bars["close"] * bars["total_return_factor"],
        is_real=~bars["is_filled"] & (bars["volume"] > 0),
    )

    def wide(name: str) -> pd.DataFrame:
        matrix = rows.set_index(["date", "ticker"])[name].unstack("ticker")  # noqa: PD010 (unique)
        return matrix.reindex(columns=list(tickers))

    close = wide("adjusted").ffill()
    return Prices(
        pd.DatetimeIndex(close.index),
        tickers,
        close.to_numpy(),
        wide("total_return_factor").ffill().to_numpy(),
        wide("is_real").eq(True).to_numpy(),
    )


def keep_books(prices: Prices, wanted: np.ndarray, is_decision: np.ndarray) -> Ledger:
    """Trade towards `wanted` after each decision, from cash at the first one.

    Args:
        prices: What is traded.
        wanted: Weights, shape (sessions, tickers); read at decisions, where a bar trades.
        is_decision: Shape (sessions,), true at least once.
    """
    sessions, count = prices.close.shape
    first = int(is_decision.argmax())
    close = np.nan_to_num(prices.close)
    targets, units, fills, waiting = np.zeros((4, sessions, count))
    cash, equity = np.full(sessions, CAPITAL_USD), np.full(sessions, CAPITAL_USD)
    for t in range(first, sessions):
        if t > first:
            orders = waiting[t - 1]
            fills[t] = np.where(prices.has_bar[t], orders, 0.0)
            value = fills[t] * close[t]
            units[t] = units[t - 1] + fills[t]
            waiting[t] = orders - fills[t]
            cash[t] = cash[t - 1] - value.sum() - np.abs(value).sum() * (COMMISSION + SLIPPAGE)
            equity[t] = cash[t] + units[t] @ close[t]
            targets[t] = targets[t - 1]
        if is_decision[t]:
            held = units[t] * close[t] / equity[t]
            targets[t] = np.where(prices.has_bar[t], wanted[t], held)
            change = (targets[t] - held) * equity[t]
            is_order = prices.has_bar[t] & (np.abs(change) > DUST_USD)
            waiting[t] = np.divide(change, close[t], out=np.zeros(count), where=is_order)
    decider = np.maximum.accumulate(np.where(is_decision, np.arange(sessions), -1))
    return Ledger(first, targets, is_decision, decider, units, fills, waiting, cash, equity)
