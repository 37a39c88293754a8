"""The execution simulator once more, slow and plain, as an oracle: one portfolio, floats, dicts.

Nothing here is shared with `odyssey_assets.core`: the projection and the sizing are found by
bisection, fills by the words of the simulator's docstring.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from odyssey_assets.core.constraints import Limits
from odyssey_assets.core.execution import TradingCosts
from odyssey_assets.core.price_panel import PricePanel

MAX_IMPACT = 0.5
DUST = 1e-10


@dataclass
class SlowPortfolio:
    """One portfolio: units and waiting orders by ticker, cash in USD."""

    cash: float
    units: dict[int, float] = field(default_factory=dict)
    waiting: dict[int, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Day:
    """What happened in a session, USD; `filled` in units by ticker."""

    equity: float
    price_gain: float
    interest: float
    costs: float
    traded: float
    excess: float
    filled: dict[int, float]


def bisect(is_above: Callable[[float], bool], low: float, high: float) -> float:
    """Return the point at which `is_above` turns true."""
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (low, middle) if is_above(middle) else (middle, high)
    return high


def project_slowly(targets: dict[int, float], cap: float, budget: float) -> dict[int, float]:
    """Return the nearest weights in [0, cap] with a sum of at most `budget`."""

    def shifted(shift: float) -> dict[int, float]:
        return {i: min(max(target - shift, 0.0), cap) for i, target in targets.items()}

    if sum(shifted(0.0).values()) <= budget:
        return shifted(0.0)
    most = max(targets.values())
    return shifted(bisect(lambda shift: sum(shifted(shift).values()) <= budget, 0.0, most))


@dataclass(frozen=True)
class SlowMarket:
    """A panel, limits and costs, and what can be read off them."""

    panel: PricePanel
    limits: Limits
    costs: TradingCosts

    def cost(self, value: float, t: int, i: int) -> float:
        """Return commission, slippage and impact of trading `value` USD decided at t."""
        rate = (self.costs.commission_bps + self.costs.slippage_bps) / 10_000
        scale = self.costs.impact_coefficient * self.panel.volatility[t, i]
        if value == 0 or not scale > 0:
            return rate * value
        volume = max(self.panel.dollar_volume[t, i], 0.0)
        volume = 0.0 if math.isnan(volume) else volume
        edge = volume * (MAX_IMPACT / 1.5 / scale) ** 2
        if value >= edge:
            return rate * value + MAX_IMPACT * value - MAX_IMPACT * edge / 3
        return rate * value + scale * math.sqrt(value / volume) * value

    def held(self, portfolio: SlowPortfolio, t: int) -> dict[int, float]:
        """Return the value of each position at the close of t."""
        return {i: units * self.panel.close[t, i] for i, units in portfolio.units.items()}

    def order(self, portfolio: SlowPortfolio, t: int, target: dict[int, float]) -> None:
        """Replace the waiting orders by those that lead to the feasible weights after costs."""
        held = self.held(portfolio, t)
        equity = portfolio.cash + sum(held.values())
        traded = [i for i in target if self.panel.has_bar[t, i]]
        fixed = sum(value for i, value in held.items() if i not in traded) / equity
        weights = project_slowly(
            {i: target[i] for i in traded},
            self.limits.max_weight,
            max(self.limits.budget - fixed, 0.0),
        )

        def costs_all(left: float) -> bool:
            changes = {i: abs(weights[i] * left - held.get(i, 0.0)) for i in traded}
            return left + sum(self.cost(change, t, i) for i, change in changes.items()) >= equity

        left = bisect(costs_all, 0.0, equity)
        portfolio.waiting = {}
        for i in traded:
            change = weights[i] * left - held.get(i, 0.0)
            if weights[i] == 0:
                portfolio.waiting[i] = -portfolio.units.get(i, 0.0)
            elif abs(change) > DUST * equity:
                portfolio.waiting[i] = change / self.panel.close[t, i]

    def fill(self, portfolio: SlowPortfolio, t: int) -> dict[int, float]:
        """Return the units that fill at the open of t + 1."""
        held, close, opens = self.held(portfolio, t), self.panel.close[t], self.panel.open[t + 1]
        equity = portfolio.cash + sum(held.values())
        quantity = {i: q for i, q in portfolio.waiting.items() if self.panel.has_bar[t + 1, i]}
        if self.costs.max_participation is not None:
            for i, wanted in quantity.items():
                volume = self.panel.dollar_volume[t, i]
                most = self.costs.max_participation * volume / opens[i] if volume > 0 else 0.0
                quantity[i] = max(min(wanted, most), -most)
        wealth = equity - sum(self.cost(abs(q) * close[i], t, i) for i, q in quantity.items())
        for i, wanted in quantity.items():
            room = max(self.limits.max_weight * wealth - held.get(i, 0.0), 0.0)
            if wanted * close[i] > room + DUST * equity:
                quantity[i] = room / close[i]
        sales = {i: q for i, q in quantity.items() if q < 0}
        purchases = {i: q for i, q in quantity.items() if q > 0}
        room = self.limits.budget * wealth - sum(held.values())
        room += sum(-q * close[i] for i, q in sales.items())
        cash = portfolio.cash * (1 + min(self.panel.cash_return[t + 1], 0.0))
        for i, q in sales.items():
            cash += -q * opens[i] - self.cost(-q * opens[i], t, i)
        bought = sum(q * close[i] for i, q in purchases.items())
        needed = sum(q * opens[i] + self.cost(q * opens[i], t, i) for i, q in purchases.items())
        share = 1.0
        if bought > max(room, 0.0) + DUST * equity:
            share = max(room, 0.0) / bought
        if needed > cash:
            share = min(share, cash / needed)
        return sales | {i: q * share for i, q in purchases.items()}

    def step(self, portfolio: SlowPortfolio, t: int, target: dict[int, float] | None) -> Day:
        """Take the portfolio to the close of t + 1; a target is a decision."""
        if target is not None:
            self.order(portfolio, t, target)
        close, opens, marks = self.panel.close[t], self.panel.open[t + 1], self.panel.close[t + 1]
        filled = self.fill(portfolio, t)
        interest = portfolio.cash * self.panel.cash_return[t + 1]
        gain = sum(units * (opens[i] - close[i]) for i, units in portfolio.units.items())
        costs = traded = 0.0
        for i, quantity in filled.items():
            costs += self.cost(abs(quantity) * opens[i], t, i)
            traded += abs(quantity) * opens[i]
            portfolio.cash -= quantity * opens[i]
            portfolio.units[i] = portfolio.units.get(i, 0.0) + quantity
            portfolio.waiting[i] -= quantity
        portfolio.cash -= costs
        at_open = [units * opens[i] for i, units in portfolio.units.items()]
        wealth = portfolio.cash + sum(at_open)
        excess = max(
            max(at_open, default=0.0) / wealth - self.limits.max_weight,
            sum(at_open) / wealth - self.limits.budget,
        )
        gain += sum(units * (marks[i] - opens[i]) for i, units in portfolio.units.items())
        portfolio.cash += interest
        equity = portfolio.cash + sum(self.held(portfolio, t + 1).values())
        return Day(equity, gain, interest, costs, traded, max(excess, 0.0), filled)
