"""Made-up backtests: fills and equity as the books have them, and summaries of the history.

Performance and comparisons are made by the code that makes them in earnest, since SQL is tested
against it; resampled paths, stress and regimes are figures without meaning.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from odyssey_assets.backtesting.comparison import comparison_rows
from odyssey_assets.backtesting.performance import measure_performance
from odyssey_assets.backtesting.tables import (
    COMPARISONS,
    DAILY,
    MONTE_CARLO,
    PERFORMANCE,
    REGIMES,
    RESAMPLED,
    STRESS,
    TEAR_SHEETS,
    TRADES,
)
from odyssey_assets.contracts import TableContract
from odyssey_assets.core.windows import window_starts
from odyssey_assets_tests.dbt_like_sql.ledger import COMMISSION, SLIPPAGE, Ledger, Prices

QUANTILES = (0.05, 0.5, 0.95)


def backtest_tables(
    books: Mapping[str, Ledger], prices: Prices, bars: pd.DataFrame, seed_paths: pd.DataFrame
) -> dict[TableContract, pd.DataFrame]:
    """Return the rows of every table of `backtesting`."""
    daily = pd.concat([_daily(name, book, prices) for name, book in books.items()])
    trades = pd.concat([_trades(name, book, prices) for name, book in books.items()])
    performance = measure_performance(daily, seed_paths, bars, prices.tickers[0])
    return {
        DAILY: daily.reset_index(drop=True),
        TRADES: trades.reset_index(drop=True),
        PERFORMANCE: performance,
        COMPARISONS: comparison_rows(daily, performance),
        MONTE_CARLO: _monte_carlo(list(books)),
        STRESS: _stress(list(books)),
        REGIMES: _regimes(daily),
        TEAR_SHEETS: _tear_sheets(list(books)),
    }


def _daily(strategy: str, book: Ledger, prices: Prices) -> pd.DataFrame:
    rows, before = slice(book.first + 1, None), slice(book.first, -1)
    close = np.nan_to_num(prices.close)
    traded = np.abs(book.fills * close)[rows].sum(axis=1)
    rest = np.abs((book.waiting[before] - book.fills[rows]) * close[rows]).sum(axis=1)
    equity, base, cash = book.equity[rows], book.equity[before], book.cash[rows]
    highest = np.maximum.accumulate(book.equity)[rows]
    return pd.DataFrame(
        {
            "strategy": strategy,
            "date": prices.dates[rows],
            "window": window_starts(prices.dates[rows]),
            "equity": equity,
            "return": equity / base - 1,
            "gross_exposure": (book.units * close)[rows].sum(axis=1) / equity,
            "cash_weight": cash / equity,
            "turnover": traded / base,
            "price_gain": (book.units[before] * (close[rows] - close[before])).sum(axis=1),
            "interest": 0.0,
            "commission": traded * COMMISSION,
            "slippage": traded * SLIPPAGE,
            "impact": 0.0,
            "unfilled_value": rest,
            "limit_excess": 0.0,
            "drawdown": equity / highest - 1,
            "is_simulated": True,
        }
    )


def _trades(strategy: str, book: Ledger, prices: Prices) -> pd.DataFrame:
    session, ticker = at = np.nonzero(book.fills)
    held = book.units * np.nan_to_num(prices.close) / book.equity[:, None]
    price = (prices.close / prices.factor)[at]
    value = book.fills[at] * prices.close[at]
    commission, slippage = np.abs(value) * COMMISSION, np.abs(value) * SLIPPAGE
    return pd.DataFrame(
        {
            "strategy": strategy,
            "date": prices.dates[session],
            "ticker": np.array(prices.tickers)[ticker],
            "window": window_starts(prices.dates[session]),
            "decided_on": prices.dates[book.decider[session - 1]],
            "weight_before": held[session - 1, ticker],
            "weight_after": held[at],
            "price": price,
            "shares": value / price,
            "traded_value": value,
            "commission": commission,
            "slippage": slippage,
            "impact": 0.0,
            "costs": commission + slippage,
            "participation": np.abs(value) / 1e8,
            "unfilled_value": 0.0,
        }
    )


def _monte_carlo(strategies: Sequence[str]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "strategy": strategy,
            "quantity": quantity,
            "quantile": quantile,
            "value": quantile,
            "probability_of_loss": 0.1 * number,
            "paths": 1000,
            "path_sessions": 252,
            "block_sessions": 20.0,
            "sessions": 100,
            "is_simulated": True,
        }
        for number, strategy in enumerate(strategies)
        for quantity in RESAMPLED
        for quantile in QUANTILES
    )


def _stress(strategies: Sequence[str]) -> pd.DataFrame:
    blank = dict.fromkeys(STRESS.column_names)
    computed = {"status": "computed", "sessions": 20, "proxy_return": -0.3, "covered_weight": 1.0}
    scenarios = [
        {"scenario": "2008 Q4", "kind": "replay", "status": "no_data", "reason": "no prices",
         "sessions": 0},
        {"scenario": "2011 August", "kind": "replay", "method": "newest_weights",
         "portfolio_return": -0.2, **computed},
        {"scenario": "2022", "kind": "replay", "method": "own_path", "portfolio_return": -0.1,
         **computed},
        {"scenario": "market -40 %", "kind": "shock", "method": "shock",
         "portfolio_return": -0.32, **computed},
    ]  # fmt: skip
    return pd.DataFrame(
        {**blank, **scenario, "strategy": strategy, "is_simulated": True}
        for strategy in strategies
        for scenario in scenarios
    ).astype({"start_date": "datetime64[us]", "end_date": "datetime64[us]"})


def _regimes(daily: pd.DataFrame) -> pd.DataFrame:
    sessions = daily.groupby("strategy").size()
    return pd.DataFrame(
        {
            **dict.fromkeys(REGIMES.column_names),
            "strategy": strategy,
            "regime": regime,
            "sessions": count,
            "share": count / total,
            "is_simulated": True,
        }
        for strategy, total in sessions.items()
        for regime, count in ((0, total // 3), (1, total - total // 3))
    )


def _tear_sheets(strategies: Sequence[str]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "strategy": strategies,
            "path": [f"reports/{name}.html" for name in strategies],
            "title": "Made up",
            "content_sha256": "t",
            "size_bytes": 1000,
        }
    )
