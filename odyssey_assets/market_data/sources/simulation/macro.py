"""The macro series of the embedded market: VIX from its own volatility, rates, dollar and gold.

All are levels at the close of the session, known then. Prices of tickers do not belong here.
"""

from collections.abc import Callable, Mapping

import numpy as np

from odyssey_assets.market_data.sources.simulation.draws import normal_draws, remember
from odyssey_assets.market_data.sources.simulation.factors import (
    MARKET_GARCH,
    MARKET_VOLATILITY,
    TRANSITIONS,
    Factors,
)
from odyssey_assets.market_data.sources.simulation.profiles import RATES

_VIX_SESSIONS = 21
_VIX_PREMIUM = 1.15
_VIX_MEMORY, _VIX_NOISE, _VIX_LEVERAGE = 0.9, 0.05, -0.8
_RATE_MEMORY, _RATE_MEAN, _RATE_PER_SECTOR_RETURN = 0.998, 2.8, -2.0
_DOLLAR_MEMORY, _DOLLAR_MEAN, _DOLLAR_NOISE = 0.998, 95.0, 0.004
_GOLD_FIRST, _GOLD_DRIFT, _GOLD_NOISE, _GOLD_PER_DOLLAR = 1120.0, 0.00015, 0.008, -0.8


def _vix(seed: int, factors: Factors) -> np.ndarray:
    """Return the expected volatility of the next 21 sessions, percent a year, with a premium."""
    by_regime, power = np.zeros(len(MARKET_VOLATILITY)), TRANSITIONS
    for _ in range(_VIX_SESSIONS):
        by_regime += (power * MARKET_VOLATILITY**2).sum(axis=1) / _VIX_SESSIONS
        power = (power[:, :, None] * TRANSITIONS).sum(axis=1)
    decay = MARKET_GARCH.reaction + MARKET_GARCH.persistence
    weight = (1.0 - decay**_VIX_SESSIONS) / (_VIX_SESSIONS * (1.0 - decay))
    clustered = 1.0 + weight * (factors.market_variances[1:] - 1.0)
    expected = 100.0 * np.sqrt(by_regime[factors.regimes] * clustered)
    own = normal_draws(seed, ["VIX"], "macro", len(expected))[:, 0]
    shock = _VIX_LEVERAGE * factors.market_innovations + np.sqrt(1.0 - _VIX_LEVERAGE**2) * own
    return np.round(_VIX_PREMIUM * expected * np.exp(remember(_VIX_NOISE * shock, _VIX_MEMORY)), 2)


def _tnx(seed: int, factors: Factors) -> np.ndarray:
    """Return the 10-year yield, percent; it falls when the rates sector earns."""
    del seed  # the rates sector is already random
    rates = factors.sector_returns[:, factors.sectors.index(RATES)]
    return np.round(_RATE_MEAN * np.exp(remember(_RATE_PER_SECTOR_RETURN * rates, _RATE_MEMORY)), 3)


def _dollar(seed: int, factors: Factors) -> np.ndarray:
    noise = normal_draws(seed, ["DXY"], "macro", len(factors.regimes))[:, 0]
    return _DOLLAR_MEAN * np.exp(remember(_DOLLAR_NOISE * noise, _DOLLAR_MEMORY))


def _dxy(seed: int, factors: Factors) -> np.ndarray:
    return np.round(_dollar(seed, factors), 2)


def _gold(seed: int, factors: Factors) -> np.ndarray:
    noise = normal_draws(seed, ["GOLD"], "macro", len(factors.regimes))[:, 0]
    dollar = np.log(_dollar(seed, factors) / _DOLLAR_MEAN)
    walk = (_GOLD_DRIFT + _GOLD_NOISE * noise).cumsum()
    return np.round(_GOLD_FIRST * np.exp(walk + _GOLD_PER_DOLLAR * dollar), 2)


SERIES: Mapping[str, Callable[[int, Factors], np.ndarray]] = {
    "VIX": _vix,
    "TNX": _tnx,
    "DXY": _dxy,
    "GOLD": _gold,
}
