"""Time of the execution simulator: paths by the thousand, and the environment's steps alone.

Prints the CPU seconds of 1,000 strategies x 15 years x 15 tickers that decide random weights every
day, and, from the same run, the time a strategy of two peers that only replay the very fills the
simulator made, without projecting or sizing anything: vectorbt's `Portfolio.from_orders` where it
can be imported (the project does not depend on it), and the obvious loop in numpy. All three must
end with the same money. Then portfolio-steps a second of `Simulator.step`, and the first call with
and without compiled kernels on disk. CPU seconds are this process's, one thread; the least of the
repetitions counts. Run `python -m benchmarks.execution`.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.measurement import print_conditions
from odyssey_assets.core import execution_kernels as kernels
from odyssey_assets.core.constraints import Limits
from odyssey_assets.core.execution import Book, Fills, Simulator, TradingCosts
from odyssey_assets.core.price_panel import PricePanel

PACKAGES = ("numpy", "numba", "pandas")
SESSIONS, TICKERS, COPIES, CAPITAL = 3780, 15, 32, 1e6
LIMITS = Limits(max_weight=0.2, max_invested=0.8, min_cash=0.2)
PROPORTIONAL = TradingCosts(10.0, 5.0)
VARIANTS = (
    ("proportional costs", PROPORTIONAL),
    ("participation cap", TradingCosts(10.0, 5.0, max_participation=0.1)),
    ("cap and impact", TradingCosts(10.0, 5.0, 1.0, 0.1)),
)
FIRST_CALL = """
import time
from benchmarks.execution import LIMITS, PROPORTIONAL, random_panel, simulate
from odyssey_assets.core.execution import Simulator
simulator = Simulator(random_panel(), LIMITS, PROPORTIONAL)
start = time.process_time()
simulate(simulator, 1)
print(time.process_time() - start)
"""


def random_panel() -> PricePanel:
    """Return geometric random walks with a bar missing now and then, enough for timing."""
    generator = np.random.default_rng(42)
    shape = (SESSIONS, TICKERS)
    close = 50.0 * np.exp(np.cumsum(generator.normal(0.0003, 0.015, shape), axis=0))
    has_bar = generator.random(shape) > 0.001
    return PricePanel(
        dates=np.datetime64("2010-01-01") + np.arange(SESSIONS),
        tickers=tuple(f"T{number:02d}" for number in range(TICKERS)),
        open=close * np.exp(generator.normal(0.0, 0.005, shape)),
        close=close,
        factor=np.ones(shape),
        has_bar=has_bar,
        dollar_volume=generator.lognormal(18.0, 0.5, shape),
        volatility=np.full(shape, 0.015),
        cash_return=np.zeros(SESSIONS),
    )


def simulate(simulator: Simulator, strategies: int, *, keeps_fills: bool = False) -> Fills:
    """Simulate strategies that decide random weights at every close."""
    targets = np.random.default_rng(1).uniform(-0.05, 0.2, (strategies, SESSIONS, TICKERS))
    return simulator.simulate(
        targets,
        np.ones((strategies, SESSIONS), dtype=bool),
        np.zeros(strategies, dtype=np.int64),
        CAPITAL,
        keeps_fills=keeps_fills,
    )


def cpu_seconds(work: Callable[[], object], repetitions: int) -> float:
    """Return the least CPU seconds of this process that `work` takes."""
    seconds = []
    for _ in range(repetitions):
        start = time.process_time()
        work()
        seconds.append(time.process_time() - start)
    return min(seconds)


def simulator_seconds(costs: TradingCosts, strategies: int, repetitions: int) -> float:
    """Return the CPU seconds of all paths, random numbers and compilation apart."""
    simulator = Simulator(random_panel(), LIMITS, costs)
    targets = np.random.default_rng(1).uniform(-0.05, 0.2, (strategies, SESSIONS, TICKERS))
    decides = np.ones((strategies, SESSIONS), dtype=bool)
    first = np.zeros(strategies, dtype=np.int64)
    simulate(simulator, 1)
    return cpu_seconds(
        lambda: simulator.simulate(targets, decides, first, CAPITAL, keeps_fills=False),
        repetitions,
    )


def steps_a_second(costs: TradingCosts) -> float:
    """Return portfolio-steps a second of `step` on copies that decide random weights."""
    simulator = Simulator(random_panel(), LIMITS, costs)
    targets = np.random.default_rng(1).uniform(-0.05, 0.2, (SESSIONS, COPIES, TICKERS))
    decides, rows = np.ones(COPIES, dtype=bool), np.arange(SESSIONS)[:, None].repeat(COPIES, 1)

    def walk() -> None:
        book = Book.of_cash(CAPITAL, COPIES, TICKERS)
        for session in range(SESSIONS - 1):
            simulator.step(book, rows[session], targets[session], decides)

    return COPIES * (SESSIONS - 1) / cpu_seconds(walk, 3)


def replay_in_a_loop(panel: PricePanel, units_filled: np.ndarray) -> np.ndarray:
    """Return the equity of one strategy's fills, booked session by session in numpy."""
    rate = (PROPORTIONAL.commission_bps + PROPORTIONAL.slippage_bps) / 10_000
    units, cash = np.zeros(TICKERS), CAPITAL
    equity = np.full(SESSIONS, CAPITAL)
    for session in range(SESSIONS):
        value = units_filled[session] * panel.open[session]
        cash -= value.sum() + rate * np.abs(value).sum()
        units = units + units_filled[session]
        equity[session] = cash + units @ panel.close[session]
    return equity


