import json
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pandas as pd
import pytest

from odyssey_assets.market_data.quarantine import (
    Finding,
    naive_utc,
    quarantine_frame,
    rejected_mask,
)
from odyssey_assets.market_data.tables import QUARANTINE
from odyssey_assets_tests.market_data.raw_history import NOW, changed, raw_history


def test_rejected_mask_leaves_repaired_rows_out() -> None:
    findings = [Finding(1, "stale_bar", ""), Finding(2, "inexact_split_ratio", "", False)]
    assert rejected_mask(findings, 4).tolist() == [False, True, False, False]
    assert rejected_mask([], 2).tolist() == [False, False]


def test_quarantine_frame_holds_the_row_as_delivered() -> None:
    rows = changed(raw_history(3), 1, close=-5.25, adj_close=np.inf)
    frame = quarantine_frame(rows, [Finding(1, "non_positive_price", "found it")], NOW)
    (row,) = frame.itertuples()
    assert (row.ticker, row.date, row.source) == ("AAA", rows["date"][1], "files")
    assert (row.reason, row.detail, row.is_rejected) == ("non_positive_price", "found it", True)
    assert row.row_sha256 == rows["row_sha256"][1]
    assert row.quarantined_at == pd.Timestamp("2025-01-02 12:00")
    content = json.loads(row.content)
    assert content["close"] == -5.25
    assert content["adj_close"] == "inf"
    assert content["volume"] == rows["volume"][1]


def test_quarantine_frame_writes_nulls_and_keeps_the_content_of_unreadable_rows() -> None:
    delivered = '{"date": "soon", "close": "n/a"}'
    rows = changed(raw_history(3), 1, defect="unreadable_number", content=delivered, close=np.nan)
    frame = quarantine_frame(
        rows, [Finding(0, "stale_bar", ""), Finding(1, "unreadable_number", "")], NOW
    )
    assert json.loads(frame["content"][0])["adj_close"] is None
    assert frame["content"][1] == delivered


def test_quarantine_frame_without_findings_is_empty_and_conforms() -> None:
    frame = quarantine_frame(raw_history(2), [], NOW)
    pd.testing.assert_frame_equal(frame, QUARANTINE.empty())


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2025, 1, 2, 12),
        datetime(2025, 1, 2, 12, tzinfo=UTC),
        datetime(2025, 1, 2, 7, tzinfo=timezone(timedelta(hours=-5))),
    ],
)
def test_naive_utc_is_the_same_moment_without_zone(moment: datetime) -> None:
    assert naive_utc(moment) == pd.Timestamp("2025-01-02 12:00")
