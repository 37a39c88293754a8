import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from odyssey_assets.core.constraints import Limits, project
from odyssey_assets.core.execution import Book, Simulator, TradingCosts
from odyssey_assets.core.execution_orders import MAX_IMPACT, impact_of
from odyssey_assets_tests.core.price_panels import (
    flat_panel,
    random_panel,
    random_targets,
    without_bars,
)

CAPITAL = 1e6
LIMITS = Limits(max_weight=0.2, max_invested=0.8, min_cash=0.2)
FREE = TradingCosts(0.0, 0.0)
DECIDES = np.array([True])
VALUES = st.floats(1.0, 1e9)


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_feasible_weights_lead_to_the_same_step_as_the_targets_to_the_bit(seed: int) -> None:
    panel = random_panel(seed)
    targets, simulator = random_targets(seed, 2, panel), Simulator(panel, LIMITS, FREE)
    book, other = (Book.of_cash(CAPITAL, 2, len(panel.tickers)) for _ in range(2))
    both = np.ones(2, dtype=bool)
    for t in range(len(panel) - 1):
        rows = np.full(2, t)
        wanted = simulator.feasible(book, rows, targets[:, t])
        assert simulator.feasible(book, rows, wanted).tobytes() == wanted.tobytes()
        fills = simulator.step(book, rows, targets[:, t], both)
        again = simulator.step(other, rows, wanted, both)
        assert again.totals.tobytes() == fills.totals.tobytes()


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_feasible_weights_are_the_nearest_that_keep_what_cannot_be_traded(seed: int) -> None:
    panel = random_panel(seed)
    targets, simulator = random_targets(seed, 1, panel), Simulator(panel, LIMITS, FREE)
    book = Book.of_cash(CAPITAL, 1, len(panel.tickers))
    for t in range(len(panel)):
        rows, is_traded = np.array([t]), panel.has_bar[t]
        held = simulator.weights(book, rows)[0]
        found = simulator.feasible(book, rows, targets[:, t])[0]
        left = max(LIMITS.budget - held[~is_traded].sum(), 0.0)
        nearest = project(targets[0, t, is_traded], LIMITS.max_weight, left)
        assert found[~is_traded] == pytest.approx(held[~is_traded], abs=1e-15)
        assert found[is_traded] == pytest.approx(nearest, abs=1e-12)
        assert (found[np.isnan(panel.close[t])] == 0).all()
        if t < len(panel) - 1:
            simulator.step(book, rows, targets[:, t], DECIDES)


def test_feasible_weights_of_the_newest_session_need_no_later_one() -> None:
    simulator = Simulator(flat_panel(2, 6), LIMITS, FREE)
    book = Book.of_cash(CAPITAL, 1, 6)

    found = simulator.feasible(book, np.array([1]), np.full((1, 6), 0.5))

    assert found[0] == pytest.approx(np.full(6, 0.8 / 6))
    assert (book.units == 0).all()
    assert (book.pending == 0).all()


def test_halted_position_uses_up_the_budget_of_the_others() -> None:
    panel = without_bars(flat_panel(4, 5), slice(2, 3), 0)
    simulator, book = Simulator(panel, LIMITS, FREE), Book.of_cash(CAPITAL, 1, 5)
    simulator.step(book, np.array([0]), np.array([[0.2, 0, 0, 0, 0]]), DECIDES)
    simulator.step(book, np.array([1]), np.zeros((1, 5)), np.array([False]))

    found = simulator.feasible(book, np.array([2]), np.array([[0.0, 0.2, 0.2, 0.2, 0.2]]))

    assert found[0] == pytest.approx([0.2, 0.15, 0.15, 0.15, 0.15])


@pytest.mark.parametrize("costs", [TradingCosts(10.0, 5.0), TradingCosts(500.0, 0.0, 1.5), FREE])
def test_orders_leave_exactly_the_feasible_weights_after_all_costs(costs: TradingCosts) -> None:
    """At still prices the weights after the fill are those that were aimed at."""
    panel = replace(flat_panel(12, 6), dollar_volume=np.full((12, 6), 2e6))
    simulator, book = Simulator(panel, LIMITS, costs), Book.of_cash(CAPITAL, 1, 6)
    targets = np.random.default_rng(1).normal(0.15, 0.2, (12, 1, 6))
    for t in range(11):
        wanted = simulator.feasible(book, np.array([t]), targets[t])
        fills = simulator.step(book, np.array([t]), targets[t], DECIDES)
        assert simulator.weights(book, np.array([t + 1])) == pytest.approx(wanted, abs=1e-9)
        assert fills.costs[0] > 0 or costs is FREE


def test_one_purchase_costs_what_the_formula_says() -> None:
    """w E is bought out of E (1 + rate w) = capital, with commission and slippage as the rate."""
    fills = Simulator(flat_panel(2, 1), LIMITS, TradingCosts(10.0, 5.0)).simulate(
        np.full((1, 2, 1), 0.2), np.ones((1, 2), dtype=bool), np.array([0]), CAPITAL
    )
    bought = 0.2 * CAPITAL / (1 + 0.2 * 0.0015)

    assert fills.by_ticker[0, 1, 0, 0] == pytest.approx(bought / 100.0, rel=1e-13)
    assert fills.by_ticker[0, 1, 1, 0] == pytest.approx(bought * 0.0010, rel=1e-13)
    assert fills.by_ticker[0, 1, 2, 0] == pytest.approx(bought * 0.0005, rel=1e-13)
    assert fills.equity[0, 1] == pytest.approx(CAPITAL - bought * 0.0015, rel=1e-13)
    assert fills.turnover[0, 1] == pytest.approx(bought / CAPITAL, rel=1e-13)


def test_impact_of_a_purchase_follows_the_square_root_law() -> None:
    """Daily volatility 2 %, a hundredth of the daily volume: 1.5 x 0.02 x 0.1 of the value."""
    assert impact_of(1e6, 1e8, 0.02, 1.5)[0] == pytest.approx(1e6 * 1.5 * 0.02 * 0.1, rel=1e-14)


@given(value=VALUES, volume=st.floats(1.0, 1e10), scale=st.floats(1e-3, 10.0))
@settings(max_examples=200, deadline=None)
def test_impact_is_convex_rises_and_never_reaches_half_the_value(
    value: float, volume: float, scale: float
) -> None:
    low, middle, high = (impact_of(value * share, volume, 0.02, scale) for share in (0.5, 1.0, 1.5))

    assert low[0] + high[0] >= 2 * middle[0] * (1 - 1e-12)
    assert 0 < low[0] < middle[0] < high[0]
    assert 0 < low[1] <= middle[1] <= high[1] <= MAX_IMPACT
    assert middle[0] < MAX_IMPACT * value or math.isclose(middle[0], MAX_IMPACT * value)
    slope = (impact_of(value * 1.0001, volume, 0.02, scale)[0] - middle[0]) / (value * 0.0001)
    assert slope == pytest.approx(middle[1], rel=1e-3)


@pytest.mark.parametrize(
    ("volume", "volatility", "coefficient", "expected"),
    [(0.0, 0.02, 1.0, 500.0), (1e6, 0.0, 1.0, 0.0), (1e6, 0.02, 0.0, 0.0)],
)
def test_impact_without_volume_is_the_largest_and_without_volatility_none(
    volume: float, volatility: float, coefficient: float, expected: float
) -> None:
    assert impact_of(1000.0, volume, volatility, coefficient)[0] == expected
    assert impact_of(0.0, volume, volatility, coefficient) == (0.0, 0.0)
