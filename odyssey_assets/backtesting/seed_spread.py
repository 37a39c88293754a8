"""How far independently trained seeds of one policy lie apart over a period."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from odyssey_assets.core.drawdowns import max_drawdown
from odyssey_assets.core.returns import sharpe, total_return

_FIGURES = {"sharpe": sharpe, "total_return": total_return, "max_drawdown": max_drawdown}
_WITHOUT_SEEDS: dict[str, float] = {
    "seed_count": 0,
    **{f"{name}_seed_{end}": math.nan for name in _FIGURES for end in ("low", "high")},
}


@dataclass(frozen=True, eq=False)
class SeedPaths:
    """The seeds of one strategy on its sessions.

    Attributes:
        returns: After costs, shape (seeds, sessions); NaN where a seed has no path.
        is_own: Whether the seed was trained for the session's window, same shape.
    """

    returns: np.ndarray
    is_own: np.ndarray

    def spread(self, rows: slice) -> dict[str, float]:
        """Return the seed columns of `backtesting.performance` over some sessions.

        Seeds count that were trained for at least one of the sessions and have a path on all of
        them. Where a period is longer than the windows an extra seed was trained for, its path is
        the main seed's for the rest: the spread is then that of the windows with several seeds.

        Args:
            rows: Sessions of the period.
        """
        returns = self.returns[:, rows]
        counts = self.is_own[:, rows].any(axis=1) & ~np.isnan(returns).any(axis=1)
        if not counts.any():
            return dict(_WITHOUT_SEEDS)
        spread: dict[str, float] = {"seed_count": int(counts.sum())}
        for name, figure in _FIGURES.items():
            of_seeds = figure(returns[counts])
            # fmin and fmax pass over a seed whose figure does not exist.
            spread[f"{name}_seed_low"] = float(np.fmin.reduce(of_seeds))
            spread[f"{name}_seed_high"] = float(np.fmax.reduce(of_seeds))
        return spread


def seed_paths_of(seed_paths: pd.DataFrame, strategy: str, dates: np.ndarray) -> SeedPaths:
    """Arrange the rows of `portfolio.seed_paths` of one strategy; a rule has no seeds.

    Args:
        seed_paths: Rows of all strategies.
        strategy: Whose seeds.
        dates: Sessions of the strategy, `datetime64`, ascending; others are left out.
    """
    own = seed_paths[seed_paths["policy"] == strategy]
    seed, seeds = pd.factorize(own["seed"], sort=True)
    session = pd.Index(dates).get_indexer(own["date"].to_numpy().astype(dates.dtype))
    is_inside = session >= 0
    seed, session = seed[is_inside], session[is_inside]
    shape = (len(seeds), len(dates))
    returns, is_own = np.full(shape, np.nan), np.zeros(shape, dtype=np.bool_)
    returns[seed, session] = own["return"].to_numpy(dtype=np.float64)[is_inside]
    is_own[seed, session] = own["is_own_training"].to_numpy(dtype=np.bool_)[is_inside]
    return SeedPaths(returns, is_own)
