"""From stored weights to what they earned: one path of equity a strategy, and every fill on it.

Each decision is replayed through the one execution simulator, from the strategy's first session
on. Reading the decisions belongs to `backtesting.decisions`, what the path amounts to belongs to
`backtesting.performance`; nothing here decides what to hold.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from odyssey_assets.backtesting.decisions import Decisions, read_decisions
from odyssey_assets.backtesting.tables import DAILY, TRADES
from odyssey_assets.core import execution_kernels as kernels
from odyssey_assets.core.cash_rate import cash_rate_of
from odyssey_assets.core.constraints import Limits
from odyssey_assets.core.drawdowns import drawdowns
from odyssey_assets.core.execution import Fills, Simulator, TradingCosts
from odyssey_assets.core.price_panel import PricePanel, build_price_panel
from odyssey_assets.core.windows import window_starts
from odyssey_assets.errors import ContractError
from odyssey_assets.portfolio.catalog import POLICIES
from odyssey_assets.settings import Settings

_TOTALS = {
    "equity": kernels.EQUITY,
    "return": kernels.RETURN,
    "gross_exposure": kernels.GROSS,
    "cash_weight": kernels.CASH,
    "turnover": kernels.TURNOVER,
    "price_gain": kernels.PRICE_GAIN,
    "interest": kernels.INTEREST,
    "commission": kernels.COMMISSION,
    "slippage": kernels.SLIPPAGE,
    "impact": kernels.IMPACT,
    "unfilled_value": kernels.UNFILLED,
    "limit_excess": kernels.LIMIT_EXCESS,
}


@dataclass(frozen=True)
class Backtest:
    """What strategies earned and traded, as the contracts of `backtesting` want it.

    Attributes:
        daily: Rows of `backtesting.daily`.
        trades: Rows of `backtesting.trades`.
    """

    daily: pd.DataFrame
    trades: pd.DataFrame


def backtest(
    weights: pd.DataFrame, bars: pd.DataFrame, macro: pd.DataFrame, settings: Settings
) -> Backtest:
    """Replay stored weights under the costs, limits, capital and cash rate of the settings.

    Args:
        weights: Rows of `portfolio.weights` from the beginning; without any, nothing is earned.
        bars: Rows of `market_data.bars` from the beginning.
        macro: Rows of `market_data.macro` from the beginning.
        settings: What to replay under.

    Raises:
        ContractError: The weights do not fit the bars (see `read_decisions`), or a policy has
            weights but is not in the catalog.
    """
    if weights.empty:
        return Backtest(DAILY.empty(), TRADES.empty())
    cash_rate = cash_rate_of(macro, settings.portfolio.cash_rate_series)
    panel = build_price_panel(bars, settings.tickers, cash_rate)
    return replay(
        weights,
        panel,
        {entry.name: entry.limits(settings) for entry in POLICIES},
        TradingCosts(**settings.costs.model_dump()),
        settings.portfolio.capital_usd,
        simulated_until(bars, panel),
    )


def replay(
    weights: pd.DataFrame,
    panel: PricePanel,
    limits: Mapping[str, Limits],
    costs: TradingCosts,
    capital_usd: float,
    is_simulated: np.ndarray,
) -> Backtest:
    """Replay stored weights on a price panel.

    A strategy holds cash at its first decision and has a row for every later session with weights;
    sessions after its newest weights are left out, because a decision may be missing there.

    Args:
        weights: Rows of `portfolio.weights`, at least one.
        panel: Prices.
        limits: What each strategy may hold.
        costs: What fills cost.
        capital_usd: Each strategy starts with.
        is_simulated: Whether any price up to each session is simulated, shape (sessions,).

    Raises:
        ContractError: As `backtest`.
    """
    decisions = read_decisions(weights, panel)
    unknown = [name for name in decisions.strategies if name not in limits]
    if unknown:
        raise ContractError(
            f"portfolio.weights holds weights of {', '.join(unknown)}; known policies are "
            f"{', '.join(limits)}. Materialize portfolio.weights again, for all windows."
        )
    simulator = Simulator(panel, tuple(limits[name] for name in decisions.strategies), costs)
    fills = simulator.simulate(
        decisions.targets, decisions.is_decision, decisions.first, capital_usd
    )
    return Backtest(
        _daily(decisions, fills, panel, is_simulated),
        _trades(decisions, fills, panel, capital_usd),
    )


def simulated_until(bars: pd.DataFrame, panel: PricePanel) -> np.ndarray:
    """Return whether any bar of the panel's tickers up to each session is simulated."""
    is_made_up = bars["is_simulated"] & bars["ticker"].isin(panel.tickers)
    days = bars.loc[is_made_up, "date"].to_numpy().astype("datetime64[D]")
    return np.maximum.accumulate(np.isin(panel.dates, days))


