"""Rows of `portfolio.weights` and `portfolio.seed_paths` out of a rollout.

How portfolios come to hold what they hold belongs to `portfolio.rollout`; what their paths earned
and risked belongs to `backtesting`.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from odyssey_assets.core.windows import window_starts
from odyssey_assets.portfolio.contender import Contender
from odyssey_assets.portfolio.market import PortfolioMarket
from odyssey_assets.portfolio.rollout import Rollout
from odyssey_assets.portfolio.schedule import stretch_in_force
from odyssey_assets.portfolio.tables import SEED_PATHS, WEIGHTS


def weight_rows(
    rollout: Rollout, market: PortfolioMarket, contenders: Sequence[Contender]
) -> pd.DataFrame:
    """Return what each strategy holds and wants, from its first decision on, as `WEIGHTS` says.

    Only the main seed of a learned policy has rows; the others are in the spread of the targets
    (sample standard deviation, ddof 1) wherever they decide by a training of their own.

    Args:
        rollout: Of these contenders in this market.
        market: Says when, which tickers are listed, and which trade.
        contenders: Whose rows.
    """
    last = len(market.panel)
    parts = [
        _weights_of(row, rollout, market, contenders)
        for row, one in enumerate(contenders)
        if one.is_main_seed and rollout.first[row] < last
    ]
    return WEIGHTS.conform(pd.concat(parts, ignore_index=True)) if parts else WEIGHTS.empty()


def seed_path_rows(
    rollout: Rollout, market: PortfolioMarket, contenders: Sequence[Contender]
) -> pd.DataFrame:
    """Return the path of every seed of a learned policy, from the session after its first decision.

    Args: as `weight_rows`.
    """
    last = len(market.panel) - 1
    parts = [
        _path_of(row, one, one.seed, rollout, market)
        for row, one in enumerate(contenders)
        if one.seed is not None and rollout.first[row] < last
    ]
    return SEED_PATHS.conform(pd.concat(parts, ignore_index=True)) if parts else SEED_PATHS.empty()


def _weights_of(
    row: int, rollout: Rollout, market: PortfolioMarket, contenders: Sequence[Contender]
) -> pd.DataFrame:
    """Return the rows of one contender: its sessions by the tickers listed on each."""
    own, panel = contenders[row], market.panel
    is_row = panel.is_listed.copy()
    is_row[: rollout.first[row]] = False
    at, column = np.nonzero(is_row)
    days = panel.dates.astype("datetime64[us]")
    models = pd.Series([one.model_sha256 for one in own.stretches], dtype="str")
    deviation, seed_count = _seed_spread(own.strategy, rollout, contenders)
    return pd.DataFrame(
        {
            "policy": own.strategy,
            "date": days[at],
            "ticker": pd.Series(panel.tickers, dtype="str").take(column).array,
            "window": window_starts(pd.DatetimeIndex(days))[at],
            "is_decision": rollout.is_decision[row][at],
            "target_weight": rollout.targets[row][is_row],
            "held_weight": rollout.held[row][is_row],
            "is_halted": ~panel.has_bar[is_row],
            "target_weight_seed_std": deviation[is_row],
            "seed_count": seed_count[at],
            "model_sha256": models.take(rollout.decider[row][at]).array,
        }
    )


def _path_of(
    row: int, own: Contender, seed: int, rollout: Rollout, market: PortfolioMarket
) -> pd.DataFrame:
    """Return the rows of one seed's path."""
    rows = slice(rollout.first[row] + 1, None)
    days = pd.DatetimeIndex(market.panel.dates[rows].astype("datetime64[us]"))
    return pd.DataFrame(
        {
            "policy": own.strategy,
            "seed": seed,
            "date": days,
            "window": window_starts(days),
            "equity": rollout.equity[row, rows],
            "return": rollout.returns[row, rows],
            "is_main_seed": own.is_main_seed,
            "is_own_training": _is_own_training(
                own, stretch_in_force(own.stretches, market.panel.dates[rows])
            ),
        }
    )


def _seed_spread(
    strategy: str, rollout: Rollout, contenders: Sequence[Contender]
) -> tuple[np.ndarray, np.ndarray]:
    """Return by how much the targets of independently trained seeds differ, and how many there are.

    Returns:
        The standard deviation (ddof 1), shape (sessions, tickers), NaN with fewer than two; and
        the number of seeds that decided by a training of their own, shape (sessions,).
    """
    seeds = [
        row
        for row, one in enumerate(contenders)
        if one.strategy == strategy and one.seed is not None
    ]
    _, sessions, tickers = rollout.targets.shape
    if not seeds:
        return np.full((sessions, tickers), np.nan), np.zeros(sessions, dtype=np.int64)
    is_own = np.stack([_is_own_training(contenders[row], rollout.decider[row]) for row in seeds])
    count = is_own.sum(axis=0)
    # As differences to one seed, equal targets have a spread of exactly 0.
    apart = np.where(is_own[..., None], rollout.targets[seeds] - rollout.targets[seeds[0]], 0.0)
    mean = apart.sum(axis=0) / np.maximum(count, 1)[:, None]
    squares = np.where(is_own[..., None], (apart - mean) ** 2, 0.0).sum(axis=0)
    deviation = np.sqrt(squares / np.maximum(count - 1, 1)[:, None])
    deviation[count < 2] = np.nan
    return deviation, count


def _is_own_training(own: Contender, stretches: np.ndarray) -> np.ndarray:
    """Return whether each of these stretches of the contender is its own seed's training."""
    is_own = np.array([one.is_own_training for one in own.stretches])
    return (stretches >= 0) & is_own[stretches]
