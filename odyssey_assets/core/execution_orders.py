"""From target weights to orders: what can be aimed at, what it costs, and how much to trade.

Compiled parts of the execution simulator, all of them known at the close that decides. Fills belong
to `core.execution_kernels`. Arguments are trusted here and hold no NaN: a price that does not exist
is 0, and so are an unknown volume and an unknown volatility.
"""

import math

import numpy as np
from numba import njit

from odyssey_assets.core.constraints import project_row

DUST = 1e-10
"""Orders below this share of equity are rounding, not orders."""
MAX_IMPACT = 0.5
"""Impact of the dearest dollar of a fill: there the square-root law ends, and a line goes on."""
SIZING_ROUNDS = 60
SIZED = 1e-14

OPEN, CLOSE, HAS_BAR, VOLUME, VOLATILITY = range(5)
MARKET_ROWS = 5
"""One session of the market is an array (5, tickers) of these rows; `HAS_BAR` is 0 or 1."""
COMMISSION_RATE, SLIPPAGE_RATE, IMPACT_COEFFICIENT, PARTICIPATION = range(4)
WEIGHT, CAP, WANTED = range(3)
SCRATCH_ROWS = 3


@njit(cache=True)
def equity_of(cash: float, units: np.ndarray, session: np.ndarray) -> float:
    """Return what a portfolio is worth at the close of a session, USD."""
    invested = 0.0
    for i in range(len(units)):
        invested += units[i] * session[CLOSE, i]
    return cash + invested


@njit(cache=True)
def impact_of(
    value: float, volume: float, volatility: float, rates: np.ndarray
) -> tuple[float, float]:
    """Return the impact of trading `value` USD, and of one dollar more.

    coefficient x volatility x sqrt(value / volume) x value. From the value on at which one dollar
    more costs `MAX_IMPACT` it goes on as a line: the law was never measured there, and a sale must
    not cost more than it brings. The impact stays convex, which sizing relies on.
    """
    scale = rates[IMPACT_COEFFICIENT] * volatility
    if scale == 0.0 or value == 0.0:
        return 0.0, 0.0
    edge = volume * (MAX_IMPACT / (1.5 * scale)) ** 2
    if value >= edge:
        return MAX_IMPACT * (value - edge / 3.0), MAX_IMPACT
    share = scale * math.sqrt(value / volume)
    return share * value, 1.5 * share


@njit(cache=True)
def aim(
    target: np.ndarray,
    session: np.ndarray,
    limits: np.ndarray,
    equity: float,
    units: np.ndarray,
    scratch: np.ndarray,
) -> None:
    """Write the weights that orders aim at, the nearest to `target` that can be had, to `scratch`.

    A ticker without a bar cannot be traded: it keeps its held weight, which uses up the budget of
    the others, and its target is not read. The others are projected to the limits.
    """
    budget = limits[1]
    for i in range(len(units)):
        is_traded = session[HAS_BAR, i] != 0.0
        scratch[CAP, i] = limits[0] if is_traded else 0.0
        scratch[WANTED, i] = target[i] if is_traded else 0.0
        budget -= 0.0 if is_traded else units[i] * session[CLOSE, i] / equity
    project_row(scratch[WANTED], scratch[CAP], max(budget, 0.0), scratch[WEIGHT])
    for i in range(len(units)):
        if session[HAS_BAR, i] == 0.0:
            scratch[WEIGHT, i] = units[i] * session[CLOSE, i] / equity


@njit(cache=True)
def equity_after_costs(
    session: np.ndarray, rates: np.ndarray, equity: float, units: np.ndarray, scratch: np.ndarray
) -> float:
    """Return the equity E of which the weights are shares once all costs are paid.

    E + costs(weights x E - held) = equity. The costs are convex in E, so that Newton's method
    falls to the root from above.
    """
    left = equity
    proportional = rates[COMMISSION_RATE] + rates[SLIPPAGE_RATE]
    for _ in range(SIZING_ROUNDS):
        costs, slope = 0.0, 1.0
        for i in range(len(units)):
            if session[HAS_BAR, i] != 0.0:
                change = scratch[WEIGHT, i] * left - units[i] * session[CLOSE, i]
                weight = math.copysign(scratch[WEIGHT, i], change)
                costs += proportional * abs(change)
                slope += proportional * weight
                if rates[IMPACT_COEFFICIENT] != 0.0:
                    impact, dearest = impact_of(
                        abs(change), session[VOLUME, i], session[VOLATILITY, i], rates
                    )
                    costs += impact
                    slope += dearest * weight
        excess = left + costs - equity
        left -= excess / slope
        if excess <= SIZED * equity:
            break
    return left


@njit(cache=True)
def place_orders(
    session: np.ndarray,
    equity: float,
    left: float,
    units: np.ndarray,
    pending: np.ndarray,
    scratch: np.ndarray,
) -> None:
    """Order what leads from the held units to the weights of `left`; no bar, no order."""
    for i in range(len(units)):
        pending[i] = 0.0
        if session[HAS_BAR, i] == 0.0:
            continue
        change = scratch[WEIGHT, i] * left - units[i] * session[CLOSE, i]
        if scratch[WEIGHT, i] == 0.0:
            pending[i] = -units[i]
        elif abs(change) > DUST * equity:
            pending[i] = max(change / session[CLOSE, i], -units[i])
