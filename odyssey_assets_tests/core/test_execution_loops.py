import inspect
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from odyssey_assets.core import execution_kernels as kernels
from odyssey_assets.core import execution_loops
from odyssey_assets.core.constraints import Limits
from odyssey_assets.core.execution import Book, Simulator, TradingCosts
from odyssey_assets.core.execution_loops import advance_books, source_stamp
from odyssey_assets_tests.core.price_panels import random_panel, random_targets

CAPITAL = 1e5
LIMITS = Limits(max_weight=0.3, max_invested=0.8, min_cash=0.2)
COSTS = TradingCosts(10.0, 5.0, impact_coefficient=0.5, max_participation=0.2)
PORTFOLIOS = 4


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_steps_one_by_one_equal_whole_paths_to_the_bit(seed: int) -> None:
    panel = random_panel(seed)
    targets = random_targets(seed, PORTFOLIOS, panel)
    decides = np.random.default_rng(seed).random((PORTFOLIOS, len(panel))) < 0.5
    simulator = Simulator(panel, LIMITS, COSTS)
    first = np.zeros(PORTFOLIOS, dtype=np.int64)

    whole = simulator.simulate(targets, decides, first, CAPITAL)

    book = Book.of_cash(CAPITAL, PORTFOLIOS, len(panel.tickers))
    for t in range(len(panel) - 1):
        rows = np.full(PORTFOLIOS, t)
        fills = simulator.step(book, rows, targets[:, t], decides[:, t])
        assert fills.totals.tobytes() == whole.totals[:, t + 1].tobytes()
        assert fills.by_ticker.tobytes() == whole.by_ticker[:, t + 1].tobytes()
        value = simulator.equity(book, rows + 1)
        assert value.tobytes() == np.ascontiguousarray(whole.equity[:, t + 1]).tobytes()


def test_portfolios_together_equal_each_alone_at_its_own_session() -> None:
    panel = random_panel(1)
    simulator, targets = Simulator(panel, LIMITS, COSTS), random_targets(1, PORTFOLIOS, panel)
    decides = np.ones((PORTFOLIOS, len(panel)), dtype=bool)
    first = np.array([0, 3, 9, 20])
    together = simulator.simulate(targets, decides, first, CAPITAL)
    book = Book.of_cash(CAPITAL, PORTFOLIOS, len(panel.tickers))

    for row in range(PORTFOLIOS):
        only = slice(row, row + 1)
        alone = simulator.simulate(targets[only], decides[only], first[only], CAPITAL)
        assert alone.totals.tobytes() == together.totals[only].tobytes()
        assert alone.by_ticker.tobytes() == together.by_ticker[only].tobytes()

    for ahead in range(15):
        wanted = targets[np.arange(PORTFOLIOS), first + ahead]
        fills = simulator.step(book, first + ahead, wanted, decides[:, 0])
        expected = together.totals[np.arange(PORTFOLIOS), first + ahead + 1]
        assert fills.totals.tobytes() == expected.tobytes()


def test_held_weights_and_cash_add_up_to_one() -> None:
    panel = random_panel(2)
    simulator, targets = Simulator(panel, LIMITS, COSTS), random_targets(2, PORTFOLIOS, panel)
    book = Book.of_cash(CAPITAL, PORTFOLIOS, len(panel.tickers))
    for t in range(len(panel) - 1):
        rows = np.full(PORTFOLIOS, t)
        simulator.step(book, rows, targets[:, t], np.ones(PORTFOLIOS, dtype=bool))
        held = simulator.weights(book, rows + 1)
        cash = book.cash / simulator.equity(book, rows + 1)
        assert held.sum(axis=1) + cash == pytest.approx(np.ones(PORTFOLIOS), abs=1e-12)


def test_arrays_of_any_layout_are_stepped_by_one_compiled_loop() -> None:
    panel = random_panel(3)
    simulator = Simulator(panel, LIMITS, COSTS)
    targets = np.nan_to_num(random_targets(3, PORTFOLIOS, panel))
    decides = np.ones((PORTFOLIOS, len(panel)), dtype=bool)
    first = np.zeros(PORTFOLIOS, dtype=np.int64)
    expected = simulator.simulate(targets, decides, first, CAPITAL).totals
    compiled = len(advance_books.signatures)

    frozen, turned = targets.copy(), np.asfortranarray(targets)
    frozen.flags.writeable = False
    for wanted in (frozen, turned, targets[:, :, ::-1][:, :, ::-1]):
        found = simulator.simulate(wanted, decides.astype(np.int8), first.astype(np.int32), CAPITAL)
        assert found.totals.tobytes() == expected.tobytes()
    assert len(advance_books.signatures) == compiled


def compiled_sources(module: ModuleType) -> set[str]:
    """Return the modules of this package that hold compiled functions and are used by `module`."""
    found = set()
    for value in vars(module).values():
        owner = inspect.getmodule(value) if callable(value) or inspect.ismodule(value) else None
        name = owner.__name__ if owner else ""
        if owner and name.startswith("odyssey_assets.core") and owner is not module:
            found |= compiled_sources(owner)
            if "njit(" in inspect.getsource(owner):
                found.add(name)
    return found


def test_compiled_loop_is_kept_under_all_source_that_is_compiled_into_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stamped = {module.__name__ for module in execution_loops.COMPILED_IN}
    held = [cell.cell_contents for cell in advance_books.py_func.__closure__]

    assert compiled_sources(execution_loops) == stamped
    assert held == [source_stamp()]
    monkeypatch.setattr(execution_loops, "COMPILED_IN", execution_loops.COMPILED_IN[:1])
    assert held != [source_stamp()]


def test_totals_are_named_once_each() -> None:
    names = (
        kernels.EQUITY, kernels.RETURN, kernels.GROSS, kernels.CASH, kernels.TURNOVER,
        kernels.PRICE_GAIN, kernels.INTEREST, kernels.COMMISSION, kernels.SLIPPAGE,
        kernels.IMPACT, kernels.UNFILLED, kernels.LIMIT_EXCESS,
    )  # fmt: skip
    assert sorted(names) == list(range(kernels.TOTALS))
