"""The compiled heart of the execution simulator: one session of one portfolio.

`advance` is the only place in the project where an order becomes a fill; `core.execution` calls it
for one step of many portfolios and for whole paths. What is ordered belongs to
`core.execution_orders`; the same holds for the arguments here.
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
    equity_after_costs,
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


@njit(cache=True)
def advance(
    target: np.ndarray,
    is_decision: bool,
    before: np.ndarray,
    after: np.ndarray,
    cash_return: float,
    limits: np.ndarray,
    rates: np.ndarray,
    units: np.ndarray,
    pending: np.ndarray,
    cash: float,
    scratch: np.ndarray,
    fills: np.ndarray,
    totals: np.ndarray,
) -> float:
    """Take one portfolio from the close of session t to the close of t + 1.

    Args:
        target: Weights decided at the close of t, shape (tickers,); not read without a decision.
        is_decision: True cancels what waits and orders anew; False lets it wait on.
        before: The market of session t, (MARKET_ROWS, tickers).
        after: The market of session t + 1.
        cash_return: Of the cash held at the close of t, up to the close of t + 1, fraction.
        limits: max_weight and budget.
        rates: commission, slippage (fractions), impact coefficient, max participation.
        units: Held units of adjusted price, (tickers,); becomes what is held at t + 1.
        pending: Units ordered and not filled, (tickers,); becomes what waits at t + 1.
        cash: USD at the close of t.
        scratch: Overwritten, (SCRATCH_ROWS, tickers).
        fills: Out, (FILL_ROWS, tickers): units filled, commission, slippage, impact, USD that
            waits.
        totals: Out, (TOTALS,): see the indices above.

    Returns:
        Cash at the close of t + 1.
    """
    equity = equity_of(cash, units, before)
    if is_decision:
        aim(target, before, limits, equity, units, scratch)
        left = equity_after_costs(before, rates, equity, units, scratch)
        place_orders(before, equity, left, units, pending, scratch)
    interest = cash * cash_return
    _let_through(before, after, rates, pending, fills)
    share = _affordable(
        before, after, limits, rates, equity, cash + min(interest, 0.0), units, fills
    )
    cash, gain = _book(before, after, rates, share, equity, cash, units, pending, fills)
    return _settle(after, limits, equity, cash, interest, gain, units, fills, totals)


@njit(cache=True)
def _let_through(
    before: np.ndarray, after: np.ndarray, rates: np.ndarray, pending: np.ndarray, fills: np.ndarray
) -> None:
    """Write the part of each order that bar and volume let through; without a bar, nothing."""
    for i in range(len(pending)):
        quantity = pending[i] if after[HAS_BAR, i] != 0.0 else 0.0
        if rates[PARTICIPATION] < NO_CAP:
            most = rates[PARTICIPATION] * before[VOLUME, i]
            if abs(quantity) * after[OPEN, i] > most:
                quantity = math.copysign(most / after[OPEN, i], quantity)
        fills[UNITS_FILLED, i] = quantity


@njit(cache=True)
def _affordable(
    before: np.ndarray,
    after: np.ndarray,
    limits: np.ndarray,
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
    traded, invested = 0.0, 0.0
    for i in range(len(units)):
        quantity, closed = fills[UNITS_FILLED, i], before[CLOSE, i]
        traded += abs(quantity) * closed
        invested += (units[i] + min(quantity, 0.0)) * closed
    wealth = equity - proportional * traded - _impacts(before[CLOSE], before, rates, fills, 0.0)
    bought, paid, received = 0.0, 0.0, 0.0
    for i in range(len(units)):
        purchase, closed = max(fills[UNITS_FILLED, i], 0.0), before[CLOSE, i]
        room = max(limits[0] * wealth - units[i] * closed, 0.0)
        if purchase * closed > room + DUST * equity:
            purchase = room / closed
            fills[UNITS_FILLED, i] = purchase
        bought += purchase * closed
        paid += purchase * after[OPEN, i]
        received -= min(fills[UNITS_FILLED, i], 0.0) * after[OPEN, i]
    needed = paid * (1.0 + proportional) + _impacts(after[OPEN], before, rates, fills, 1.0)
    cash += received * (1.0 - proportional) - _impacts(after[OPEN], before, rates, fills, -1.0)
    room, spendable = max(limits[1] * wealth - invested, 0.0), cash * (1.0 - SPARE)
    share = room / bought if bought > room + DUST * equity else 1.0
    return min(share, spendable / needed) if needed > spendable else share


@njit(cache=True)
def _impacts(
    prices: np.ndarray, before: np.ndarray, rates: np.ndarray, fills: np.ndarray, sign: float
) -> float:
    """Return the impact of the purchases (sign 1), the sales (-1) or all fills (0), USD."""
    if rates[IMPACT_COEFFICIENT] == 0.0:
        return 0.0
    total = 0.0
    for i in range(len(prices)):
        quantity = fills[UNITS_FILLED, i]
        if quantity * sign >= 0.0:
            value = abs(quantity) * prices[i]
            total += impact_of(value, before[VOLUME, i], before[VOLATILITY, i], rates)[0]
    return total


@njit(cache=True)
def _book(
    before: np.ndarray,
    after: np.ndarray,
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
    has_impact = rates[IMPACT_COEFFICIENT] != 0.0
    gain = 0.0
    for i in range(len(units)):
        opened, closed, quantity = after[OPEN, i], before[CLOSE, i], fills[UNITS_FILLED, i]
        gain += units[i] * (opened - closed)
        quantity = min(quantity, quantity * share)
        value = abs(quantity) * opened
        commission, slippage, impact = value * commission_rate, value * slippage_rate, 0.0
        if has_impact:
            impact = impact_of(value, before[VOLUME, i], before[VOLATILITY, i], rates)[0]
        cash -= quantity * opened + (commission + slippage + impact)
        fills[UNITS_FILLED, i] = quantity
        fills[COMMISSION_PAID, i] = commission
        fills[SLIPPAGE_PAID, i] = slippage
        fills[IMPACT_PAID, i] = impact
        units[i] += quantity
        pending[i] -= quantity
        if abs(pending[i]) * closed <= DUST * equity and pending[i] != -units[i]:
            pending[i] = 0.0
        fills[WAITING, i] = abs(pending[i]) * opened
    return cash, gain


@njit(cache=True)
def _settle(
    after: np.ndarray,
    limits: np.ndarray,
    equity: float,
    cash: float,
    interest: float,
    gain: float,
    units: np.ndarray,
    fills: np.ndarray,
    totals: np.ndarray,
) -> float:
    """Mark to the close, credit the interest, and write the totals; return the cash."""
    commission, slippage, impact, waiting, traded = 0.0, 0.0, 0.0, 0.0, 0.0
    at_open, at_close, largest = 0.0, 0.0, 0.0
    for i in range(len(units)):
        opened, closed = after[OPEN, i], after[CLOSE, i]
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
    excess = max(largest / wealth - limits[0], at_open / wealth - limits[1])
    cash += interest
    totals[EQUITY] = cash + at_close
    totals[RETURN] = totals[EQUITY] / equity - 1.0
    totals[GROSS] = at_close / totals[EQUITY]
    totals[CASH] = cash / totals[EQUITY]
    totals[TURNOVER] = traded / equity
    totals[PRICE_GAIN] = gain
    totals[INTEREST] = interest
    totals[COMMISSION] = commission
    totals[SLIPPAGE] = slippage
    totals[IMPACT] = impact
    totals[UNFILLED] = waiting
    totals[LIMIT_EXCESS] = excess if excess > DUST else 0.0
    return cash