def replay_in_vectorbt(panel: PricePanel, units_filled: np.ndarray) -> tuple[float, np.ndarray]:
    """Return CPU seconds of `from_orders` and the equity of each strategy at the end."""
    import vectorbt  # type: ignore[import-not-found]  # only where a person installed it

    strategies = len(units_filled)
    columns = pd.MultiIndex.from_product([range(strategies), panel.tickers])
    wide = {"index": panel.dates.astype("datetime64[ns]"), "columns": columns}
    size = pd.DataFrame(np.hstack(list(units_filled)), **wide)
    close, opens = (
        pd.DataFrame(np.tile(prices, (1, strategies)), **wide)
        for prices in (panel.close, panel.open)
    )

    def run() -> object:
        return vectorbt.Portfolio.from_orders(
            close,
            size,
            price=opens,
            fees=(PROPORTIONAL.commission_bps + PROPORTIONAL.slippage_bps) / 10_000,
            init_cash=CAPITAL,
            group_by=0,
            cash_sharing=True,
            call_seq="auto",
            freq="1D",
        )

    portfolio = run()
    return cpu_seconds(run, 2), np.asarray(portfolio.final_value())  # type: ignore[attr-defined]


def print_peers(strategies: int, ours: float) -> None:
    """Time both peers on the fills of a few strategies, and compare the money at the end."""
    panel = random_panel()
    fills = simulate(Simulator(panel, LIMITS, PROPORTIONAL), strategies, keeps_fills=True)
    units, equity = fills.by_ticker[:, :, kernels.UNITS_FILLED], fills.equity[:, -1]
    found = replay_in_a_loop(panel, units[0])[-1]
    seconds = cpu_seconds(lambda: replay_in_a_loop(panel, units[0]), 3)
    print_peer("plain loop over sessions", seconds, ours, abs(found / equity[0] - 1))
    if find_spec("vectorbt") is None:
        print("vectorbt: not installed here, not measured")
        return
    seconds, ends = replay_in_vectorbt(panel, units)
    print_peer(
        f"vectorbt from_orders, {strategies} strategies at once",
        seconds / strategies,
        ours,
        float(np.abs(ends / equity - 1).max()),
    )


def print_peer(name: str, seconds: float, ours: float, error: float) -> None:
    """Print what a strategy costs a peer, and how far its money is from ours."""
    print(
        f"{name}: {seconds * 1e3:.2f} ms a strategy to replay the fills, ratio "
        f"{seconds / ours:.1f}; money at the end differs by {error:.0e}"
    )


def first_call_seconds() -> tuple[float, float]:
    """Return CPU seconds of the first call without and with compiled kernels on disk."""
    root = Path(__file__).resolve().parents[1]
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "NUMBA_CACHE_DIR": cache}
        runs = [
            subprocess.run(
                [sys.executable, "-c", FIRST_CALL],
                cwd=root,
                env=environment,
                check=True,
                capture_output=True,
                text=True,
            ).stdout
            for _ in range(2)
        ]
    return float(runs[0]), float(runs[1])


def main() -> None:
    """Measure all and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--strategies", type=int, default=1000)
    parser.add_argument("--peer-strategies", type=int, default=20, help="that vectorbt replays")
    parser.add_argument("--repetitions", type=int, default=3)
    arguments = parser.parse_args()

    print_conditions((*PACKAGES, *(["vectorbt"] if find_spec("vectorbt") else [])))
    each = []
    for name, costs in VARIANTS:
        seconds = simulator_seconds(costs, arguments.strategies, arguments.repetitions)
        each.append(seconds / arguments.strategies)
        steps = arguments.strategies * (SESSIONS - 1) / seconds
        print(
            f"simulate, {name}: {arguments.strategies} strategies x {SESSIONS} sessions x "
            f"{TICKERS} tickers in {seconds:.2f} s CPU, {each[-1] * 1e3:.2f} ms a strategy, "
            f"{steps / 1e6:.2f} million steps a second"
        )
    print_peers(arguments.peer_strategies, each[0])
    for name, costs in VARIANTS:
        print(f"step, {COPIES} copies, {name}: {steps_a_second(costs):,.0f} steps a second")
    cold, warm = first_call_seconds()
    print(f"first call: {cold:.1f} s CPU to compile, {warm:.1f} s from compiled kernels on disk")


if __name__ == "__main__":
    main()
