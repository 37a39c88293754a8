"""Which tickers' forecasts and which policies have decayed, as sensors and people read it.

Only the newest row of a window that still runs is news; what decayed before is history, and is
counted. When a figure has decayed belongs to `monitoring.quality.decay` and
`monitoring.quality.policies`.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from odyssey_assets.core.windows import WINDOW_FORMAT, Window

Figure = tuple[str, str, tuple[str, ...]]
"""Name of a figure, column of its value, columns of its limits."""

FIGURES: tuple[Figure, ...] = (
    ("correlation", "information_coefficient_60", ("information_coefficient_floor",)),
    ("coverage", "interval_coverage_60", ("coverage_floor", "coverage_ceiling")),
    ("sharpe", "sharpe_60", ("sharpe_floor",)),
)
POLICY_FIGURES: tuple[Figure, ...] = (("sharpe", "sharpe_60", ("sharpe_floor",)),)


def decayed_now(rows: pd.DataFrame, running: Window) -> list[dict[str, Any]]:
    """Return one entry a ticker whose newest row in the running window has decayed, by ticker.

    Args:
        rows: Rows of `monitoring.forecast_quality`.
        running: The window that holds the last session.

    Returns:
        `ticker`, `window`, `as_of` (ISO dates), `value` and `threshold` of the first figure that
        decayed, and the `reason` with all of them.
    """
    return _now(rows, running, "ticker", FIGURES)


def decayed_policies_now(rows: pd.DataFrame, running: Window) -> list[dict[str, Any]]:
    """Return one entry a policy whose newest row in the running window has decayed, by policy.

    Args:
        rows: Rows of `monitoring.policy_quality`.
        running: The window that holds the last session.

    Returns:
        As `decayed_now`, with `policy` in the place of `ticker`.
    """
    return _now(rows, running, "policy", POLICY_FIGURES)


def decayed_before(rows: pd.DataFrame, running: Window) -> int:
    """Return how many windows of a ticker before the running one had a session of decay."""
    return _before(rows, running, "ticker", FIGURES)


def decayed_policies_before(rows: pd.DataFrame, running: Window) -> int:
    """Return how many windows of a policy before the running one had a session of decay."""
    return _before(rows, running, "policy", POLICY_FIGURES)


def _now(
    rows: pd.DataFrame, running: Window, subject: str, figures: Sequence[Figure]
) -> list[dict[str, Any]]:
    own = rows[rows["window"] == pd.Timestamp(running.start)].sort_values("date")
    newest = own.groupby(subject, sort=True).tail(1).sort_values(subject)
    entries = []
    for row in newest[newest[_flags(figures)].any(axis=1)].to_dict("records"):
        broken = list(_broken(row, figures))
        (_, value, threshold), *_ = broken
        entries.append(
            {
                subject: str(row[subject]),
                "window": running.start.strftime(WINDOW_FORMAT),
                "as_of": f"{row['date']:%Y-%m-%d}",
                "value": value,
                "threshold": threshold,
                "reason": "; ".join(
                    f"{name} {found:.3f}, limit {limit:.3f}" for name, found, limit in broken
                ),
            }
        )
    return entries


def _before(rows: pd.DataFrame, running: Window, subject: str, figures: Sequence[Figure]) -> int:
    earlier = rows[rows["window"] < pd.Timestamp(running.start)]
    is_decayed = earlier[_flags(figures)].any(axis=1)
    return len(earlier.loc[is_decayed, [subject, "window"]].drop_duplicates())


def _flags(figures: Sequence[Figure]) -> list[str]:
    return [f"is_{figure}_decayed" for figure, *_ in figures]


def _broken(row: dict[Any, Any], figures: Sequence[Figure]) -> Iterator[tuple[str, float, float]]:
    """Yield name, value and the nearest limit of every figure that has decayed."""
    for figure, name, limits in figures:
        if row[f"is_{figure}_decayed"]:
            value = float(row[name])
            nearest = min((float(row[each]) for each in limits), key=lambda x: abs(x - value))
            yield figure, value, nearest
