"""The embedded market as a whole: from a seed, dates and names to bars and macro series.

Generated once a process. Which settings lead to which market, and how a source delivers it, belong
to `sources.simulated`.
"""

from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import numpy as np
import pandas as pd

from odyssey_assets.core.sessions import sessions_between
from odyssey_assets.market_data.sources.simulation.factors import simulate_factors
from odyssey_assets.market_data.sources.simulation.macro import SERIES
from odyssey_assets.market_data.sources.simulation.prices import TickerBars, simulate_bars
from odyssey_assets.market_data.sources.simulation.profiles import RATES, profile_of
from odyssey_assets.market_data.sources.simulation.returns import TickerReturns, simulate_returns


@dataclass(frozen=True)
class MarketPlan:
    """Everything that decides a market.

    Attributes:
        seed: Of all random streams.
        tickers: Names; each has its own streams and profile.
        start: First day; streams begin here.
        end: Last day.
        predictability: Correlation of tomorrow's return with what can be foreseen of it.
        break_start: Day from which the break tickers behave differently.
        break_tickers: Who breaks.
    """

    seed: int
    tickers: tuple[str, ...]
    start: date
    end: date
    predictability: float
    break_start: date
    break_tickers: tuple[str, ...]


@dataclass(frozen=True)
class SimulatedMarket:
    """One generated market.

    Attributes:
        dates: Sessions, `datetime64[us]`.
        regimes: 0 calm, 1 normal, 2 stressed, (days,).
        returns: Returns of the tickers and what could be foreseen of them.
        bars: As-traded history of the tickers; columns in the plan's order.
        macro: Values of each series, (days,).
    """

    dates: pd.DatetimeIndex
    regimes: np.ndarray
    returns: TickerReturns
    bars: TickerBars
    macro: dict[str, np.ndarray]


@lru_cache(maxsize=2)
def simulate_market(plan: MarketPlan) -> SimulatedMarket:
    """Generate the market of `plan`; the same plan gives the same bits.

    A market with a later end, or with more tickers, holds every earlier value unchanged.
    """
    dates = sessions_between(plan.start, plan.end)
    profiles = [profile_of(ticker) for ticker in plan.tickers]
    sectors = sorted({profile.sector for profile in profiles} | {RATES})
    factors = simulate_factors(plan.seed, sectors, len(dates))
    breaks = np.array([ticker in plan.break_tickers for ticker in plan.tickers])
    is_broken = (dates >= pd.Timestamp(plan.break_start))[:, None] & breaks
    returns = simulate_returns(
        plan.seed, plan.tickers, profiles, factors, plan.predictability, is_broken
    )
    bars = simulate_bars(plan.seed, plan.tickers, profiles, dates, returns, is_broken)
    macro = {name: generate(plan.seed, factors) for name, generate in SERIES.items()}
    return SimulatedMarket(dates, factors.regimes, returns, bars, macro)
