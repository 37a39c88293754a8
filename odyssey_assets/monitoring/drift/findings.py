"""Which tickers' inputs have drifted, as sensors and people read it.

Only the newest sample of a window that still runs is news; what drifted before is history, and is
counted. When a window has drifted belongs to `monitoring.drift.measurement` and `verdict`.
"""

from typing import Any

import pandas as pd

from odyssey_assets.core.figure_text import percent
from odyssey_assets.core.windows import WINDOW_FORMAT, Window


def drifted_now(summary: pd.DataFrame, running: Window) -> list[dict[str, Any]]:
    """Return one entry a ticker whose newest sample of the running window has drifted, by ticker.

    Args:
        summary: Rows of `monitoring.drift_summary`.
        running: The window that holds the last session.

    Returns:
        `ticker`, `window`, `as_of` (ISO dates), `value` (share of the inputs that drifted),
        `threshold` (share that may: none), and the `reason`.
    """
    newest = _newest(summary, running)
    return [
        {
            "ticker": str(row["ticker"]),
            "window": running.start.strftime(WINDOW_FORMAT),
            "as_of": f"{row['as_of']:%Y-%m-%d}",
            "value": float(row["share_drifted"]),
            "threshold": 0.0,
            "reason": (
                f"{row['drifted_inputs']} of {row['inputs']} inputs "
                f"({percent(row['share_drifted'], 0)}) drifted, most of all "
                f"{row['strongest_feature']}; severity {row['severity']}"
            ),
        }
        for row in newest[newest["is_drifted"]].to_dict("records")
    ]


def drifted_before(summary: pd.DataFrame, running: Window) -> int:
    """Return how many windows of a ticker before the running one had drifted at their end."""
    earlier = summary[summary["window"] < pd.Timestamp(running.start)].sort_values("as_of")
    last = earlier.groupby(["ticker", "window"]).tail(1)
    return int(last["is_drifted"].sum())


def without_verdict(summary: pd.DataFrame, running: Window) -> int:
    """Return how many tickers have no verdict for their newest sample of the running window."""
    return int((_newest(summary, running)["status"] != "measured").sum())


def _newest(summary: pd.DataFrame, running: Window) -> pd.DataFrame:
    own = summary[summary["window"] == pd.Timestamp(running.start)].sort_values("as_of")
    return own.groupby("ticker").tail(1).sort_values("ticker")
