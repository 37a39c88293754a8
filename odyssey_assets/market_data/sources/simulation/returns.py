"""Log returns of each ticker: market, sector, its own part, and the weak part that can be foreseen.

Tomorrow's expected return leans a little against the last week's surprises: a reversal that
ordinary features see. How returns become quoted prices belongs to `simulation.prices`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from odyssey_assets.core.sessions import SESSIONS_PER_YEAR
from odyssey_assets.market_data.sources.simulation.draws import fat_tailed_draws, remember
from odyssey_assets.market_data.sources.simulation.factors import OWN_GARCH, Factors, daily
from odyssey_assets.market_data.sources.simulation.profiles import TickerProfile

OWN_REGIME_SCALE = np.array([0.85, 1.0, 1.4])
REVERSAL_DECAY = 0.6
BREAK_VOLATILITY_SCALE = 2.5
BREAK_DRIFT = -0.1


@dataclass(frozen=True)
class TickerReturns:
    """Returns of all tickers, (days, tickers) each.

    Attributes:
        log_returns: Total log return of the session, dividends included.
        volatility: Conditional standard deviation of the log return, a day.
        innovations: Log return's surprise in units of `volatility`.
        signal: What can be foreseen of the day's return the evening before, unit variance.
    """

    log_returns: np.ndarray
    volatility: np.ndarray
    innovations: np.ndarray
    signal: np.ndarray


def simulate_returns(
    seed: int,
    tickers: Sequence[str],
    profiles: Sequence[TickerProfile],
    factors: Factors,
    predictability: float,
    is_broken: np.ndarray,
) -> TickerReturns:
    """Simulate the returns of all tickers.

    Args:
        seed: Of the market.
        tickers: Names, which choose the random streams.
        profiles: One a ticker.
        factors: What all share.
        predictability: Correlation of the foreseeable part with the day's return.
        is_broken: Days from which on a ticker is riskier and falls, (days, tickers).
    """
    days = len(factors.regimes)
    beta = np.array([profile.beta for profile in profiles])
    loading = np.array([profile.sector_loading for profile in profiles])
    sector = [factors.sectors.index(profile.sector) for profile in profiles]
    own = daily(np.array([profile.own_volatility for profile in profiles]))
    drift = np.array([profile.drift / SESSIONS_PER_YEAR for profile in profiles])

    draws = fat_tailed_draws(seed, tickers, "innovation", days)
    own_volatility = (
        own * OWN_REGIME_SCALE[factors.regimes][:, None] * np.sqrt(OWN_GARCH.variances(draws)[:-1])
    )
    market_part = beta * (factors.market_volatility * factors.market_innovations)[:, None]
    surprise = market_part + loading * factors.sector_returns[:, sector] + own_volatility * draws
    volatility = np.sqrt(
        (beta * factors.market_volatility[:, None]) ** 2
        + (loading * factors.sector_volatility[:, sector]) ** 2
        + own_volatility**2
    )
    innovations = surprise / volatility
    signal = _reversal(innovations)
    scale = volatility * np.where(is_broken, BREAK_VOLATILITY_SCALE, 1.0)
    market_drift = factors.market_returns - factors.market_volatility * factors.market_innovations
    log_returns = (
        drift
        + beta * market_drift[:, None]
        + scale * (innovations + predictability * signal + np.where(is_broken, BREAK_DRIFT, 0.0))
    )
    return TickerReturns(log_returns, scale, innovations, signal)


def _reversal(innovations: np.ndarray) -> np.ndarray:
    """Return minus the decaying sum of past innovations, unit variance; row t uses rows < t."""
    signal = np.zeros_like(innovations)
    gain = -np.sqrt(1.0 - REVERSAL_DECAY**2)
    signal[1:] = remember(gain * innovations[:-1], REVERSAL_DECAY)
    return signal
