"""What cleaning found wrong, and how it is kept: findings and the rows of `quarantine`.

The rules themselves live beside what they judge: `rejections` (a row by itself), `stale_bars` (a
row against the ticker's past) and `actions` (dividends and splits).
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pandas as pd

from odyssey_assets.market_data.tables import QUARANTINE

_DELIVERED_COLUMNS = (
    "open", "high", "low", "close", "adj_close", "volume", "dividend", "split_ratio",
)  # fmt: skip


@dataclass(frozen=True)
class Finding:
    """One rule that one row broke.

    Attributes:
        row: Position of the row in the frame that was judged.
        reason: One of `REJECTION_REASONS` or `REPAIR_REASONS`.
        detail: Value found and value expected, for people.
        is_rejected: Whether the row may not become a bar; False for a repaired value.
    """

    row: int
    reason: str
    detail: str
    is_rejected: bool = True


def rejected_mask(findings: Sequence[Finding], row_count: int) -> np.ndarray:
    """Return which of `row_count` rows at least one finding rejects."""
    mask = np.zeros(row_count, dtype=bool)
    mask[[finding.row for finding in findings if finding.is_rejected]] = True
    return mask


def quarantine_frame(
    rows: pd.DataFrame, findings: Sequence[Finding], now: datetime
) -> pd.DataFrame:
    """Return `market_data.quarantine`: one row a finding, with the content as delivered.

    Args:
        rows: The rows that were judged, with the columns of `raw_bars`.
        findings: Positions in `rows` with reason and detail.
        now: Moment of the cleaning run; without a time zone it is taken as UTC.
    """
    if not findings:
        return QUARANTINE.empty()
    found = rows.iloc[[finding.row for finding in findings]]
    frame = found[["ticker", "date", "source", "row_sha256"]].reset_index(drop=True)
    frame["reason"] = [finding.reason for finding in findings]
    frame["is_rejected"] = [finding.is_rejected for finding in findings]
    frame["detail"] = [finding.detail for finding in findings]
    frame["content"] = _contents(found)
    frame["quarantined_at"] = naive_utc(now)
    return QUARANTINE.conform(frame)


def naive_utc(moment: datetime) -> pd.Timestamp:
    """Return `moment` in UTC without time zone, as TIMESTAMP columns store it."""
    stamp = pd.Timestamp(moment)
    return stamp if stamp.tzinfo is None else stamp.tz_convert(UTC).tz_localize(None)


def _contents(found: pd.DataFrame) -> list[str]:
    delivered = found[list(_DELIVERED_COLUMNS)].to_dict("records")
    return [
        json.dumps({name: _json_number(value) for name, value in record.items()})
        if is_readable
        else content
        for record, content, is_readable in zip(
            delivered, found["content"].tolist(), found["content"].isna().tolist(), strict=True
        )
    ]


def _json_number(value: float) -> float | str | None:
    if math.isnan(value):
        return None
    return value if math.isfinite(value) else str(value)
