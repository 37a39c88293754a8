from dataclasses import replace

import numpy as np
import pytest

from odyssey_assets.core import execution_kernels as kernels
from odyssey_assets.core.constraints import Limits
from odyssey_assets.core.execution import Book, Fills, Simulator, TradingCosts
from odyssey_assets.core.execution_orders import DUST
from odyssey_assets.core.price_panel import PricePanel
from odyssey_assets_tests.core.price_panels import flat_panel, with_prices, without_bars

CAPITAL = 1e6
LIMITS = Limits(max_weight=0.2, max_invested=0.8, min_cash=0.2)
COSTS = TradingCosts(10.0, 5.0)
FREE = TradingCosts(0.0, 0.0)


class Walk:
    """One portfolio taken through a panel, a decision or none a session."""

    def __init__(self, panel: PricePanel, costs: TradingCosts, limits: Limits = LIMITS) -> None:
        self.simulator = Simulator(panel, limits, costs)
        self.book = Book.of_cash(CAPITAL, 1, len(panel.tickers))
        self.session = 0

    def go(self, *target: float) -> Fills:
        """Decide the weights at this close, or nothing if there are none, and go to the next."""
        wanted = np.array([target]) if target else np.zeros(self.book.units.shape)
        row, decides = np.array([self.session]), np.array([bool(target)])
        fills = self.simulator.step(self.book, row, wanted, decides)
        self.session += 1
        return fills

    @property
    def weights(self) -> np.ndarray:
        return self.simulator.weights(self.book, np.array([self.session]))[0]


def thin(panel: PricePanel, ticker: int, volume: float) -> PricePanel:
    dollars = panel.dollar_volume.copy()
    dollars[:, ticker] = volume
    return replace(panel, dollar_volume=dollars)


def test_order_whose_halt_begins_at_the_fill_waits_for_the_next_bar() -> None:
    walk = Walk(without_bars(flat_panel(5, 2), slice(1, 3), 0), FREE)

    halted = walk.go(0.2, 0.1)
    assert walk.weights == pytest.approx([0.0, 0.1])
    assert halted.totals[0, kernels.UNFILLED] == pytest.approx(0.2 * CAPITAL)
    walk.go()
    assert walk.weights == pytest.approx([0.0, 0.1])
    filled = walk.go()

    assert walk.weights == pytest.approx([0.2, 0.1])
    assert filled.totals[0, kernels.UNFILLED] == 0.0


def test_decision_while_the_ticker_is_halted_cancels_its_waiting_order() -> None:
    walk = Walk(without_bars(flat_panel(5, 2), slice(1, 3), 0), FREE)

    walk.go(0.2, 0.1)
    decided = walk.go(0.2, 0.1)
    walk.go()
    walk.go()

    assert decided.totals[0, kernels.UNFILLED] == 0.0
    assert walk.weights == pytest.approx([0.0, 0.1])


def test_halted_position_is_kept_whatever_is_decided() -> None:
    walk = Walk(without_bars(flat_panel(6, 2), slice(2, 4), 0), FREE)
    walk.go(0.2, 0.2)
    units = walk.book.units[0, 0]
    walk.go(0.0, 0.0)
    walk.go(0.0, 0.0)
    assert walk.book.units[0, 0] == units

    walk.go()
    walk.go(0.0, 0.0)

    assert (walk.book.units == 0.0).all()


def test_unlisted_ticker_has_weight_zero_until_the_open_after_its_first_close() -> None:
    panel = flat_panel(4, 2)
    for prices in (panel.open, panel.close):
        prices[:2, 1] = np.nan
    panel.has_bar[:2, 1] = False
    walk = Walk(panel, FREE)

    held = []
    for _ in range(3):
        walk.go(0.2, 0.2)
        held.append(walk.weights[1])

    assert held == pytest.approx([0.0, 0.0, 0.2])


@pytest.mark.parametrize("costs", [COSTS, TradingCosts(10.0, 5.0, 1.0, 0.1)])
def test_everything_sold_leaves_exactly_no_unit(costs: TradingCosts) -> None:
    generator = np.random.default_rng(1)
    close = 100 * np.exp(np.cumsum(generator.normal(0, 0.02, (40, 3)), axis=0))
    panel = replace(with_prices(flat_panel(40, 3), close), dollar_volume=np.full((40, 3), 4e5))
    walk = Walk(panel, costs)
    for _ in range(9):
        walk.go(0.2, 0.13, 0.07)
    assert (walk.book.units > 0).all()
    walk.go(0.0, 0.0, 0.0)
    while (walk.book.pending != 0).any():
        walk.go()

    assert (walk.book.units == 0.0).all()
    assert walk.session < 39


