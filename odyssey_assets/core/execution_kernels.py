"""The compiled heart of the execution simulator: one session of one portfolio.

`advance` is the only place in the project where an order becomes a fill; `core.execution` calls it
for one step of many portfolios and for whole paths. What is ordered belongs to
`core.execution_orders`; what it says of arguments and inlining holds here too.
"""

import math

import numpy as np
from numba import njit

from odyssey_assets.core.execution_orders import (
    CLOSE,
    COMMISSION_RATE,
    DUST,
    HAS_BAR,
    IMPACT_COEFFICIENT,
    OPEN,
    PARTICIPATION,
    SLIPPAGE_RATE,
    VOLATILITY,
    VOLUME,
    aim,
    equity_of,
    impact_of,
    place_orders,
)

NO_CAP = 1e9
"""Participation that is none."""
SPARE = 1e-12
"""Share of the cash that purchases leave, so that rounding never makes cash negative."""
UNITS_FILLED, COMMISSION_PAID, SLIPPAGE_PAID, IMPACT_PAID, WAITING = range(5)
FILL_ROWS = 5
EQUITY, RETURN, GROSS, CASH, TURNOVER, PRICE_GAIN, INTEREST = range(7)
COMMISSION, SLIPPAGE, IMPACT, UNFILLED, LIMIT_EXCESS = range(7, 12)
TOTALS = 12


@njit(error_model="numpy", inline="always")
def advance(
    target: np.ndarray,
    is_decision: bool,
    market: np.ndarray,
    t: int,
    cash_return: float,
    max_weight: float,
    budget: float,
    rates: np.ndarray,
    units: np.ndarray,
    pending: np.ndarray,
    cash: float,
    scratch: tuple[np.ndarray, np.ndarray],
    fills: np.ndarray,
    totals: np.ndarray,
) -> float:
    """Take one portfolio from the close of session t to the close of t + 1.

    Args:
        target: Weights decided at the close of t, (tickers,); read with a decision, overwritten.
        is_decision: True cancels what waits and orders anew; False lets it wait on.
        market: Prices, (sessions, MARKET_ROWS, tickers).
        t: Session of the decision.
        cash_return: Of the cash held at the close of t, up to the close of t + 1, fraction.
        max_weight: Largest weight of a ticker.
        budget: Largest sum of the weights.
        rates: Commission, slippage (fractions), impact coefficient, max participation.
        units: Held units of adjusted price, (tickers,); becomes what is held at t + 1.
        pending: Units ordered and not filled, (tickers,); becomes what waits at t + 1.
        cash: USD at the close of t.
        scratch: Two arrays (tickers,), overwritten.
        fills: Out, (FILL_ROWS, tickers): units filled, commission, slippage, impact, USD that
            waits.
        totals: Out, (TOTALS,): see the indices above.

    Returns:
        Cash at the close of t + 1.
    """
    equity = equity_of(cash, units, market, t)
    if is_decision:
        caps, weights = scratch
        aim(target, market, t, max_weight, budget, equity, units, caps, weights)
        place_orders(weights, market, t, rates, equity, units, pending)
    interest = cash * cash_return
    _let_through(market, t, rates, pending, fills)
    share = _affordable(
        market, t, max_weight, budget, rates, equity, cash + min(interest, 0.0), units, fills
    )
    cash, gain = _book(market, t, rates, share, equity, cash, units, pending, fills)
    _settle(market, t, max_weight, budget, equity, cash, interest, gain, units, fills, totals)
    return cash + interest


@njit(error_model="numpy")
def _let_through(
    market: np.ndarray, t: int, rates: np.ndarray, pending: np.ndarray, fills: np.ndarray
) -> None:
    """Write the part of each order that bar and volume let through; without a bar, nothing."""
    for i in range(len(pending)):
        quantity = pending[i] if market[t + 1, HAS_BAR, i] != 0.0 else 0.0
        if rates[PARTICIPATION] < NO_CAP:
            most = rates[PARTICIPATION] * market[t, VOLUME, i]
            if abs(quantity) * market[t + 1, OPEN, i] > most:
                quantity = math.copysign(most / market[t + 1, OPEN, i], quantity)
        fills[UNITS_FILLED, i] = quantity


