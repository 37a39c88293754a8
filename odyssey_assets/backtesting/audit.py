"""The whole reconciliation of stored backtests, as a check runs it.

Each rule lies in `backtesting.reconciliation`; here they are put together for stored rows.
"""

import pandas as pd

from odyssey_assets.backtesting.findings import together
from odyssey_assets.backtesting.reconciliation import (
    rebuild_books,
    unbalanced_rows,
    unreconciled_equity,
    unreconciled_seed_paths,
    unreconciled_weights,
)
from odyssey_assets.core.cash_rate import cash_rate_of
from odyssey_assets.core.price_panel import build_price_panel
from odyssey_assets.settings import Settings


def unreconciled(
    daily: pd.DataFrame,
    trades: pd.DataFrame,
    weights: pd.DataFrame,
    seed_paths: pd.DataFrame,
    bars: pd.DataFrame,
    macro: pd.DataFrame,
    settings: Settings,
) -> pd.DataFrame:
    """Return every row of daily equity and held weights that the recorded fills do not explain.

    Args:
        daily: Rows of `backtesting.daily` from the beginning.
        trades: Rows of `backtesting.trades` from the beginning.
        weights: Rows of `portfolio.weights` from the beginning.
        seed_paths: Rows of `portfolio.seed_paths` from the beginning.
        bars: Rows of `market_data.bars` from the beginning; without any, equity is compared with
            what its own row says only.
        macro: Rows of `market_data.macro` from the beginning.
        settings: Tickers, capital and the series of the cash rate.

    Returns:
        See `backtesting.findings`.
    """
    capital = settings.portfolio.capital_usd
    of_rows = (unreconciled_seed_paths(daily, seed_paths), unbalanced_rows(daily, capital))
    if bars.empty:
        return together(*of_rows)
    cash_rate = cash_rate_of(macro, settings.portfolio.cash_rate_series)
    panel = build_price_panel(bars, settings.tickers, cash_rate)
    books = rebuild_books(daily, trades, panel, capital)
    return together(
        unreconciled_equity(daily, books, panel),
        unreconciled_weights(weights, books, panel),
        *of_rows,
    )
