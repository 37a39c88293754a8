"""Verdicts with their figures: does one strategy beat another, does one trade too much.

Ranks and figures come from `backtesting.performance`; nothing is decided here, people are told.
"""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from odyssey_assets.backtesting.findings import findings, together
from odyssey_assets.backtesting.tables import COMPARISONS
from odyssey_assets.core.sharpe_difference import sharpe_difference_error

COMMON = "common"
WHOLE = "whole"
BENCHMARKS = ("equal_weight", "buy_and_hold")
CLEAR_ERRORS = 2.0
"""A lead of two standard errors is the usual least that is not put down to chance."""
CLEAR_SESSIONS = 252
"""On fewer returns the standard error itself is a guess."""


@dataclass(frozen=True)
class Comparison:
    """Two strategies on the sessions that all strategies share, after costs.

    Attributes:
        strategy: Whose claim is judged.
        baseline: What it is compared with.
        sessions: Returns of each.
        sharpe: Annualised; NaN where returns do not vary.
        baseline_sharpe: Same.
        difference_error: Standard error of the difference of the two ratios.
        total_return: Fraction.
        baseline_total_return: Same.
        seed_count: Trainings behind the spread; 0 for a rule.
        sharpe_seed_low: Lowest ratio of the seeds; NaN for a rule.
        sharpe_seed_high: Highest.
    """

    strategy: str
    baseline: str
    sessions: int
    sharpe: float
    baseline_sharpe: float
    difference_error: float
    total_return: float
    baseline_total_return: float
    seed_count: int
    sharpe_seed_low: float
    sharpe_seed_high: float

    @property
    def difference(self) -> float:
        """Sharpe ratio above the baseline's."""
        return self.sharpe - self.baseline_sharpe

    @property
    def is_better(self) -> bool:
        """Whether the ratio is higher, by however little; False where one does not exist."""
        return self.difference > 0

    @property
    def standard_errors(self) -> float:
        """The difference in its standard errors; below 2 it may be luck. NaN without an error."""
        return self.difference / self.difference_error if self.difference_error > 0 else math.nan

    @property
    def is_clear(self) -> bool:
        """Whether the difference is more than luck may well explain."""
        return self.sessions >= CLEAR_SESSIONS and abs(self.standard_errors) > CLEAR_ERRORS


def comparison_rows(daily: pd.DataFrame, performance: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of `backtesting.comparisons`: every strategy against every other yardstick.

    Args:
        daily: Rows of `backtesting.daily`.
        performance: Rows of `backtesting.performance` made of them.
    """
    pairs = [
        compare(daily, performance, str(strategy), baseline)
        for strategy in sorted(performance["strategy"].unique())
        for baseline in BENCHMARKS
        if baseline != strategy
    ]
    rows = [
        {
            **{
                name: getattr(pair, name)
                for name in COMPARISONS.column_names
                if hasattr(pair, name)
            },
            "total_return_difference": pair.total_return - pair.baseline_total_return,
        }
        for pair in pairs
        if pair is not None
    ]
    return COMPARISONS.conform(pd.DataFrame(rows)) if rows else COMPARISONS.empty()


def compare(
    daily: pd.DataFrame, performance: pd.DataFrame, strategy: str, baseline: str
) -> Comparison | None:
    """Return how a strategy did against a baseline on the common period.

    Args:
        daily: Rows of `backtesting.daily`.
        performance: Rows of `backtesting.performance` made of them.
        strategy: Whose claim is judged.
        baseline: What it is compared with.

    Returns:
        None where one of them has no figures on the common period.
    """
    common = performance[performance["period_kind"] == COMMON].set_index("strategy")
    if not {strategy, baseline} <= set(common.index):
        return None
    own, other = common.loc[strategy], common.loc[baseline]
    returns = [_returns(daily, row) for row in (own, other)]
    return Comparison(
        strategy=strategy,
        baseline=baseline,
        sessions=int(own["sessions"]),
        sharpe=float(own["sharpe"]),
        baseline_sharpe=float(other["sharpe"]),
        difference_error=sharpe_difference_error(*returns),
        total_return=float(own["total_return"]),
        baseline_total_return=float(other["total_return"]),
        seed_count=int(own["seed_count"]),
        sharpe_seed_low=float(own["sharpe_seed_low"]),
        sharpe_seed_high=float(own["sharpe_seed_high"]),
    )


def excessive_trading(
    performance: pd.DataFrame, max_annual_turnover: float, max_annual_cost: float
) -> pd.DataFrame:
    """Return the strategies that trade or pay more a year than wished, over their whole history.

    Args:
        performance: Rows of `backtesting.performance`.
        max_annual_turnover: Times equity.
        max_annual_cost: Share of equity.

    Returns:
        See `backtesting.findings`; the date is the last session of the period.
    """
    whole = performance[performance["period_kind"] == WHOLE]
    rows = whole.assign(date=whole["end_date"])
    return together(
        *(
            findings(rule, rows, (rows[name] > limit).to_numpy(), rows[name], limit)
            for rule, name, limit in (
                ("turnover a year stays below the limit", "turnover", max_annual_turnover),
                ("cost a year stays below the limit", "annual_cost", max_annual_cost),
            )
        )
    )


def _returns(daily: pd.DataFrame, period: pd.Series) -> np.ndarray:
    is_own = daily["strategy"] == period.name
    is_inside = daily["date"].between(period["start_date"], period["end_date"])
    return daily[is_own & is_inside].sort_values("date")["return"].to_numpy(dtype=np.float64)