@njit(error_model="numpy")
def _affordable(
    market: np.ndarray,
    t: int,
    max_weight: float,
    budget: float,
    rates: np.ndarray,
    equity: float,
    cash: float,
    units: np.ndarray,
    fills: np.ndarray,
) -> float:
    """Cut each purchase to its cap; return the share of all purchases that limits and cash allow.

    Sales come first. Limits are kept at the prices of the close before: what the open makes of the
    weights is drift, and was not known when the orders were given. Cash is that of the open.
    """
    proportional = rates[COMMISSION_RATE] + rates[SLIPPAGE_RATE]
    coefficient = rates[IMPACT_COEFFICIENT]
    wealth, invested = equity, 0.0
    for i in range(len(units)):
        quantity, closed = fills[UNITS_FILLED, i], market[t, CLOSE, i]
        value = abs(quantity) * closed
        wealth -= value * proportional
        if coefficient != 0.0:
            wealth -= impact_of(value, market[t, VOLUME, i], market[t, VOLATILITY, i], coefficient)[
                0
            ]
        invested += (units[i] + min(quantity, 0.0)) * closed
    bought, needed = 0.0, 0.0
    for i in range(len(units)):
        quantity, closed = fills[UNITS_FILLED, i], market[t, CLOSE, i]
        room = max(max_weight * wealth - units[i] * closed, 0.0)
        if quantity * closed > room + DUST * equity:
            quantity = room / closed
            fills[UNITS_FILLED, i] = quantity
        bought += max(quantity, 0.0) * closed
        value = quantity * market[t + 1, OPEN, i]
        cost = abs(value) * proportional
        if coefficient != 0.0:
            cost += impact_of(
                abs(value), market[t, VOLUME, i], market[t, VOLATILITY, i], coefficient
            )[0]
        needed += value + cost if value > 0.0 else 0.0
        cash -= value + cost if value < 0.0 else 0.0
    room, spendable = max(budget * wealth - invested, 0.0), cash * (1.0 - SPARE)
    share = room / bought if bought > room + DUST * equity else 1.0
    return min(share, spendable / needed) if needed > spendable else share


@njit(error_model="numpy")
def _book(
    market: np.ndarray,
    t: int,
    rates: np.ndarray,
    share: float,
    equity: float,
    cash: float,
    units: np.ndarray,
    pending: np.ndarray,
    fills: np.ndarray,
) -> tuple[float, float]:
    """Pay and deliver the fills; return the cash and the gain from the close before to the open."""
    commission_rate, slippage_rate = rates[COMMISSION_RATE], rates[SLIPPAGE_RATE]
    coefficient = rates[IMPACT_COEFFICIENT]
    gain = 0.0
    for i in range(len(units)):
        opened, closed = market[t + 1, OPEN, i], market[t, CLOSE, i]
        gain += units[i] * (opened - closed)
        quantity = min(fills[UNITS_FILLED, i], fills[UNITS_FILLED, i] * share)
        value = abs(quantity) * opened
        commission, slippage, impact = value * commission_rate, value * slippage_rate, 0.0
        if coefficient != 0.0:
            impact = impact_of(value, market[t, VOLUME, i], market[t, VOLATILITY, i], coefficient)[
                0
            ]
        cash -= quantity * opened + (commission + slippage + impact)
        units[i] += quantity
        waiting = pending[i] - quantity
        is_dust = abs(waiting) * closed <= DUST * equity and waiting != -units[i]
        pending[i] = 0.0 if is_dust else waiting
        fills[UNITS_FILLED, i] = quantity
        fills[COMMISSION_PAID, i] = commission
        fills[SLIPPAGE_PAID, i] = slippage
        fills[IMPACT_PAID, i] = impact
        fills[WAITING, i] = abs(pending[i]) * opened
    return cash, gain


@njit(error_model="numpy")
def _settle(
    market: np.ndarray,
    t: int,
    max_weight: float,
    budget: float,
    equity: float,
    cash: float,
    interest: float,
    gain: float,
    units: np.ndarray,
    fills: np.ndarray,
    totals: np.ndarray,
) -> None:
    """Mark to the close, and write the totals; `cash` is without the interest."""
    commission, slippage, impact, waiting, traded = 0.0, 0.0, 0.0, 0.0, 0.0
    at_open, at_close, largest = 0.0, 0.0, 0.0
    for i in range(len(units)):
        opened, closed = market[t + 1, OPEN, i], market[t + 1, CLOSE, i]
        commission += fills[COMMISSION_PAID, i]
        slippage += fills[SLIPPAGE_PAID, i]
        impact += fills[IMPACT_PAID, i]
        waiting += fills[WAITING, i]
        traded += abs(fills[UNITS_FILLED, i]) * opened
        gain += units[i] * (closed - opened)
        at_open += units[i] * opened
        at_close += units[i] * closed
        largest = max(largest, units[i] * opened)
    wealth = cash + at_open
    excess = max(largest / wealth - max_weight, at_open / wealth - budget)
    marked = cash + interest + at_close
    totals[EQUITY] = marked
    totals[RETURN] = marked / equity - 1.0
    totals[GROSS] = at_close / marked
    totals[CASH] = (cash + interest) / marked
    totals[TURNOVER] = traded / equity
    totals[PRICE_GAIN] = gain
    totals[INTEREST] = interest
    totals[COMMISSION] = commission
    totals[SLIPPAGE] = slippage
    totals[IMPACT] = impact
    totals[UNFILLED] = waiting
    totals[LIMIT_EXCESS] = excess if excess > DUST else 0.0
