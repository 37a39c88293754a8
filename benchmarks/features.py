"""Time of all features against `ta.add_all_ta_features`, both measured in this run.

Prints the CPU seconds of 500 tickers x 15 years and the ratio a ticker to `ta`, which is measured
on a few tickers. CPU seconds are this process's, one after the other. Every repetition is printed
and the least one counts: the first also pays for memory that the operating system hands out for
the first time (the result alone is 1.4 GB). Run `python -m benchmarks.features`.
"""

import argparse
import time
import warnings
from collections.abc import Callable
from datetime import date

import numpy as np
import pandas as pd

from benchmarks.measurement import print_conditions
from odyssey_assets.core.sessions import sessions_between
from odyssey_assets.features.catalog import FEATURES
from odyssey_assets.features.computation import compute_features
from odyssey_assets.settings import build_settings

PACKAGES = ("numpy", "pandas", "numba", "TA-Lib", "scikit-learn", "ta")
START, SESSIONS = date(2010, 1, 1), 3780
MACRO_LEVELS = {"VIX": 20.0, "TNX": 3.0, "DXY": 95.0, "GOLD": 1500.0}


def random_bars(tickers: tuple[str, ...], sessions: pd.DatetimeIndex) -> pd.DataFrame:
    """Return bars of geometric random walks, enough for timing and no more."""
    generator = np.random.default_rng(42)
    shape = (len(tickers), len(sessions))
    close = 50.0 * np.exp(np.cumsum(generator.normal(0.0003, 0.015, shape), axis=1))
    open_ = close * np.exp(generator.normal(0.0, 0.005, shape))
    spread = np.exp(np.abs(generator.normal(0.0, 0.006, shape)))
    return pd.DataFrame(
        {
            "ticker": pd.Series(np.repeat(tickers, len(sessions)), dtype="str"),
            "date": np.tile(sessions.to_numpy(), len(tickers)),
            "open": open_.ravel(),
            "high": (np.maximum(open_, close) * spread).ravel(),
            "low": (np.minimum(open_, close) / spread).ravel(),
            "close": close.ravel(),
            "volume": generator.lognormal(15.0, 0.5, close.size).round(),
            "split_factor": 1.0,
            "total_return_factor": 1.0,
        }
    )


def random_macro(sessions: pd.DatetimeIndex) -> pd.DataFrame:
    """Return one random walk a macro series."""
    generator = np.random.default_rng(43)
    walks = [
        pd.DataFrame(
            {
                "series": series,
                "date": sessions,
                "value": level * np.exp(np.cumsum(generator.normal(0.0, 0.01, len(sessions)))),
            }
        )
        for series, level in MACRO_LEVELS.items()
    ]
    return pd.concat(walks, ignore_index=True)


def cpu_seconds(work: Callable[[], object]) -> float:
    """Return the CPU seconds of this process that `work` takes."""
    start = time.process_time()
    work()
    return time.process_time() - start


def odyssey_seconds(
    tickers: tuple[str, ...], sessions: pd.DatetimeIndex, repetitions: int
) -> list[float]:
    """Return CPU seconds of each repetition of all features, kernels compiled before."""
    bars, macro = random_bars(tickers, sessions), random_macro(sessions)
    settings = build_settings(tickers=tickers, proxy=tickers[0])
    compute_features(bars.loc[bars["ticker"] == tickers[0]], macro, settings)
    return [
        cpu_seconds(lambda: compute_features(bars, macro, settings)) for _ in range(repetitions)
    ]


def ta_seconds(
    tickers: tuple[str, ...], sessions: pd.DatetimeIndex, repetitions: int
) -> list[float]:
    """Return CPU seconds of each repetition of `ta.add_all_ta_features`, warmed up before."""
    import ta  # type: ignore[import-untyped]  # it ships no types

    columns = ["open", "high", "low", "close", "volume"]
    histories = [frame[columns] for _, frame in random_bars(tickers, sessions).groupby("ticker")]

    def add_all() -> None:
        for history in histories:
            ta.add_all_ta_features(history.copy(), *columns)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # ta divides by zero and calls deprecated pandas functions
        add_all()
        return [cpu_seconds(add_all) for _ in range(repetitions)]


def main() -> None:
    """Measure both and print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tickers", type=int, default=500)
    parser.add_argument("--ta-tickers", type=int, default=3, help="tickers that `ta` is timed on")
    parser.add_argument("--repetitions", type=int, default=3)
    arguments = parser.parse_args()

    print_conditions(PACKAGES)
    sessions = sessions_between(START, date(2026, 1, 1))[:SESSIONS]
    tickers = tuple(f"T{number:03d}" for number in range(arguments.tickers))
    some = tickers[: arguments.ta_tickers]
    ours = odyssey_seconds(tickers, sessions, arguments.repetitions)
    theirs = ta_seconds(some, sessions, arguments.repetitions)
    ratio = (min(theirs) / len(some)) / (min(ours) / len(tickers))
    for name, seconds, size in (
        (f"odyssey, {len(FEATURES)} features", ours, len(tickers)),
        ("ta.add_all_ta_features, 86 columns", theirs, len(some)),
    ):
        runs = ", ".join(f"{second:.2f}" for second in seconds)
        print(
            f"{name}: {size} tickers x {SESSIONS} sessions in {min(seconds):.2f} s CPU "
            f"(runs: {runs}), {min(seconds) / size * 1e3:.2f} ms a ticker"
        )
    print(f"ratio a ticker: {ratio:.0f}")


if __name__ == "__main__":
    main()
