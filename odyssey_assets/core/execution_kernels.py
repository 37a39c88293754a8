"""The compiled heart of the execution simulator: one session of one portfolio.

`advance` is the only place in the project where an order becomes a fill; `core.execution` calls it
for one step of many portfolios and for whole paths. Arguments are trusted here.
"""

import math

import numpy as np
from numba import njit

from odyssey_assets.core.constraints import project_row

DUST = 1e-10
"""Orders below this share of equity are rounding, not orders."""
SIZING_ROUNDS = 60
EQUITY, RETURN, GROSS, CASH, TURNOVER, PRICE_GAIN, INTEREST = range(7)
COMMISSION, SLIPPAGE, IMPACT, UNFILLED, LIMIT_EXCESS = range(7, 12)
TOTALS = 12


@njit(cache=True)
def cost_of(value: float, volume: float, sigma: float, rates: np.ndarray) -> float:
    """Return what trading `value` USD costs; rates: commission, slippage, impact coefficient."""
    return value * (rates[0] + rates[1]) + impact_of(value, volume, sigma, rates[2])


@njit(cache=True)
def impact_of(value: float, volume: float, sigma: float, coefficient: float) -> float:
    """Return coefficient x sigma x sqrt(value / volume) x value; 0 where one is not known."""
    if coefficient == 0.0 or not volume > 0.0 or not sigma > 0.0:
        return 0.0
    return coefficient * sigma * math.sqrt(value / volume) * value


@njit(cache=True)
def advance(
    target: np.ndarray,
    is_decision: bool,
    before: tuple,
    after: tuple,
    limits: tuple[float, float],
    rates: np.ndarray,
    units: np.ndarray,
    pending: np.ndarray,
    cash: float,
    fills: np.ndarray,
    totals: np.ndarray,
) -> float:
    """Take one portfolio from the close of session t to the close of t + 1.

    Args:
        target: Weights decided at the close of t, shape (tickers,); not read without a decision.
        is_decision: False leaves the order that waits, if any, as it is.
        before: close, has_bar, dollar_volume, volatility of session t, each (tickers,).
        after: open, close, has_bar of session t + 1, and the return of cash up to its close.
        limits: max_weight and budget.
        rates: commission, slippage (fractions), impact coefficient, max participation.
        units: Held units of adjusted price, (tickers,); becomes what is held at t + 1.
        pending: Units ordered and not filled, (tickers,); becomes what waits at t + 1.
        cash: USD at the close of t.
        fills: Out, (5, tickers): units filled, commission, slippage, impact, USD that waits.
        totals: Out, (TOTALS,): see the indices above.

    Returns:
        Cash at the close of t + 1.
    """
    close, has_bar, volume, sigma = before
    equity = cash
    for i in range(len(units)):
        if units[i] != 0.0:
            equity += units[i] * close[i]
    if is_decision:
        _order(target, close, has_bar, volume, sigma, limits, rates, equity, units, pending)
    _fill(before, after, limits, rates, equity, cash, units, pending, fills)
    return _settle(close, after, limits, equity, cash, units, pending, fills, totals)


@njit(cache=True)
def _order(
    target: np.ndarray,
    close: np.ndarray,
    has_bar: np.ndarray,
    volume: np.ndarray,
    sigma: np.ndarray,
    limits: tuple[float, float],
    rates: np.ndarray,
    equity: float,
    units: np.ndarray,
    pending: np.ndarray,
) -> None:
    """Size the orders so that the weights are the feasible ones after all costs are paid.

    Equity after costs E solves E + costs(w E - held) = equity; costs are a small fraction of
    what is traded, so the fixed-point iteration contracts.
    """
    count = len(units)
    caps = np.zeros(count)
    budget = limits[1]
    for i in range(count):
        if has_bar[i]:
            caps[i] = limits[0]
        elif units[i] != 0.0:
            budget -= units[i] * close[i] / equity
    weights = np.empty(count)
    project_row(target, caps, max(budget, 0.0), weights)
    left = equity
    for _ in range(SIZING_ROUNDS):
        cost = 0.0
        for i in range(count):
            if has_bar[i]:
                change = abs(weights[i] * left - units[i] * close[i])
                cost += cost_of(change, volume[i], sigma[i], rates)
        former, left = left, equity - cost
        if abs(left - former) <= 1e-15 * equity:
            break
    for i in range(count):
        pending[i] = 0.0
        if has_bar[i]:
            change = weights[i] * left - units[i] * close[i]
            if weights[i] == 0.0:
                pending[i] = -units[i]
            elif abs(change) > DUST * equity:
                pending[i] = change / close[i]


