"""Rules that a delivered row breaks by itself, in the order in which they are tried.

The first rule that a row breaks is its reason. Rules that need the ticker's past belong to
`stale_bars` and `actions`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from odyssey_assets.core.adjustment import PRICE_COLUMNS
from odyssey_assets.core.sessions import EXCHANGE
from odyssey_assets.market_data.quarantine import Finding

RANGE_TOLERANCE = 1e-6
"""Relative distance by which open and close may lie outside the range.

Vendors that keep prices in single precision put equal prices up to 6e-8 apart. The real prices the
tests use need no tolerance at all.
"""

_VALUES = (*PRICE_COLUMNS, "volume")


@dataclass(frozen=True)
class RowRule:
    """One reason to reject a row by itself.

    Attributes:
        reason: One of `REJECTION_REASONS`.
        is_broken: Takes the rows, returns a mask.
        detail: Takes one row (named tuple), says what was found and what was expected.
    """

    reason: str
    is_broken: Callable[[pd.DataFrame], pd.Series]
    detail: Callable[[Any], str]


ROW_RULES = (
    RowRule(
        "future_date",
        lambda rows: rows["date"] > rows["last_session_over"],
        lambda row: (
            f"dated {row.date:%Y-%m-%d}; when it was received, the last session that was over was "
            f"{row.last_session_over:%Y-%m-%d}"
        ),
    ),
    RowRule(
        "not_a_session",
        lambda rows: ~rows["is_session"],
        lambda row: f"dated {row.date:%A %Y-%m-%d}, expected a day on which {EXCHANGE} trades",
    ),
    RowRule(
        "unreadable_number",
        lambda rows: np.isinf(rows[list(_VALUES)]).any(axis=1),
        lambda row: f"found {_values(row)}, expected finite numbers",
    ),
    RowRule(
        "missing_price",
        lambda rows: rows[list(_VALUES)].isna().any(axis=1),
        lambda row: f"found {_values(row)}, expected all five",
    ),
    RowRule(
        "non_positive_price",
        lambda rows: (rows[list(PRICE_COLUMNS)] <= 0).any(axis=1),
        lambda row: f"found {_values(row)}, expected prices above 0",
    ),
    RowRule(
        "high_below_low",
        lambda rows: rows["high"] < rows["low"] * (1 - RANGE_TOLERANCE),
        lambda row: f"found high {row.high:g} below low {row.low:g}",
    ),
    RowRule(
        "close_outside_range",
        lambda rows: _is_outside_range(rows, "close"),
        lambda row: f"found close {row.close:g}, expected {row.low:g} to {row.high:g}",
    ),
    RowRule(
        "open_outside_range",
        lambda rows: _is_outside_range(rows, "open"),
        lambda row: f"found open {row.open:g}, expected {row.low:g} to {row.high:g}",
    ),
    RowRule(
        "negative_volume",
        lambda rows: rows["volume"] < 0,
        lambda row: f"found volume {row.volume:g}, expected 0 or more",
    ),
    RowRule(
        "conflicting_duplicate",
        lambda rows: rows["is_conflicting"],
        lambda row: (
            f"found several different rows for {row.date:%Y-%m-%d} in one response, expected one"
        ),
    ),
)


def reject_rows(rows: pd.DataFrame) -> list[Finding]:
    """Return one finding for each row that cannot become a bar whatever its neighbours say.

    Args:
        rows: Newest rows of `raw_bars` with `is_conflicting`, `is_session` and
            `last_session_over` (the last session that was over when the row was received), indexed
            by position.
    """
    is_open = rows["defect"].isna().to_numpy(dtype=bool)
    findings = [
        Finding(position, defect, "could not be read; the content shows what was delivered")
        for position, defect in rows["defect"].dropna().items()
    ]
    for rule in ROW_RULES:
        is_broken = is_open & rule.is_broken(rows).to_numpy(dtype=bool)
        if not is_broken.any():
            continue
        is_open = is_open & ~is_broken
        findings += [
            Finding(row.Index, rule.reason, rule.detail(row))
            for row in rows[is_broken].itertuples()
        ]
    return findings


def _is_outside_range(rows: pd.DataFrame, name: str) -> pd.Series:
    price = rows[name]
    is_above = price > rows["high"] * (1 + RANGE_TOLERANCE)
    return is_above | (price < rows["low"] * (1 - RANGE_TOLERANCE))


def _values(row: Any) -> str:
    return ", ".join(f"{name} {getattr(row, name):g}" for name in _VALUES)
