"""What strategies earned after costs: every figure of every period, from daily rows.

Figures of returns come from `core`, those of trading from `backtesting.trading_intensity`; here
they meet periods and become rows. Whether one strategy beats another belongs to
`backtesting.comparison`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from odyssey_assets.backtesting.periods import Period, common_span, periods_of
from odyssey_assets.backtesting.proxy import proxy_returns
from odyssey_assets.backtesting.seed_spread import SeedPaths, seed_paths_of
from odyssey_assets.backtesting.tables import PERFORMANCE
from odyssey_assets.backtesting.trading_intensity import (
    annual_cost,
    annual_turnover,
    cost_share,
    costs_paid,
    equity_before,
    gains_before_costs,
)
from odyssey_assets.core.drawdowns import calmar, max_drawdown, max_drawdown_sessions
from odyssey_assets.core.returns import (
    beta,
    cagr,
    correlation,
    expected_shortfall,
    profit_factor,
    sharpe,
    sortino,
    total_return,
    value_at_risk,
    volatility,
    win_rate,
)
from odyssey_assets.core.sharpe_uncertainty import probabilistic_sharpe, sharpe_standard_error

_OF_RETURNS = {
    "total_return": total_return,
    "cagr": cagr,
    "volatility": volatility,
    "sharpe": sharpe,
    "sharpe_standard_error": sharpe_standard_error,
    "probabilistic_sharpe": probabilistic_sharpe,
    "sortino": sortino,
    "calmar": calmar,
    "max_drawdown": max_drawdown,
    "max_drawdown_sessions": max_drawdown_sessions,
    "win_rate": win_rate,
    "profit_factor": profit_factor,
    "value_at_risk_95": value_at_risk,
    "expected_shortfall_95": expected_shortfall,
}
_AGAINST_THE_PROXY = {"beta": beta, "correlation": correlation}


@dataclass(frozen=True, eq=False)
class _Path:
    """One strategy's sessions as arrays, ascending."""

    strategy: str
    dates: np.ndarray
    returns: np.ndarray
    turnover: np.ndarray
    costs: np.ndarray
    gains: np.ndarray
    before: np.ndarray
    proxy: np.ndarray
    is_simulated: np.ndarray
    seeds: SeedPaths


def measure_performance(
    daily: pd.DataFrame, seed_paths: pd.DataFrame, bars: pd.DataFrame, proxy: str
) -> pd.DataFrame:
    """Return the rows of `backtesting.performance`.

    Args:
        daily: Rows of `backtesting.daily` from the beginning; without any there are no rows.
        seed_paths: Rows of `portfolio.seed_paths` from the beginning.
        bars: Rows of `market_data.bars`, at least those of the proxy.
        proxy: Ticker that stands for the market.
    """
    if daily.empty:
        return PERFORMANCE.empty()
    common = common_span(daily)
    market = _proxy_by_date(bars, proxy, daily)
    paths = [
        _path_of(str(strategy), own, seed_paths, market)
        for strategy, own in daily.sort_values("date").groupby("strategy")
    ]
    stretches = [(path, period) for path in paths for period in periods_of(path.dates, common)]
    rows = pd.DataFrame(_described(path, period) for path, period in stretches)
    return PERFORMANCE.conform(rows.assign(**_figures(stretches)))


def _proxy_by_date(bars: pd.DataFrame, proxy: str, daily: pd.DataFrame) -> pd.Series:
    dates = np.unique(daily["date"].to_numpy())
    return pd.Series(proxy_returns(bars, proxy, dates), index=dates)


def _path_of(
    strategy: str, own: pd.DataFrame, seed_paths: pd.DataFrame, market: pd.Series
) -> _Path:
    dates = own["date"].to_numpy()
    return _Path(
        strategy=strategy,
        dates=dates,
        returns=own["return"].to_numpy(dtype=np.float64),
        turnover=own["turnover"].to_numpy(dtype=np.float64),
        costs=costs_paid(own),
        gains=gains_before_costs(own),
        before=equity_before(own),
        proxy=market[dates].to_numpy(),
        is_simulated=own["is_simulated"].to_numpy(dtype=np.bool_),
        seeds=seed_paths_of(seed_paths, strategy, dates),
    )


def _figures(stretches: Sequence[tuple[_Path, Period]]) -> Mapping[str, np.ndarray]:
    """Return the figures of all stretches; those of equal length are computed at once."""
    lengths = np.array([period.rows.stop - period.rows.start for _, period in stretches])
    names = (*_OF_RETURNS, *_AGAINST_THE_PROXY)
    figures = {name: np.empty(len(stretches)) for name in names}
    for length in np.unique(lengths):
        alike = np.flatnonzero(lengths == length)
        own = [stretches[one] for one in alike.tolist()]
        returns = np.stack([path.returns[period.rows] for path, period in own])
        market = np.stack([path.proxy[period.rows] for path, period in own])
        for name, figure in _OF_RETURNS.items():
            figures[name][alike] = figure(returns)
        for name, comovement in _AGAINST_THE_PROXY.items():
            figures[name][alike] = comovement(returns, market)
    return figures


def _described(path: _Path, period: Period) -> Mapping[str, object]:
    rows = period.rows
    return {
        "strategy": path.strategy,
        "period": period.name,
        "period_kind": period.kind,
        "start_date": path.dates[rows][0],
        "end_date": path.dates[rows][-1],
        "sessions": rows.stop - rows.start,
        "turnover": annual_turnover(path.turnover[rows]),
        "annual_cost": annual_cost(path.costs[rows], path.before[rows]),
        "cost_share": cost_share(path.costs[rows], path.gains[rows]),
        **path.seeds.spread(rows),
        "is_simulated": bool(path.is_simulated[rows].any()),
    }
