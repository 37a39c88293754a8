from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from odyssey_assets.core import execution_kernels as kernels
from odyssey_assets.core.constraints import Limits
from odyssey_assets.core.execution import Book, Fills, Simulator, TradingCosts
from odyssey_assets.errors import SettingsError
from odyssey_assets_tests.core.price_panels import flat_panel, random_panel, random_targets
from odyssey_assets_tests.core.slow_execution import SlowMarket, SlowPortfolio

CAPITAL = 1e6
LIMITS = Limits(max_weight=0.3, max_invested=0.8, min_cash=0.2)
MANY_COSTS = (
    TradingCosts(10.0, 5.0),
    TradingCosts(0.0, 0.0),
    TradingCosts(10.0, 5.0, impact_coefficient=1.0),
    TradingCosts(10.0, 5.0, max_participation=0.1),
    TradingCosts(30.0, 15.0, impact_coefficient=2.0, max_participation=0.5),
)
SEEDS = st.integers(0, 2**32 - 1)
COSTS = st.sampled_from(MANY_COSTS)


def wild_path(seed: int, costs: TradingCosts, limits: Limits = LIMITS) -> tuple[Simulator, Fills]:
    """Run three portfolios that decide now and then through a wild market."""
    panel = random_panel(seed)
    decides = np.random.default_rng(seed).random((3, len(panel))) < 0.5
    decides[:, 0] = True
    simulator = Simulator(panel, limits, costs)
    fills = simulator.simulate(
        random_targets(seed, 3, panel), decides, np.array([0, 0, 7]), CAPITAL
    )
    return simulator, fills


def figures(fills: Fills, *indices: int) -> np.ndarray:
    return np.asarray(fills.totals[..., list(indices)].sum(axis=-1))


@given(seed=SEEDS, costs=COSTS)
@settings(max_examples=60, deadline=None)
def test_equity_change_is_price_gain_and_interest_less_costs(
    seed: int, costs: TradingCosts
) -> None:
    _, fills = wild_path(seed, costs)
    equity = np.where(np.isnan(fills.equity), CAPITAL, fills.equity)

    explained = figures(fills, kernels.PRICE_GAIN, kernels.INTEREST) - fills.costs
    change = np.diff(equity, axis=1)

    is_known = ~np.isnan(explained[:, 1:])
    error = np.abs(change - explained[:, 1:])[is_known] / equity[:, :-1][is_known]
    assert is_known.sum() == 39 + 39 + 32
    assert error.max() < 1e-9


@given(seed=SEEDS, costs=COSTS, limits=st.sampled_from([LIMITS, Limits(1.0, 1.0, 0.0)]))
@settings(max_examples=100, deadline=None)
def test_equity_is_cash_and_the_value_of_all_units_ever_filled(
    seed: int, costs: TradingCosts, limits: Limits
) -> None:
    simulator, fills = wild_path(seed, costs, limits)
    units = np.cumsum(fills.by_ticker[:, :, kernels.UNITS_FILLED], axis=1)
    value = np.nansum(units * simulator.panel.close, axis=2)
    cash = fills.totals[..., kernels.CASH] * fills.equity

    assert (units >= 0).all()
    assert np.nanmin(cash) >= 0
    is_known = ~np.isnan(fills.equity)
    assert (cash + value)[is_known] == pytest.approx(fills.equity[is_known], rel=1e-9)


@given(seed=SEEDS, costs=COSTS)
@settings(max_examples=20, deadline=None)
def test_wild_market_ends_as_a_slow_plain_simulator_says(seed: int, costs: TradingCosts) -> None:
    panel = random_panel(seed)
    targets = random_targets(seed, 1, panel)[0]
    decides = np.random.default_rng(seed).random(len(panel)) < 0.5
    slow, portfolio = SlowMarket(panel, LIMITS, costs), SlowPortfolio(CAPITAL)

    fills = Simulator(panel, LIMITS, costs).simulate(
        targets[None], decides[None], np.array([0]), CAPITAL
    )

    for t in range(len(panel) - 1):
        wanted = {i: float(weight) for i, weight in enumerate(targets[t])}
        day = slow.step(portfolio, t, wanted if decides[t] else None)
        found = fills.totals[0, t + 1]
        assert found[kernels.EQUITY] == pytest.approx(day.equity, rel=1e-9)
        expected = (day.price_gain, day.interest, day.costs, day.traded)
        traded = found[kernels.TURNOVER] * found[kernels.EQUITY] / (1 + found[kernels.RETURN])
        assert (
            found[kernels.PRICE_GAIN],
            found[kernels.INTEREST],
            fills.costs[0, t + 1],
            traded,
        ) == pytest.approx(expected, abs=1e-8 * day.equity)
        assert found[kernels.LIMIT_EXCESS] == pytest.approx(day.excess, abs=1e-8)