def _is_reported(decisions: Decisions, panel: PricePanel) -> np.ndarray:
    session = np.arange(len(panel))
    return (session > decisions.first[:, None]) & (session <= decisions.last[:, None])


def _daily(
    decisions: Decisions, fills: Fills, panel: PricePanel, is_simulated: np.ndarray
) -> pd.DataFrame:
    is_reported = _is_reported(decisions, panel)
    strategy, session = np.nonzero(is_reported)
    falls = [
        drawdowns(returns[rows]) for returns, rows in zip(fills.returns, is_reported, strict=True)
    ]
    dates = panel.dates[session].astype("datetime64[us]")
    totals = fills.totals[strategy, session]
    columns = {name: totals[:, index] for name, index in _TOTALS.items()}
    return DAILY.conform(
        pd.DataFrame(
            {
                "strategy": _named(decisions, strategy),
                "date": dates,
                "window": window_starts(pd.DatetimeIndex(dates)),
                **columns,
                "drawdown": np.concatenate(falls),
                "is_simulated": is_simulated[session],
            }
        )
    )


def _trades(
    decisions: Decisions, fills: Fills, panel: PricePanel, capital_usd: float
) -> pd.DataFrame:
    quantity, commission, slippage, impact, unfilled = np.moveaxis(fills.by_ticker, 2, 0)
    is_fill = (quantity != 0) & _is_reported(decisions, panel)[..., None]
    strategy, session, ticker = at = np.nonzero(is_fill)
    before = (strategy, session - 1, ticker)
    held = _held_weights(decisions, fills, panel, capital_usd)
    value = quantity[at] * panel.open[session, ticker]
    price = panel.open[session, ticker] / panel.factor[session, ticker]
    volume = panel.dollar_volume[session - 1, ticker]
    dates = panel.dates[session].astype("datetime64[us]")
    return TRADES.conform(
        pd.DataFrame(
            {
                "strategy": _named(decisions, strategy),
                "date": dates,
                "ticker": np.array(panel.tickers, dtype=object)[ticker],
                "window": window_starts(pd.DatetimeIndex(dates)),
                "decided_on": panel.dates[_decided(decisions)[strategy, session]],
                "weight_before": held[before],
                "weight_after": held[at],
                "price": price,
                "shares": value / price,
                "traded_value": value,
                "commission": commission[at],
                "slippage": slippage[at],
                "impact": impact[at],
                "costs": commission[at] + slippage[at] + impact[at],
                "participation": _shares_of(np.abs(value), volume),
                "unfilled_value": unfilled[at],
            }
        )
    )


def _named(decisions: Decisions, strategy: np.ndarray) -> np.ndarray:
    return np.array(decisions.strategies, dtype=object)[strategy]


def _decided(decisions: Decisions) -> np.ndarray:
    """Return the row of the decision behind the fills of each session; a new one ends all waits."""
    session = np.arange(decisions.is_decision.shape[1])
    newest = np.maximum.accumulate(np.where(decisions.is_decision, session, 0), axis=1)
    return np.hstack([np.zeros((len(newest), 1), dtype=newest.dtype), newest[:, :-1]])


def _held_weights(
    decisions: Decisions, fills: Fills, panel: PricePanel, capital_usd: float
) -> np.ndarray:
    """Return held weights at each close, shape (strategies, sessions, tickers)."""
    # Fills add up in the order in which the simulator adds them: these are its very units.
    units = np.cumsum(fills.by_ticker[:, :, 0], axis=1)
    values = np.where(units != 0, units * panel.close, 0.0)
    equity = fills.equity.copy()
    equity[np.arange(len(equity)), decisions.first] = capital_usd
    return values / equity[..., None]


def _shares_of(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0)