@pytest.mark.parametrize("left", [0.0, 1e-18])
def test_selling_of_many_positions_never_rounds_below_zero(left: float) -> None:
    tickers = 200
    close = np.random.default_rng(2).uniform(1.0, 900.0, (4, tickers))
    walk = Walk(with_prices(flat_panel(4, tickers), close), FREE)
    walk.go(*np.linspace(1e-3, 7e-3, tickers))
    assert (walk.book.units > 0).all()
    walk.go(*np.full(tickers, left))

    assert (walk.book.units >= 0.0).all()
    assert left > 0 or (walk.book.units == 0.0).all()


def test_last_crumb_of_a_position_is_sold_however_small() -> None:
    panel = thin(flat_panel(6, 1), 0, 2 * CAPITAL)
    panel.dollar_volume[1:, 0] = 0.2 * CAPITAL * (10 - 1e-10)
    walk = Walk(panel, TradingCosts(0.0, 0.0, 0.0, 0.1))
    walk.go(0.2)
    walk.go(0.0)
    assert 0 < walk.book.units[0, 0] * 100 < DUST * CAPITAL
    walk.go()

    assert walk.book.units[0, 0] == 0.0


def test_participation_cap_fills_a_part_a_session_until_the_order_is_done() -> None:
    walk = Walk(thin(flat_panel(8, 2), 0, 0.5 * CAPITAL), TradingCosts(0.0, 0.0, 0.0, 0.1))
    held, waiting = [], []
    waiting.append(walk.go(0.2, 0.2).totals[0, kernels.UNFILLED])
    held.append(walk.weights)
    for _ in range(5):
        waiting.append(walk.go().totals[0, kernels.UNFILLED])
        held.append(walk.weights)

    assert [weights[0] for weights in held] == pytest.approx([0.05, 0.1, 0.15, 0.2, 0.2, 0.2])
    assert [weights[1] for weights in held] == pytest.approx([0.2] * 6)
    assert waiting == pytest.approx(
        [0.15 * CAPITAL, 0.1 * CAPITAL, 0.05 * CAPITAL, 0.0, 0.0, 0.0], abs=1e-6
    )


@pytest.mark.parametrize("volume", [0.0, np.nan])
def test_order_in_a_ticker_of_no_or_unknown_volume_waits_under_a_cap(volume: float) -> None:
    walk = Walk(thin(flat_panel(3, 2), 0, volume), TradingCosts(10.0, 5.0, 0.0, 0.1))
    fills = walk.go(0.2, 0.2)

    assert walk.book.units[0, 0] == 0.0
    assert fills.totals[0, kernels.UNFILLED] == pytest.approx(0.2 * CAPITAL, rel=1e-3)
    assert Walk(thin(flat_panel(3, 2), 0, volume), COSTS).go(0.2, 0.2).turnover[0] > 0.39


def test_purchases_wait_for_the_sales_that_pay_for_them() -> None:
    """Five tickers share 80 %: while one cannot be sold, the one that replaces it cannot be had."""
    panel = thin(flat_panel(12, 5), 0, 0.5 * CAPITAL)
    walk = Walk(panel, TradingCosts(0.0, 0.0, 0.0, 0.1))
    for _ in range(4):
        walk.go(0.2, 0.2, 0.2, 0.2, 0.0)
    assert walk.weights == pytest.approx([0.2, 0.2, 0.2, 0.2, 0.0])

    walk.go(0.0, 0.2, 0.2, 0.2, 0.2)
    assert walk.weights == pytest.approx([0.15, 0.2, 0.2, 0.2, 0.05])
    for _ in range(3):
        walk.go()

    assert walk.weights == pytest.approx([0.0, 0.2, 0.2, 0.2, 0.2])