@given(seed=SEEDS, costs=COSTS)
@settings(max_examples=60, deadline=None)
def test_nothing_fills_without_a_bar_or_beyond_the_volume(seed: int, costs: TradingCosts) -> None:
    simulator, fills = wild_path(seed, costs)
    panel, units = simulator.panel, fills.by_ticker[:, :, kernels.UNITS_FILLED]
    value = np.abs(units[:, 1:]) * np.nan_to_num(panel.open[1:])

    assert (units[:, ~panel.has_bar] == 0).all()
    assert (units[:, 0] == 0).all()
    if costs.max_participation is not None:
        most = costs.max_participation * np.nan_to_num(panel.dollar_volume[:-1])
        assert (value <= most * (1 + 1e-12)).all()


@given(seed=SEEDS, costs=COSTS)
@settings(max_examples=30, deadline=None)
def test_purchase_never_breaks_a_limit_at_the_prices_that_ordered_it(
    seed: int, costs: TradingCosts
) -> None:
    """Opens that equal the close before leave nothing to drift between order and fill."""
    wild = random_panel(seed)
    panel = replace(wild, open=np.vstack([wild.open[:1], wild.close[:-1]]))
    panel = replace(panel, open=np.where(np.isnan(panel.open), wild.open, panel.open))
    simulator, targets = Simulator(panel, LIMITS, costs), random_targets(seed, 1, panel)
    book = Book.of_cash(CAPITAL, 1, len(panel.tickers))
    for t in range(len(panel) - 1):
        before = book.units.copy()
        fills = simulator.step(book, np.array([t]), targets[:, t], np.array([t % 3 == 0]))
        value = book.units[0] * np.nan_to_num(panel.open[t + 1])
        after = value / (book.cash[0] - fills.totals[0, kernels.INTEREST] + value.sum())
        is_bought = book.units[0] > before[0]
        assert (after[is_bought] <= LIMITS.max_weight + 1e-9).all()
        assert not is_bought.any() or after.sum() <= LIMITS.budget + 1e-9


def test_scale_of_capital_changes_nothing_without_cap_and_impact() -> None:
    panel = random_panel(3)
    targets, decides = random_targets(3, 2, panel), np.ones((2, len(panel)), dtype=bool)
    simulator = Simulator(panel, LIMITS, MANY_COSTS[0])
    small, large = (
        simulator.simulate(targets, decides, np.zeros(2, int), capital) for capital in (1e3, 1e9)
    )

    assert large.returns[:, 1:] == pytest.approx(small.returns[:, 1:], abs=1e-12)


def test_without_a_decision_nothing_is_ever_traded() -> None:
    panel = random_panel(4)
    fills = Simulator(panel, LIMITS, MANY_COSTS[4]).simulate(
        random_targets(4, 2, panel), np.zeros((2, len(panel)), dtype=bool), np.zeros(2, int), 1e6
    )

    assert (fills.turnover[:, 1:] == 0).all()
    interest = CAPITAL * np.cumprod(1 + panel.cash_return[1:])
    assert fills.equity[0, 1:] == pytest.approx(interest, rel=1e-12)


def test_costs_tripled_cost_three_times_as_much_on_the_same_purchase() -> None:
    panel, targets = flat_panel(2, 2), np.full((1, 2, 2), 0.2)
    paid = [
        Simulator(panel, LIMITS, TradingCosts(bps, bps / 2))
        .simulate(targets, np.ones((1, 2), dtype=bool), np.array([0]), CAPITAL)
        .costs[0, 1]
        for bps in (10.0, 30.0)
    ]

    # the purchase itself shrinks a little, by the costs it has to pay
    rates = np.array([0.0015, 0.0045])
    assert paid == pytest.approx(0.4 * CAPITAL * rates / (1 + 0.4 * rates), rel=1e-12)


def test_rows_up_to_the_first_decision_are_empty() -> None:
    _, fills = wild_path(5, MANY_COSTS[0])

    assert np.isnan(fills.totals[2, :8]).all()
    assert not np.isnan(fills.totals[2, 8:]).any()
    assert (fills.by_ticker[2, :8] == 0).all()


