"""From target weights to orders: what can be aimed at, what it costs, and how much to trade.

Compiled parts of the execution simulator, all of them known at the close that decides. Fills belong
to `core.execution_kernels`. Arguments are trusted here and hold no NaN: a price that does not exist
is 0, and so are an unknown volume and an unknown volatility. Functions that hand arrays on are
inlined and take no slices: numba counts references there, which costs more than the arithmetic.
"""

import math

import numpy as np
from numba import njit

from odyssey_assets.core.constraints import project_row
from odyssey_assets.core.price_panel import PricePanel

DUST = 1e-10
"""Orders below this share of equity are rounding, not orders."""
MAX_IMPACT = 0.5
"""Impact of the dearest dollar of a fill: there the square-root law ends, and a line goes on."""
SIZING_ROUNDS = 60
SIZED = 1e-14

OPEN, CLOSE, HAS_BAR, VOLUME, VOLATILITY = range(5)
MARKET_ROWS = 5
"""A market is an array (sessions, MARKET_ROWS, tickers) of these rows; `HAS_BAR` is 0 or 1."""
COMMISSION_RATE, SLIPPAGE_RATE, IMPACT_COEFFICIENT, PARTICIPATION = range(4)


def market_array(panel: PricePanel) -> np.ndarray:
    """Return a panel as the kernels read it, shape (sessions + 1, MARKET_ROWS, tickers).

    The session after the last is not known yet: nothing trades in it.
    """
    market = np.zeros((len(panel) + 1, MARKET_ROWS, len(panel.tickers)))
    market[:-1, OPEN] = panel.open
    market[:-1, CLOSE] = panel.close
    market[:-1, HAS_BAR] = panel.has_bar
    market[:-1, VOLUME] = panel.dollar_volume
    market[:-1, VOLATILITY] = panel.volatility
    market[-1, OPEN] = market[-1, CLOSE] = panel.close[-1]
    market[np.isnan(market)] = 0.0
    return market


@njit(error_model="numpy")
def equity_of(cash: float, units: np.ndarray, market: np.ndarray, t: int) -> float:
    """Return what a portfolio is worth at the close of session t, USD."""
    invested = 0.0
    for i in range(len(units)):
        invested += units[i] * market[t, CLOSE, i]
    return cash + invested


@njit(cache=True, error_model="numpy")
def value_books(
    sessions: np.ndarray,
    market: np.ndarray,
    units: np.ndarray,
    cash: np.ndarray,
    equity: np.ndarray,
    weights: np.ndarray,
) -> None:
    """Write what each portfolio is worth at its close, and the share of it each ticker has."""
    for p in range(len(sessions)):
        equity[p] = equity_of(cash[p], units[p], market, sessions[p])
        for i in range(units.shape[1]):
            weights[p, i] = units[p, i] * market[sessions[p], CLOSE, i] / equity[p]


@njit(error_model="numpy")
def impact_of(
    value: float, volume: float, volatility: float, coefficient: float
) -> tuple[float, float]:
    """Return the impact of trading `value` USD, and of one dollar more.

    coefficient x volatility x sqrt(value / volume) x value. From the value on at which one dollar
    more costs `MAX_IMPACT` it goes on as a line: the law was never measured there, and a sale must
    not cost more than it brings. The impact stays convex, which sizing relies on.
    """
    scale = coefficient * volatility
    if scale == 0.0 or value == 0.0:
        return 0.0, 0.0
    edge = volume * (MAX_IMPACT / (1.5 * scale)) ** 2
    if value >= edge:
        return MAX_IMPACT * (value - edge / 3.0), MAX_IMPACT
    share = scale * math.sqrt(value / volume)
    return share * value, 1.5 * share


@njit(error_model="numpy", inline="always")
def aim(
    target: np.ndarray,
    market: np.ndarray,
    t: int,
    max_weight: float,
    budget: float,
    equity: float,
    units: np.ndarray,
    caps: np.ndarray,
    weights: np.ndarray,
) -> None:
    """Write the weights that orders aim at to `weights`: the nearest to `target` that can be had.

    A ticker without a bar cannot be traded: it keeps its held weight, which uses up the budget of
    the others, and its target is not read. The others are projected to the limits. `target` and
    `caps` are overwritten.
    """
    for i in range(len(units)):
        is_traded = market[t, HAS_BAR, i] != 0.0
        caps[i] = max_weight if is_traded else 0.0
        target[i] = target[i] if is_traded else 0.0
        budget -= 0.0 if is_traded else units[i] * market[t, CLOSE, i] / equity
    project_row(target, caps, max(budget, 0.0), weights)
    for i in range(len(units)):
        if market[t, HAS_BAR, i] == 0.0:
            weights[i] = units[i] * market[t, CLOSE, i] / equity


@njit(error_model="numpy", inline="always")
def place_orders(
    weights: np.ndarray,
    market: np.ndarray,
    t: int,
    rates: np.ndarray,
    equity: float,
    units: np.ndarray,
    pending: np.ndarray,
) -> None:
    """Order what leads from the held units to the weights after all costs; no bar, no order."""
    left = _equity_after_costs(weights, market, t, rates, equity, units)
    for i in range(len(units)):
        closed = market[t, CLOSE, i]
        change = weights[i] * left - units[i] * closed
        order = max(change / closed, -units[i])
        if abs(change) <= DUST * equity or market[t, HAS_BAR, i] == 0.0:
            order = 0.0
        if weights[i] == 0.0 and market[t, HAS_BAR, i] != 0.0:
            order = -units[i]
        pending[i] = order


@njit(error_model="numpy", inline="always")
def _equity_after_costs(
    weights: np.ndarray,
    market: np.ndarray,
    t: int,
    rates: np.ndarray,
    equity: float,
    units: np.ndarray,
) -> float:
    """Return the equity E of which the weights are shares once all costs are paid.

    E + costs(weights x E - held) = equity. The costs are convex in E, so that Newton's method
    falls to the root from above.
    """
    proportional = rates[COMMISSION_RATE] + rates[SLIPPAGE_RATE]
    coefficient = rates[IMPACT_COEFFICIENT]
    left = equity
    for _ in range(SIZING_ROUNDS):
        costs, slope = 0.0, 1.0
        for i in range(len(units)):
            if market[t, HAS_BAR, i] != 0.0:
                change = weights[i] * left - units[i] * market[t, CLOSE, i]
                weight = math.copysign(weights[i], change)
                costs += proportional * abs(change)
                slope += proportional * weight
                if coefficient != 0.0:
                    impact, dearest = impact_of(
                        abs(change), market[t, VOLUME, i], market[t, VOLATILITY, i], coefficient
                    )
                    costs += impact
                    slope += dearest * weight
        excess = left + costs - equity
        left -= excess / slope
        if excess <= SIZED * equity:
            break
    return left
