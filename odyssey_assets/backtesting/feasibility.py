"""Whether stored targets keep the limits on every date, and who could not be traded.

Targets are decided, held weights drift: only targets are held to the limits here. Each function
returns rows (see `backtesting.findings`).
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from odyssey_assets.backtesting.findings import findings, together
from odyssey_assets.core.constraints import TOLERANCE, Limits
from odyssey_assets.errors import ContractError


def infeasible_targets(weights: pd.DataFrame, limits: Mapping[str, Limits]) -> pd.DataFrame:
    """Return the targets that break a limit, or that changed without a decision.

    A ticker without a bar when the decision was made cannot be traded: its target is the weight it
    has, whatever the cap; the others share what is left of the budget.

    Args:
        weights: Rows of `portfolio.weights` from each policy's first decision on.
        limits: What each policy may hold.

    Raises:
        ContractError: The limits of a policy are not given.
    """
    rows = weights.sort_values(["policy", "ticker", "date"], ignore_index=True)
    target = rows["target_weight"].to_numpy(dtype=np.float64)
    decided = _decided_rows(rows)
    wanted = np.where(decided >= 0, target[decided], 0.0)
    is_halted = (decided >= 0) & rows["is_halted"].to_numpy(dtype=np.bool_)[decided]
    cap = rows["policy"].map(_by_policy(rows, limits, "max_weight")).to_numpy(dtype=np.float64)
    held = rows["held_weight"].to_numpy(dtype=np.float64)[decided]
    is_capped = (target >= -TOLERANCE) & (target <= cap + TOLERANCE)
    return together(
        findings("targets change only at decisions", rows, target != wanted, target, wanted),
        findings("targets keep their cap", rows, ~is_halted & ~is_capped, target, cap),
        findings(
            "halted tickers keep their weight",
            rows,
            is_halted & ~(np.abs(target - held) <= TOLERANCE),
            target,
            held,
        ),
        _over_budget(rows.assign(is_halted=is_halted), limits),
    )


def halted_positions(weights: pd.DataFrame) -> pd.DataFrame:
    """Return the positions that a decision had to leave as they were, for want of a bar.

    Args:
        weights: Rows of `portfolio.weights`.

    Returns:
        Findings that are no errors: `value` is the target, `expected` the held weight.
    """
    is_kept = weights["is_decision"] & weights["is_halted"] & (weights["held_weight"] > 0)
    return findings(
        "kept without a bar",
        weights,
        is_kept.to_numpy(),
        weights["target_weight"],
        weights["held_weight"],
    )


def _decided_rows(rows: pd.DataFrame) -> np.ndarray:
    """Return the row of the decision behind each row; -1 for a ticker listed since then."""
    position = np.arange(len(rows))
    policy, ticker = (pd.factorize(rows[name])[0] for name in ("policy", "ticker"))
    is_first = (np.diff(policy, prepend=-1) != 0) | (np.diff(ticker, prepend=-1) != 0)
    first = np.maximum.accumulate(np.where(is_first, position, 0))
    decides = rows["is_decision"].to_numpy(dtype=np.bool_)
    newest = np.maximum.accumulate(np.where(decides, position, -1))
    return np.where(newest >= first, newest, -1)


def _over_budget(rows: pd.DataFrame, limits: Mapping[str, Limits]) -> pd.DataFrame:
    halted = rows["target_weight"].where(rows["is_halted"], 0.0)
    sums = (
        rows.assign(halted=halted, traded=rows["target_weight"] - halted)
        .groupby(["policy", "date"], as_index=False)[["halted", "traded"]]
        .sum()
    )
    budget = sums["policy"].map(_by_policy(rows, limits, "budget")).to_numpy(dtype=np.float64)
    left = np.maximum(budget - sums["halted"].to_numpy(), 0.0)
    traded = sums["traded"].to_numpy()
    return findings("targets keep the budget", sums, ~(traded <= left + TOLERANCE), traded, left)


def _by_policy(rows: pd.DataFrame, limits: Mapping[str, Limits], name: str) -> Mapping[str, float]:
    unknown = sorted(set(rows["policy"].unique()) - set(limits))
    if unknown:
        raise ContractError(
            f"portfolio.weights holds weights of {', '.join(unknown)}; known policies are "
            f"{', '.join(limits)}. Materialize portfolio.weights again, for all windows."
        )
    return {policy: float(getattr(own, name)) for policy, own in limits.items()}