@njit(cache=True)
def _fill(
    before: tuple,
    after: tuple,
    limits: tuple[float, float],
    rates: np.ndarray,
    equity: float,
    cash: float,
    units: np.ndarray,
    pending: np.ndarray,
    fills: np.ndarray,
) -> None:
    """Fill what the session allows: sales first, then purchases as far as cash and limits reach."""
    close, _, volume, sigma = before
    opens, _, has_bar, _ = after
    costs, invested, cash_left, bought, needed = 0.0, 0.0, cash, 0.0, 0.0
    for i in range(len(units)):
        quantity = _capped(pending[i], opens[i], volume[i], rates[3]) if has_bar[i] else 0.0
        fills[0, i] = quantity
        if units[i] != 0.0:
            invested += units[i] * close[i]
        if quantity == 0.0:
            continue
        value = abs(quantity) * opens[i]
        cost = cost_of(value, volume[i], sigma[i], rates)
        costs += cost_of(abs(quantity) * close[i], volume[i], sigma[i], rates)
        if quantity < 0.0:
            cash_left += value - cost
            invested += quantity * close[i]
        else:
            needed += value + cost
            bought += quantity * close[i]
    room = max(limits[1] * (equity - costs) - invested, 0.0)
    share = 1.0
    if bought > room + DUST * equity:
        share = room / bought
    if needed > cash_left:
        share = min(share, max(cash_left, 0.0) / needed)
    for i in range(len(units)):
        if fills[0, i] > 0.0:
            fills[0, i] *= share
        value = abs(fills[0, i]) * opens[i] if fills[0, i] != 0.0 else 0.0
        fills[1, i] = value * rates[0]
        fills[2, i] = value * rates[1]
        fills[3, i] = impact_of(value, volume[i], sigma[i], rates[2])


@njit(cache=True)
def _capped(quantity: float, price: float, volume: float, participation: float) -> float:
    """Return the part of an order that the participation cap lets through."""
    if quantity == 0.0 or participation >= 1e9:
        return quantity
    if not volume > 0.0:
        return 0.0
    most = participation * volume / price
    return min(max(quantity, -most), most)


@njit(cache=True)
def _settle(
    close: np.ndarray,
    after: tuple,
    limits: tuple[float, float],
    equity: float,
    cash: float,
    units: np.ndarray,
    pending: np.ndarray,
    fills: np.ndarray,
    totals: np.ndarray,
) -> float:
    """Book the fills, mark to the close, and write the totals; return the cash."""
    opens, closes, _, cash_return = after
    totals[:] = 0.0
    interest = cash * cash_return
    cash += interest
    at_open, at_close, largest = 0.0, 0.0, 0.0
    for i in range(len(units)):
        if units[i] != 0.0:
            totals[PRICE_GAIN] += units[i] * (opens[i] - close[i])
        quantity = fills[0, i]
        if quantity != 0.0:
            cash -= quantity * opens[i] + (fills[1, i] + fills[2, i] + fills[3, i])
            totals[TURNOVER] += abs(quantity) * opens[i] / equity
            units[i] = 0.0 if quantity == -units[i] else units[i] + quantity
            pending[i] -= quantity
        if abs(pending[i]) * close[i] <= DUST * equity:
            pending[i] = 0.0
        fills[4, i] = abs(pending[i]) * opens[i] if pending[i] != 0.0 else 0.0
        for k in range(4):
            totals[COMMISSION + k] += fills[1 + k, i]
        if units[i] != 0.0:
            totals[PRICE_GAIN] += units[i] * (closes[i] - opens[i])
            at_open += units[i] * opens[i]
            at_close += units[i] * closes[i]
            largest = max(largest, units[i] * opens[i])
    wealth_at_open = cash + at_open
    excess = max(largest / wealth_at_open - limits[0], at_open / wealth_at_open - limits[1])
    totals[LIMIT_EXCESS] = excess if excess > DUST else 0.0
    totals[EQUITY] = cash + at_close
    totals[RETURN] = totals[EQUITY] / equity - 1.0
    totals[GROSS] = at_close / totals[EQUITY]
    totals[CASH] = cash / totals[EQUITY]
    totals[INTEREST] = interest
    return cash
