"""Known crises, replayed: on a strategy's own path where it ran then, else on what it holds now.

The newest portfolio in an old crisis says what today's positions would have lost, not what the
strategy would have done. Hypothetical moves belong to `backtesting.shocks`.
"""

from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import pandas as pd

from odyssey_assets.backtesting.newest_portfolio import NewestPortfolio
from odyssey_assets.backtesting.stress_outcome import Outcome
from odyssey_assets.backtesting.trading_intensity import annual_cost, costs_paid, equity_before
from odyssey_assets.core.drawdowns import max_drawdown
from odyssey_assets.core.price_panel import PricePanel
from odyssey_assets.core.returns import total_return, volatility
from odyssey_assets.core.sessions import sessions_between

LONGEST_CLOSURE = timedelta(days=14)
"""New York has not been closed longer since 1914."""


@dataclass(frozen=True)
class Crisis:
    """A stretch of sessions that went down in history.

    Attributes:
        name: Names the scenario.
        start: First session; its return begins at the close before.
        end: Last session.
    """

    name: str
    start: date
    end: date


# Whole calendar months, quarters and years: nobody knew the peak and the trough.
CRISES = (
    Crisis("2008 Q4", date(2008, 10, 1), date(2008, 12, 31)),
    Crisis("2010 flash crash", date(2010, 5, 3), date(2010, 5, 28)),
    Crisis("2011 August", date(2011, 8, 1), date(2011, 8, 31)),
    Crisis("2015 August", date(2015, 8, 3), date(2015, 8, 31)),
    Crisis("2018 Q4", date(2018, 10, 1), date(2018, 12, 31)),
    Crisis("2020 February-March", date(2020, 2, 3), date(2020, 3, 31)),
    Crisis("2022", date(2022, 1, 3), date(2022, 12, 30)),
)


def replay_crisis(
    crisis: Crisis, portfolio: NewestPortfolio, own: pd.DataFrame, panel: PricePanel, proxy: str
) -> Outcome:
    """Replay a crisis for one strategy.

    Args:
        crisis: What happened.
        portfolio: Its newest portfolio, tickers as in `panel`.
        own: Rows of `backtesting.daily` of the strategy, ascending.
        panel: Prices.
        proxy: Ticker that stands for the market, one of the panel's.

    Returns:
        From the strategy's own returns if it ran on all sessions of the crisis: that path paid
        costs. Otherwise from its newest portfolio, bought without costs at the close before and
        held: weights drift, cash earns the interest of then.
    """
    blank = Outcome(crisis.name, "replay", start_date=crisis.start, end_date=crisis.end)
    rows, wanted, ran_through = _rows(crisis, panel), _sessions(crisis), _ran_through(crisis, own)
    if not ran_through and not np.array_equal(panel.dates[rows], wanted):
        return replace(
            blank,
            reason=f"The scenario needs prices of all sessions from {wanted[0]} to {wanted[-1]}; "
            f"there are some from {panel.dates[0]} to {panel.dates[-1]}.",
        )
    proxy_prices = panel.close[rows, panel.tickers.index(proxy)]
    # NaN before the proxy is listed.
    known = replace(blank, proxy_return=float(proxy_prices[-1] / proxy_prices[0] - 1))
    if ran_through:
        return _own_path(known, own)
    return _newest_weights(known, portfolio, panel, rows)


def with_path_figures(outcome: Outcome, returns: np.ndarray) -> Outcome:
    """Return `outcome` with what daily returns, shape (sessions,), amount to."""
    return replace(
        outcome,
        sessions=len(returns),
        portfolio_return=float(total_return(returns)),
        max_drawdown=float(max_drawdown(returns)),
        volatility=float(volatility(returns)),
    )


def _own_path(known: Outcome, own: pd.DataFrame) -> Outcome:
    is_inside = own["date"].between(pd.Timestamp(known.start_date), pd.Timestamp(known.end_date))
    inside = own[is_inside]
    cost = annual_cost(costs_paid(inside), equity_before(inside))
    measured = with_path_figures(known, inside["return"].to_numpy(dtype=np.float64))
    return replace(measured, method="own_path", annual_cost=cost)


def _newest_weights(
    known: Outcome, portfolio: NewestPortfolio, panel: PricePanel, rows: slice
) -> Outcome:
    covered = portfolio.covered_by(panel.is_listed[rows.start])
    known = replace(known, covered_weight=covered.share)
    if covered.refusal is not None:
        return replace(known, reason=covered.refusal)
    held = covered.weights > 0
    prices = panel.close[rows][:, held]
    cash = portfolio.cash * np.append(1.0, np.cumprod(1.0 + panel.cash_return[rows][1:]))
    value = cash + (prices / prices[0]) @ covered.weights[held]
    return replace(with_path_figures(known, value[1:] / value[:-1] - 1), method="newest_weights")


def _ran_through(crisis: Crisis, own: pd.DataFrame) -> bool:
    if own.empty:
        return False
    return bool(
        own["date"].iloc[0] <= pd.Timestamp(crisis.start)
        and own["date"].iloc[-1] >= pd.Timestamp(crisis.end)
    )


def _rows(crisis: Crisis, panel: PricePanel) -> slice:
    """Return the panel's rows from the session before the crisis, if it is there, to its end."""
    first = int(np.searchsorted(panel.dates, np.datetime64(crisis.start)))
    stop = int(np.searchsorted(panel.dates, np.datetime64(crisis.end), side="right"))
    return slice(max(first - 1, 0), stop)


def _sessions(crisis: Crisis) -> np.ndarray:
    """Return the session before the crisis and all of its own, `datetime64[D]`."""
    around = sessions_between(crisis.start - LONGEST_CLOSURE, crisis.end)
    days = around.to_numpy().astype("datetime64[D]")
    return days[np.searchsorted(days, np.datetime64(crisis.start)) - 1 :]
