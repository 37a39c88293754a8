"""What moves many tickers at once: regimes, market and sectors, and how volatility clusters.

A three-state Markov chain sets the level of volatility and GARCH(1,1) lets it cluster around that
level. What a ticker adds of its own belongs to `simulation.returns`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from odyssey_assets.core.sessions import SESSIONS_PER_YEAR
from odyssey_assets.market_data.sources.simulation.draws import (
    fat_tailed_draws,
    normal_draws,
    uniform_draws,
)

CALM, NORMAL, STRESSED = 0, 1, 2
TRANSITIONS = np.array([[0.990, 0.010, 0.000], [0.008, 0.984, 0.008], [0.000, 0.025, 0.975]])
MARKET_VOLATILITY = np.array([0.10, 0.15, 0.32])
MARKET_DRIFT = np.array([0.10, 0.08, 0.02])
SECTOR_VOLATILITY = np.array([0.10, 0.12, 0.18])
_MARKET = "market"


@dataclass(frozen=True)
class Garch:
    """GARCH(1,1) with unit mean: `g[t+1] = (1 - a - b) + (a z[t]^2 + b) g[t]` (Bollerslev 1986).

    With unit-variance t(5) innovations the squared process needs `9 a^2 + 2 a b + b^2 < 1`.
    """

    reaction: float
    persistence: float

    def variances(self, innovations: np.ndarray) -> np.ndarray:
        """Return variances before each day and one after the last, (days + 1, series)."""
        days, series = innovations.shape
        growth = self.reaction * innovations**2 + self.persistence
        base = 1.0 - self.reaction - self.persistence
        variances = np.ones((days + 1, series))
        for day in range(days):
            variances[day + 1] = base + growth[day] * variances[day]
        return variances


MARKET_GARCH = Garch(0.08, 0.89)
OWN_GARCH = Garch(0.06, 0.92)


@dataclass(frozen=True)
class Factors:
    """The shared part of all returns, day by day.

    Attributes:
        regimes: 0 calm, 1 normal, 2 stressed, (days,).
        market_innovations: Unit-variance innovations of the market, (days,).
        market_variances: GARCH variance before each day and after the last, mean 1, (days + 1,).
        market_volatility: Conditional volatility of the market's return, a day, (days,).
        market_returns: Log returns of the market, (days,).
        sectors: Names of the sectors, in column order.
        sector_volatility: Conditional volatility of the sectors' returns, a day, (days, sectors).
        sector_returns: Log returns of the sectors beside the market, (days, sectors).
    """

    regimes: np.ndarray
    market_innovations: np.ndarray
    market_variances: np.ndarray
    market_volatility: np.ndarray
    market_returns: np.ndarray
    sectors: tuple[str, ...]
    sector_volatility: np.ndarray
    sector_returns: np.ndarray


def simulate_factors(seed: int, sectors: Sequence[str], days: int) -> Factors:
    """Simulate regimes, market and `sectors` over `days` sessions."""
    regimes = simulate_regimes(seed, days)
    innovations = fat_tailed_draws(seed, [_MARKET], "innovation", days)
    variances = MARKET_GARCH.variances(innovations)[:, 0]
    volatility = daily(MARKET_VOLATILITY[regimes]) * np.sqrt(variances[:-1])
    market = MARKET_DRIFT[regimes] / SESSIONS_PER_YEAR + volatility * innovations[:, 0]
    sector_draws = normal_draws(seed, sectors, "sector", days)
    sector_volatility = daily(SECTOR_VOLATILITY[regimes])[:, None] * np.sqrt(
        MARKET_GARCH.variances(sector_draws)[:-1]
    )
    return Factors(
        regimes=regimes,
        market_innovations=innovations[:, 0],
        market_variances=variances,
        market_volatility=volatility,
        market_returns=market,
        sectors=tuple(sectors),
        sector_volatility=sector_volatility,
        sector_returns=sector_volatility * sector_draws,
    )


def simulate_regimes(seed: int, days: int) -> np.ndarray:
    """Return the state of a Markov chain with `TRANSITIONS`, int64, (days,); starts normal."""
    bounds = TRANSITIONS.cumsum(axis=1).tolist()
    state, states = NORMAL, []
    for draw in uniform_draws(seed, [_MARKET], "regime", days)[:, 0].tolist():
        states.append(state)
        calm, normal, _ = bounds[state]
        state = CALM if draw < calm else NORMAL if draw < normal else STRESSED
    return np.array(states, dtype=np.int64)


def daily(volatility: np.ndarray) -> np.ndarray:
    """Return a volatility a year as a volatility a session."""
    return volatility / np.sqrt(SESSIONS_PER_YEAR)
