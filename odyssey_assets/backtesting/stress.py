"""The stress table: every strategy in known crises and under shocks.

Puts together what `backtesting.crises` and `backtesting.shocks` compute for one strategy at a time.
"""

import dataclasses
from collections.abc import Iterator

import pandas as pd

from odyssey_assets.backtesting.crises import CRISES, replay_crisis
from odyssey_assets.backtesting.engine import backtest
from odyssey_assets.backtesting.newest_portfolio import newest_portfolio
from odyssey_assets.backtesting.shocks import (
    COST_FACTOR,
    cost_shock,
    newest_lookback,
    portfolio_shocks,
)
from odyssey_assets.backtesting.stress_outcome import Outcome
from odyssey_assets.backtesting.tables import STRESS
from odyssey_assets.core.cash_rate import cash_rate_of
from odyssey_assets.core.price_panel import PricePanel, build_price_panel
from odyssey_assets.settings import Settings


def stress_rows(
    daily: pd.DataFrame,
    weights: pd.DataFrame,
    bars: pd.DataFrame,
    macro: pd.DataFrame,
    settings: Settings,
) -> pd.DataFrame:
    """Stress every strategy that has weights.

    Args:
        daily: Rows of `backtesting.daily` from the beginning.
        weights: Rows of `portfolio.weights` from the beginning.
        bars: Rows of `market_data.bars` from the beginning.
        macro: Rows of `market_data.macro` from the beginning.
        settings: Tickers, proxy, lookback, limits and costs.

    Returns:
        Rows of `backtesting.stress`, one a strategy and scenario, with a reason where a scenario
        has no data; flagged as simulated where any bar is.

    Raises:
        ContractError: The weights cannot be replayed on these bars.
    """
    if weights.empty:
        return STRESS.empty()
    panel = build_price_panel(
        bars,
        tuple(dict.fromkeys((*settings.tickers, settings.proxy))),
        cash_rate_of(macro, settings.portfolio.cash_rate_series),
    )
    dearer = backtest(weights, bars, macro, _with_dearer_trading(settings)).daily
    is_simulated = bool(bars["is_simulated"].any())
    return STRESS.conform(
        pd.DataFrame(
            {
                "strategy": str(strategy),
                **dataclasses.asdict(outcome),
                "status": outcome.status,
                "is_simulated": is_simulated,
            }
            for strategy, own_weights in weights.groupby("policy")
            for outcome in _outcomes(
                own_weights,
                _rows_of(daily, str(strategy)),
                _rows_of(dearer, str(strategy)),
                panel,
                settings,
            )
        )
    )


def _outcomes(
    weights: pd.DataFrame,
    own: pd.DataFrame,
    dearer: pd.DataFrame,
    panel: PricePanel,
    settings: Settings,
) -> Iterator[Outcome]:
    """Yield all scenarios of one strategy."""
    portfolio = newest_portfolio(weights, panel.tickers)
    for crisis in CRISES:
        yield replay_crisis(crisis, portfolio, own, panel, settings.proxy)
    lookback = newest_lookback(panel, settings.portfolio.lookback_sessions, settings.proxy)
    yield from portfolio_shocks(portfolio, lookback)
    yield cost_shock(own, dearer, panel, settings.proxy)


def _rows_of(daily: pd.DataFrame, strategy: str) -> pd.DataFrame:
    return daily[daily["strategy"] == strategy].sort_values("date")


def _with_dearer_trading(settings: Settings) -> Settings:
    """Return the settings with all three costs times `COST_FACTOR`; the fill cap stays."""
    costs = settings.costs
    dearer = costs.model_copy(
        update={
            name: COST_FACTOR * getattr(costs, name)
            for name in ("commission_bps", "slippage_bps", "impact_coefficient")
        }
    )
    return settings.model_copy(update={"costs": dearer})
