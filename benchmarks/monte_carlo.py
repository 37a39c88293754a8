"""Time of the stationary bootstrap of 15 strategies against plain loops, measured in this run.

Ours: `monte_carlo_rows` from the daily rows to the stored rows, compiled code loaded before. The
loops take path after path: pandas with `cumprod`, `cummax`, `mean` and `std`, numpy with their
namesakes; both draw blocks by the mask of Politis and Romano, and end with the three figures of
each path, quantiles not included. They are timed on fewer paths, and all are compared by the path.
Before, both loops and ours must find the same figures on the same paths. CPU seconds of this
process, one thread, every repetition printed, the least one counts.
Run `python -m benchmarks.monte_carlo`.
"""

import argparse
import math
import time
from collections.abc import Callable
from datetime import date

import numpy as np
import pandas as pd

from benchmarks.measurement import print_conditions
from odyssey_assets.backtesting.monte_carlo import monte_carlo_rows
from odyssey_assets.backtesting.path_figures import path_figures
from odyssey_assets.core.block_bootstrap import draw_paths
from odyssey_assets.core.sessions import SESSIONS_PER_YEAR, sessions_between
from odyssey_assets.settings import Settings, build_settings

PACKAGES = ("numpy", "pandas", "numba")
HISTORY_SESSIONS, PATH_SESSIONS, STRATEGIES = 3780, 1008, 15
BLOCK_SESSIONS = 20.0
TARGET_S = 0.6
ANNUAL = math.sqrt(SESSIONS_PER_YEAR)


def random_daily() -> pd.DataFrame:
    """Return daily rows of strategies that share half of their moves."""
    generator = np.random.default_rng(42)
    market = generator.standard_t(4, (HISTORY_SESSIONS, 1)) * 0.006
    own = generator.standard_t(4, (HISTORY_SESSIONS, STRATEGIES)) * 0.006
    sessions = sessions_between(date(2009, 1, 2), date(2025, 1, 1))[:HISTORY_SESSIONS]
    return pd.DataFrame(
        {
            "strategy": np.repeat(
                [f"strategy_{at:02d}" for at in range(STRATEGIES)], len(sessions)
            ),
            "date": np.tile(sessions.to_numpy(), STRATEGIES),
            "return": (0.0004 + market + own).T.ravel(),
            "is_simulated": True,
        }
    )


def masked_path(generator: np.random.Generator) -> np.ndarray:
    """Draw one path by one coin and one start a session."""
    begins = generator.random(PATH_SESSIONS) < 1 / BLOCK_SESSIONS
    begins[0] = True
    position = np.arange(PATH_SESSIONS)
    last = np.maximum.accumulate(np.where(begins, position, 0))
    starts = generator.integers(HISTORY_SESSIONS, size=PATH_SESSIONS)
    return np.asarray((starts[last] + position - last) % HISTORY_SESSIONS)


def pandas_figures(returns: pd.DataFrame, path: np.ndarray) -> np.ndarray:
    """Return wealth, Sharpe ratio and deepest drawdown of each strategy, shape (3, strategies)."""
    own = returns.iloc[path]
    wealth = (1 + own).cumprod()
    depth = (wealth / wealth.cummax().clip(lower=1.0) - 1).min()
    return np.array([wealth.iloc[-1], own.mean() / own.std() * ANNUAL, depth])


def numpy_figures(returns: np.ndarray, path: np.ndarray) -> np.ndarray:
    """Return what `pandas_figures` does."""
    own = returns[path]
    wealth = np.cumprod(1 + own, axis=0)
    depth = (wealth / np.maximum(np.maximum.accumulate(wealth), 1.0) - 1).min(axis=0)
    return np.array([wealth[-1], own.mean(axis=0) / own.std(axis=0, ddof=1) * ANNUAL, depth])


def loop(figures: Callable[[np.ndarray], np.ndarray], paths: int) -> None:
    """Draw and measure path after path."""
    generator = np.random.default_rng(42)
    for _ in range(paths):
        figures(masked_path(generator))


def cpu_seconds(work: Callable[[], object], repetitions: int) -> list[float]:
    """Return the CPU seconds of this process that each call of `work` takes."""
    taken = []
    for _ in range(repetitions):
        start = time.process_time()
        work()
        taken.append(time.process_time() - start)
    return taken


def check_agreement(table: pd.DataFrame) -> None:
    """Refuse to compare times of different results."""
    returns = table.to_numpy()
    drawn = draw_paths(np.random.default_rng(1), len(returns), BLOCK_SESSIONS, 20, PATH_SESSIONS)
    ours = path_figures(returns, drawn)
    for at, path in enumerate(drawn):
        np.testing.assert_allclose(ours[:, at], numpy_figures(returns, path), rtol=1e-9)
        np.testing.assert_allclose(ours[:, at], pandas_figures(table, path), rtol=1e-9)


def settings_of(paths: int) -> Settings:
    """Return settings of so many paths of four years."""
    return build_settings(
        backtesting={
            "monte_carlo_paths": paths,
            "monte_carlo_sessions": PATH_SESSIONS,
            "block_sessions": BLOCK_SESSIONS,
        }
    )


def main() -> None:
    """Measure all and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--paths", type=int, default=10_000)
    parser.add_argument("--loop-paths", type=int, default=500, help="paths that loops are timed on")
    parser.add_argument("--repetitions", type=int, default=5)
    arguments = parser.parse_args()

    print_conditions(PACKAGES)
    daily, settings = random_daily(), settings_of(arguments.paths)
    table = daily.pivot_table(index="date", columns="strategy", values="return")
    returns = table.to_numpy()
    check_agreement(table)
    monte_carlo_rows(daily, settings_of(10))
    few, repetitions = arguments.loop_paths, arguments.repetitions
    measured = {
        "odyssey, rows included": (
            cpu_seconds(lambda: monte_carlo_rows(daily, settings), repetitions),
            arguments.paths,
        ),
        "numpy loop": (
            cpu_seconds(lambda: loop(lambda path: numpy_figures(returns, path), few), repetitions),
            few,
        ),
        "pandas loop": (
            cpu_seconds(lambda: loop(lambda path: pandas_figures(table, path), few), repetitions),
            few,
        ),
    }
    ours = min(measured["odyssey, rows included"][0]) / arguments.paths
    for name, (seconds, paths) in measured.items():
        runs = ", ".join(f"{second:.2f}" for second in seconds)
        print(
            f"{name}: {paths} paths x {PATH_SESSIONS} sessions x {STRATEGIES} strategies in "
            f"{min(seconds):.2f} s CPU (runs: {runs}), {min(seconds) / paths * 1e6:.0f} us a path, "
            f"{min(seconds) / paths / ours:.0f} times ours"
        )
    total = ours * arguments.paths
    print(f"target {TARGET_S} s: {'met' if total <= TARGET_S else 'missed'} with {total:.2f} s")


if __name__ == "__main__":
    main()
