"""Which tickers' forecasts have decayed, as sensors and people read it.

Only the newest row of a window that still runs is news; what decayed before is history, and is
counted. When a figure has decayed belongs to `monitoring.quality.decay`.
"""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from odyssey_assets.core.windows import WINDOW_FORMAT, Window

FIGURES = (
    ("correlation", "information_coefficient_60", ("information_coefficient_floor",)),
    ("coverage", "interval_coverage_60", ("coverage_floor", "coverage_ceiling")),
    ("sharpe", "sharpe_60", ("sharpe_floor",)),
)
DECAYED = tuple(f"is_{figure}_decayed" for figure, *_ in FIGURES)


def decayed_now(rows: pd.DataFrame, running: Window) -> list[dict[str, Any]]:
    """Return one entry a ticker whose newest row in the running window has decayed, by ticker.

    Args:
        rows: Rows of `monitoring.forecast_quality`.
        running: The window that holds the last session.

    Returns:
        `ticker`, `window`, `as_of` (ISO dates), `value` and `threshold` of the first figure that
        decayed, and the `reason` with all of them.
    """
    own = rows[rows["window"] == pd.Timestamp(running.start)].sort_values("date")
    newest = own.groupby("ticker", sort=True).tail(1).sort_values("ticker")
    entries = []
    for row in newest[newest[list(DECAYED)].any(axis=1)].to_dict("records"):
        broken = list(_broken(row))
        (_, value, threshold), *_ = broken
        entries.append(
            {
                "ticker": str(row["ticker"]),
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


def decayed_before(rows: pd.DataFrame, running: Window) -> int:
    """Return how many windows of a ticker before the running one had a session of decay."""
    earlier = rows[rows["window"] < pd.Timestamp(running.start)]
    is_decayed = earlier[list(DECAYED)].any(axis=1)
    return len(earlier.loc[is_decayed, ["ticker", "window"]].drop_duplicates())


def _broken(row: dict[Any, Any]) -> Iterator[tuple[str, float, float]]:
    """Yield name, value and the nearest limit of every figure that has decayed."""
    for figure, name, limits in FIGURES:
        if row[f"is_{figure}_decayed"]:
            value = float(row[name])
            nearest = min((float(row[each]) for each in limits), key=lambda x: abs(x - value))
            yield figure, value, nearest
