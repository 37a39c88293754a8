"""A strategy's newest portfolio, and what becomes of it where some of its tickers have no data.

Scenarios that move it belong to `backtesting.crises` and `backtesting.shocks`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

MAX_MISSING_WEIGHT = 0.2
"""Largest share of what is invested that may lack data for a scenario."""
ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class CoveredPortfolio:
    """A portfolio on the tickers that have data for a scenario.

    Attributes:
        weights: Shares of equity, 0 where there is no data; the tickers without data are taken to
            move as the rest of the portfolio does, so the sum stays. Shape (tickers,).
        share: Part of the invested weight that has data; 1 where nothing is invested.
        refusal: Why the scenario cannot be computed honestly; None if it can.
    """

    weights: np.ndarray
    share: float
    refusal: str | None


@dataclass(frozen=True, eq=False)
class NewestPortfolio:
    """What a strategy holds from the next open on.

    Attributes:
        tickers: Names.
        weights: Shares of equity, shape (tickers,); the rest is cash.
    """

    tickers: tuple[str, ...]
    weights: np.ndarray

    @property
    def cash(self) -> float:
        """Share of equity in cash."""
        return max(1.0 - float(self.weights.sum()), 0.0)

    def covered_by(self, has_data: np.ndarray) -> CoveredPortfolio:
        """Return the portfolio on the tickers that have data.

        Args:
            has_data: Whether the scenario can be computed for the ticker, shape (tickers,).
        """
        invested = float(self.weights.sum())
        weights = np.where(has_data, self.weights, 0.0)
        covered = float(weights.sum())
        share = covered / invested if invested > 0 else 1.0
        if 1.0 - share > MAX_MISSING_WEIGHT + ROUNDING:
            is_missing = (self.weights > 0) & ~has_data
            names = ", ".join(np.array(self.tickers)[is_missing])
            return CoveredPortfolio(
                weights,
                share,
                f"{1.0 - share:.0%} of the invested weight has too few prices for the scenario "
                f"({names}); at most {MAX_MISSING_WEIGHT:.0%} may be missing.",
            )
        if covered < invested:
            weights = weights * (invested / covered)
        return CoveredPortfolio(weights, share, None)


def newest_portfolio(weights: pd.DataFrame, tickers: Sequence[str]) -> NewestPortfolio:
    """Return what a strategy holds from the open after its newest session on.

    The target where it decided at that close, otherwise what it then held.

    Args:
        weights: Rows of `portfolio.weights` of one policy, at least one.
        tickers: Names of the result, at least those of the newest session.
    """
    newest = weights[weights["date"] == weights["date"].max()]
    chosen = newest["target_weight"].where(newest["is_decision"], newest["held_weight"])
    by_ticker = pd.Series(chosen.to_numpy(dtype=np.float64), index=newest["ticker"].to_numpy())
    return NewestPortfolio(
        tuple(tickers), by_ticker.reindex(list(tickers), fill_value=0.0).to_numpy()
    )