def test_limits_of_each_portfolio_are_its_own() -> None:
    panel, each = random_panel(6), (Limits(0.1, 0.3, 0.2), Limits(1.0, 1.0, 0.0), LIMITS)
    targets = np.tile(random_targets(6, 1, panel), (3, 1, 1))
    decides, first = np.ones((3, len(panel)), dtype=bool), np.zeros(3, dtype=np.int64)
    together = Simulator(panel, each, MANY_COSTS[3]).simulate(targets, decides, first, CAPITAL)

    for row, limits in enumerate(each):
        alone = Simulator(panel, limits, MANY_COSTS[3]).simulate(
            targets[:1], decides[:1], first[:1], CAPITAL
        )
        assert alone.totals.tobytes() == together.totals[row].tobytes()
    assert together.totals[0].tobytes() != together.totals[1].tobytes()


def test_fills_are_left_out_on_demand_and_nothing_else_changes() -> None:
    panel, decides = random_panel(7), np.ones((2, 40), dtype=bool)
    simulator, targets = Simulator(panel, LIMITS, MANY_COSTS[3]), random_targets(7, 2, panel)
    kept, left_out = (
        simulator.simulate(targets, decides, np.zeros(2, int), CAPITAL, keeps_fills=keeps)
        for keeps in (True, False)
    )

    assert left_out.by_ticker.size == 0
    assert left_out.totals.tobytes() == kept.totals.tobytes()


def test_target_that_is_not_finite_is_refused_and_leaves_the_book_alone() -> None:
    panel = flat_panel(3, 2)
    book, simulator = Book.of_cash(CAPITAL, 2, 2), Simulator(panel, LIMITS, MANY_COSTS[0])
    wanted = np.array([[0.1, 0.1], [0.1, np.nan]])

    with pytest.raises(ValueError, match=r"portfolio 1 for T1 on 2020-01-02"):
        simulator.step(book, np.array([1, 1]), wanted, np.array([True, True]))
    assert (book.units == 0).all()
    assert (book.cash == CAPITAL).all()
    simulator.step(book, np.array([1, 1]), wanted, np.array([True, False]))
    assert (book.units[0] > 0).all()
    with pytest.raises(ValueError, match="portfolio 0 for T"):
        simulator.simulate(
            np.full((1, 3, 2), np.inf), np.ones((1, 3), dtype=bool), np.array([0]), CAPITAL
        )


@pytest.mark.parametrize("session", [-1, 2])
def test_session_without_a_next_one_is_refused(session: int) -> None:
    simulator = Simulator(flat_panel(3, 2), LIMITS, MANY_COSTS[0])
    with pytest.raises(ValueError, match="rows from 0 to 1"):
        simulator.step(
            Book.of_cash(CAPITAL, 1, 2), np.array([session]), np.zeros((1, 2)), np.array([True])
        )


def test_arrays_of_another_shape_are_refused() -> None:
    simulator = Simulator(flat_panel(3, 2), (LIMITS, LIMITS), MANY_COSTS[0])
    rows, decides = np.array([0, 0]), np.array([True, True])
    with pytest.raises(ValueError, match=r"shape \(2, 3\), expected \(2, 2\)"):
        simulator.step(Book.of_cash(CAPITAL, 2, 2), rows, np.zeros((2, 3)), decides)
    with pytest.raises(ValueError, match="expected 2 portfolios and 2 tickers"):
        simulator.step(Book.of_cash(CAPITAL, 2, 3), rows, np.zeros((2, 3)), decides)
    with pytest.raises(ValueError, match="2 limits for 1 portfolios"):
        simulator.equity(Book.of_cash(CAPITAL, 1, 2), rows[:1])
    with pytest.raises(ValueError, match="first rows"):
        simulator.simulate(np.zeros((2, 3, 2)), np.zeros((2, 3), bool), np.array([0, -1]), CAPITAL)


@pytest.mark.parametrize("name", ["commission_bps", "impact_coefficient", "max_participation"])
@pytest.mark.parametrize("value", [-1.0, np.nan, np.inf])
def test_senseless_costs_are_refused(name: str, value: float) -> None:
    with pytest.raises(SettingsError, match=name):
        TradingCosts(**{"commission_bps": 10.0, "slippage_bps": 5.0, name: value})


def test_costs_of_half_the_traded_value_are_refused() -> None:
    with pytest.raises(SettingsError, match="half its value"):
        TradingCosts(4_000.0, 1_000.0)
