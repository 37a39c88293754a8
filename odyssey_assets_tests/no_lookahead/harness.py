"""Proof that a computation sees no future: cut it off, scramble it, and compare bit for bit.

`leaking_columns` recomputes on history cut at a day and on history whose rows after that day are
made up, and names every column of which a row dated at or before the day changed. Any frame with a
date column can be tested: features, thresholds, folds, observations.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

ROWS = "(rows)"
"""Name under which a row that appears or disappears is reported."""


@dataclass(frozen=True)
class Market:
    """Everything that is known: rows of `market_data.bars` and of `market_data.macro`."""

    bars: pd.DataFrame
    macro: pd.DataFrame


Computation = Callable[[Market], pd.DataFrame]


def cut(market: Market, day: pd.Timestamp) -> Market:
    """Return the market as it was known at the close of `day`."""
    return Market(*(_until(frame, "date", day) for frame in (market.bars, market.macro)))


def scrambled(market: Market, day: pd.Timestamp, seed: int) -> Market:
    """Return the market with another, random future after `day`; a tenth of its rows is missing."""
    generator = np.random.default_rng(seed)
    bars, macro = market.bars.copy(), market.macro.copy()
    future = bars["date"] > day
    scale = np.exp(generator.normal(0.0, 0.3, int(future.sum())))
    for column in ("open", "high", "low", "close"):
        bars.loc[future, column] *= scale
    bars.loc[future, "volume"] = generator.permutation(bars.loc[future, "volume"].to_numpy())
    for column in ("split_factor", "total_return_factor"):
        bars.loc[future, column] *= generator.uniform(0.5, 2.0)
    later = macro["date"] > day
    macro.loc[later, "value"] *= np.exp(generator.normal(0.0, 0.3, int(later.sum())))
    return Market(_without_some(bars, future, generator), _without_some(macro, later, generator))


def leaking_columns(
    compute: Computation,
    market: Market,
    days: Sequence[pd.Timestamp],
    date_column: str = "date",
) -> dict[str, str]:
    """Return the columns whose past depends on the future, each with where it first showed.

    Args:
        compute: What is tested; its rows are compared in the order it returns them.
        market: The full history.
        days: Where the history is cut and scrambled.
        date_column: Column of the result that says when a row is known.
    """
    whole = compute(market)
    leaks: dict[str, str] = {}
    for seed, day in enumerate(days):
        expected = _until(whole, date_column, day)
        for how, altered in (
            ("cut", cut(market, day)),
            ("scrambled", scrambled(market, day, seed)),
        ):
            found = _until(compute(altered), date_column, day)
            for column in _changed(expected, found):
                leaks.setdefault(column, f"{how} after {day.date()}")
    return leaks


def random_days(dates: pd.Series, count: int, seed: int) -> list[pd.Timestamp]:
    """Return `count` different days out of `dates`, ascending, never the last."""
    days = np.unique(dates.to_numpy())[:-1]
    chosen = np.random.default_rng(seed).choice(days, size=count, replace=False)
    return [pd.Timestamp(day) for day in np.sort(chosen)]


def _changed(expected: pd.DataFrame, found: pd.DataFrame) -> Iterator[str]:
    if len(expected) != len(found):
        yield ROWS
        return
    for column in expected.columns:
        if not expected[column].equals(found[column]):
            yield column


def _until(frame: pd.DataFrame, date_column: str, day: pd.Timestamp) -> pd.DataFrame:
    return frame.loc[frame[date_column] <= day].reset_index(drop=True)


def _without_some(
    frame: pd.DataFrame, candidates: pd.Series, generator: np.random.Generator
) -> pd.DataFrame:
    dropped = candidates & (generator.random(len(frame)) < 0.1)
    return frame.loc[~dropped].reset_index(drop=True)
