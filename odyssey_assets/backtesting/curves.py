"""Lines and grids that pictures of backtests draw, computed from the stored days.

Growth since a date, rolling Sharpe ratio, months, turnover and costs over time, the band of seeds.
What they look like belongs to the charts and the tear sheet; figures over a period are stored in
`backtesting.performance` and are not computed here.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.lib.stride_tricks import sliding_window_view

from odyssey_assets.backtesting.trading_intensity import costs_paid, equity_before
from odyssey_assets.core.returns import compounded_growth, sharpe, total_return
from odyssey_assets.core.sessions import SESSIONS_PER_YEAR

ROLLING_SESSIONS = SESSIONS_PER_YEAR


def days_by_strategy(daily: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return the rows of `backtesting.daily` of each strategy, indexed by ascending date."""
    return {
        str(strategy): rows.sort_values("date").set_index("date")
        for strategy, rows in daily.groupby("strategy")
    }


def common_start(days: Mapping[str, pd.DataFrame]) -> pd.Timestamp:
    """Return the first session on which every strategy has a return."""
    return max(rows.index[0] for rows in days.values())


def growth_of_one(days: pd.DataFrame, start: pd.Timestamp) -> pd.Series:
    """Return what 1 USD held from the close before `start` on is worth at each close."""
    own = days["return"].loc[start:]
    return pd.Series(compounded_growth(own.to_numpy()), index=own.index)


def rolling_sharpe(days: pd.DataFrame) -> pd.Series:
    """Return the Sharpe ratio of the last 252 sessions at each close; empty before there are."""
    own = days["return"]
    if len(own) < ROLLING_SESSIONS:
        return pd.Series(dtype=np.float64, index=own.index[:0])
    windows = sliding_window_view(own.to_numpy(), ROLLING_SESSIONS)
    return pd.Series(sharpe(windows), index=own.index[ROLLING_SESSIONS - 1 :])


def monthly_returns(days: pd.DataFrame) -> pd.DataFrame:
    """Return compounded returns: one row a year, columns 1 to 12 and `year`; NaN where no session.

    The first and the last month and year may be incomplete.
    """
    own = days["return"]
    years, months = own.index.year, own.index.month
    grid = own.groupby([years, months]).agg(_compounded).unstack()  # noqa: PD010 (unique keys)
    grid = grid.reindex(columns=range(1, 13))
    grid["year"] = own.groupby(years).agg(_compounded)
    return grid.rename_axis(index="year", columns=None)


def yearly_turnover(days: pd.DataFrame) -> pd.Series:
    """Return the traded value / equity of the last 252 sessions, or of all so far where fewer."""
    return days["turnover"].rolling(ROLLING_SESSIONS, min_periods=1).sum()


def cumulative_cost(days: pd.DataFrame) -> pd.Series:
    """Return the sum so far of each session's costs / equity at the close before."""
    costs, before = costs_paid(days), equity_before(days)
    shares = np.divide(costs, before, out=np.zeros(len(costs)), where=before > 0)
    return pd.Series(np.cumsum(shares), index=days.index)


def seed_growth(seed_paths: pd.DataFrame, strategy: str, start: pd.Timestamp) -> pd.DataFrame:
    """Return the growth of 1 USD since `start` of each seed, sessions by seeds."""
    own = seed_paths[(seed_paths["policy"] == strategy) & (seed_paths["date"] >= start)]
    by_seed = own.pivot_table(index="date", columns="seed", values="return")
    return by_seed.apply(lambda column: pd.Series(compounded_growth(column), by_seed.index))


def seed_band(
    seed_paths: pd.DataFrame, strategy: str, start: pd.Timestamp
) -> tuple[pd.Series, pd.Series] | None:
    """Return the lowest and highest growth over seeds; None where fewer than two were trained."""
    growth = seed_growth(seed_paths, strategy, start)
    if len(growth) == 0 or growth.shape[1] < 2:
        return None
    return growth.min(axis=1), growth.max(axis=1)


def _compounded(change: pd.Series) -> float:
    return float(total_return(change.to_numpy()))
