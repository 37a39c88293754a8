"""Histories of which everything after a day is another: what decides on the day cannot tell them.

Rows of one table for the look-ahead tests of single computations belong to `no_lookahead.harness`.
"""

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd

from odyssey_assets.core.windows import window_of
from odyssey_assets.features.labels import DIRECTION_HORIZON
from odyssey_assets.replay import History
from odyssey_assets.simulated_loop import Simulation
from odyssey_assets.simulated_portfolio import KeptPortfolio, SimulatedPortfolio

SPREAD = 0.3


def with_other_future(history: History, day: date, rng: np.random.Generator) -> History:
    """Return the history with other rows, and other outcomes, after `day`."""
    return History(
        features=_scrambled(history.features, day, rng),
        labels=_with_other_outcomes(history.labels, day, rng),
        bars=_scrambled(history.bars, day, rng),
        folds=_scrambled(history.folds, window_of(day).start, rng, "window"),
        predictions=_scrambled(history.predictions, day, rng),
    )


def portfolio_with_other_future(
    portfolio: SimulatedPortfolio, history: History, day: date, rng: np.random.Generator
) -> SimulatedPortfolio:
    """Return a portfolio that nobody has looked at, over `history`, other rows after `day`."""
    kept = portfolio.kept
    return SimulatedPortfolio(
        history,
        KeptPortfolio(
            policies=_scrambled(kept.policies, window_of(day).start, rng, "window"),
            equal_weight=_scrambled(kept.equal_weight, day, rng),
            record=_scrambled(kept.record, day, rng),
            macro=_scrambled(kept.macro, day, rng),
        ),
        portfolio.settings,
        portfolio.store,
    )


def simulation_with_other_future(simulation: Simulation, day: date, seed: int) -> Simulation:
    """Return the simulation over a history and a portfolio with other rows after `day`."""
    rng = np.random.default_rng(seed)
    history = with_other_future(simulation.history, day, rng)
    return replace(
        simulation,
        history=history,
        trials=replace(simulation.trials, features=history.features),
        portfolio=portfolio_with_other_future(simulation.portfolio, history, day, rng),
    )


def _scrambled(
    rows: pd.DataFrame, day: date, rng: np.random.Generator, column: str = "date"
) -> pd.DataFrame:
    """Return the rows with every number after `day` multiplied by a random factor."""
    changed = rows.copy()
    numbers = list(changed.select_dtypes("float64").columns)
    is_later = (changed[column] > pd.Timestamp(day)).to_numpy()
    factors = np.exp(rng.normal(0.0, SPREAD, (int(is_later.sum()), len(numbers))))
    changed.loc[is_later, numbers] = changed.loc[is_later, numbers] * factors
    return changed


def _with_other_outcomes(labels: pd.DataFrame, day: date, rng: np.random.Generator) -> pd.DataFrame:
    """Return labels of which all that ended after a day are others."""
    labels = labels.copy()
    for _, rows in labels.groupby("ticker"):
        days = rows["date"].to_numpy()
        for name in (name for name in labels if name.startswith("forward_return_")):
            horizon = int(name.removeprefix("forward_return_").removesuffix("d"))
            ends = np.append(days[horizon:], [np.datetime64("2100-01-01")] * horizon)
            is_open = ends > np.datetime64(day)
            labels.loc[rows.index[is_open], name] = rng.normal(size=is_open.sum())
            if horizon == DIRECTION_HORIZON:
                labels.loc[rows.index[is_open], "direction_5d"] = "bullish"
    return labels