def test_waiting_purchase_stops_at_the_cap_when_the_price_has_risen() -> None:
    close = np.full((6, 2), 100.0)
    close[1:, 0] = 150.0
    panel = thin(with_prices(flat_panel(6, 2), close, close.copy()), 0, 1e6)
    walk = Walk(panel, TradingCosts(0.0, 0.0, 0.0, 0.1))
    walk.go(0.2, 0.0)
    for _ in range(4):
        walk.go()
        assert walk.weights[0] <= 0.2 + 1e-9

    assert walk.weights[0] == pytest.approx(0.2)


def test_cash_never_falls_below_zero_when_the_open_gaps_up() -> None:
    opens = np.full((3, 1), 100.0)
    opens[1] = 1000.0
    panel = with_prices(flat_panel(3, 1), opens.copy(), opens)
    walk = Walk(panel, COSTS, Limits(1.0, 1.0, 0.0))

    fills = walk.go(1.0)

    assert 0 <= walk.book.cash[0] < 1e-5
    assert fills.totals[0, kernels.TURNOVER] == pytest.approx(1 / 1.0015)
    assert fills.totals[0, kernels.UNFILLED] == pytest.approx(9 * CAPITAL, rel=0.01)


def test_negative_interest_is_paid_before_all_cash_is_spent() -> None:
    panel = replace(flat_panel(3, 1), cash_return=np.full(3, -0.01))
    walk = Walk(panel, COSTS, Limits(1.0, 1.0, 0.0))

    fills = walk.go(1.0)

    assert fills.totals[0, kernels.INTEREST] == -0.01 * CAPITAL
    assert walk.book.cash[0] >= 0


def test_interest_is_paid_on_the_cash_of_the_close_before() -> None:
    panel = replace(flat_panel(4, 1), cash_return=np.array([0.0, 0.001, 0.002, 0.003]))
    walk = Walk(panel, FREE)

    assert walk.go().totals[0, kernels.INTEREST] == 0.001 * CAPITAL
    before = walk.book.cash[0]
    assert walk.go(0.2).totals[0, kernels.INTEREST] == pytest.approx(0.002 * before)
    after = walk.book.cash[0]
    assert walk.go().totals[0, kernels.INTEREST] == pytest.approx(0.003 * after)


def test_drift_between_order_and_fill_is_reported_and_nothing_else() -> None:
    opens = np.full((4, 2), 100.0)
    opens[1, 0] = 110.0
    close = np.full((4, 2), 100.0)
    walk = Walk(with_prices(flat_panel(4, 2), close, opens), FREE)

    drifted, later, sold = walk.go(0.2, 0.2), walk.go(), walk.go(0.2, 0.2)

    assert drifted.totals[0, kernels.LIMIT_EXCESS] == pytest.approx(0.02)
    assert later.totals[0, kernels.LIMIT_EXCESS] == pytest.approx(0.2 / 0.98 - 0.2)
    assert sold.totals[0, kernels.LIMIT_EXCESS] == 0.0


def test_crash_of_ninety_percent_costs_what_was_held_and_selling_goes_on() -> None:
    close = np.full((4, 2), 100.0)
    close[2:, 0] = 10.0
    walk = Walk(with_prices(flat_panel(4, 2), close), FREE)
    walk.go(0.2, 0.2)
    crashed = walk.go(0.2, 0.2)

    assert crashed.returns[0] == pytest.approx(-0.18)
    walk.go(0.0, 0.0)
    assert walk.book.cash[0] == pytest.approx(0.82 * CAPITAL)


def test_order_smaller_than_rounding_is_none() -> None:
    walk = Walk(flat_panel(4, 1), FREE)
    walk.go(0.1)
    assert walk.go(0.1 + 1e-11).turnover[0] == 0.0
    assert walk.go(0.1 + 1e-9).turnover[0] == pytest.approx(1e-9, rel=1e-3)


def test_gain_is_split_at_the_open_that_fills() -> None:
    """Bought at 110 after a close of 100, marked at 121: only the way from the open is earned."""
    opens, close = np.array([[100.0], [110.0]]), np.array([[100.0], [121.0]])
    walk = Walk(with_prices(flat_panel(2, 1), close, opens), FREE)
    fills = walk.go(0.1)

    assert walk.book.units[0, 0] == pytest.approx(0.1 * CAPITAL / 100)
    assert fills.totals[0, kernels.PRICE_GAIN] == pytest.approx(1000 * 11.0)
