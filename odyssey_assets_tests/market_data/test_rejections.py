import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from odyssey_assets.market_data.rejections import RANGE_TOLERANCE, ROW_RULES, reject_rows
from odyssey_assets.market_data.tables import REJECTION_REASONS
from odyssey_assets_tests.market_data.raw_history import changed, raw_history

ROW = 3


def _judged(**values: object) -> list[tuple[int, str, str]]:
    """Reject among five honest rows, one of which has other values."""
    rows = raw_history(5).assign(
        is_conflicting=False, is_session=True, last_session_over=pd.Timestamp("2015-02-02")
    )
    findings = reject_rows(changed(rows, ROW, **values))
    assert all(finding.is_rejected for finding in findings)
    return [(finding.row, finding.reason, finding.detail) for finding in findings]


def _prices(opened: float, high: float, low: float, close: float) -> dict[str, object]:
    return {"open": opened, "high": high, "low": low, "close": close}


def test_reject_rows_of_honest_rows_finds_nothing() -> None:
    assert _judged() == []


@pytest.mark.parametrize(
    ("values", "reason", "words"),
    [
        (
            {"date": pd.Timestamp("2015-02-03")},
            "future_date",
            "dated 2015-02-03; when it was received, the last session that was over was 2015-02-02",
        ),
        ({"is_session": False}, "not_a_session", "expected a day on which XNYS trades"),
        ({"close": np.inf}, "unreadable_number", "close inf"),
        ({"low": np.nan}, "missing_price", "low nan"),
        ({"volume": np.nan}, "missing_price", "volume nan"),
        (_prices(0, 2, 0, 1), "non_positive_price", "open 0, high 2, low 0"),
        (_prices(1, 2, -1, 1), "non_positive_price", "low -1"),
        (_prices(10, 9, 11, 10), "high_below_low", "high 9 below low 11"),
        (_prices(10, 11, 9, 12), "close_outside_range", "close 12, expected 9 to 11"),
        (_prices(10, 11, 9, 8), "close_outside_range", "close 8, expected 9 to 11"),
        (_prices(12, 11, 9, 10), "open_outside_range", "open 12, expected 9 to 11"),
        (_prices(8, 11, 9, 10), "open_outside_range", "open 8, expected 9 to 11"),
        ({"volume": -3.0}, "negative_volume", "volume -3, expected 0 or more"),
        ({"is_conflicting": True}, "conflicting_duplicate", "several different rows"),
    ],
)
def test_reject_rows_names_reason_found_and_expected(
    values: dict[str, object], reason: str, words: str
) -> None:
    ((row, found, detail),) = _judged(**values)
    assert (row, found) == (ROW, reason)
    assert words in detail


@pytest.mark.parametrize("defect", REJECTION_REASONS)
def test_reject_rows_keeps_the_defect_that_the_source_found(defect: str) -> None:
    ((row, reason, detail),) = _judged(defect=defect, close=np.nan, is_session=False)
    assert (row, reason) == (ROW, defect)
    assert "content" in detail


def test_reject_rows_gives_each_row_the_first_rule_it_breaks() -> None:
    ((_, reason, _),) = _judged(**_prices(-1, -3, -2, -9), volume=-1.0, is_conflicting=True)
    assert reason == "non_positive_price"


def test_row_rules_are_reasons_of_the_quarantine_and_each_is_used_once() -> None:
    reasons = [rule.reason for rule in ROW_RULES]
    assert set(reasons) <= set(REJECTION_REASONS)
    assert len(set(reasons)) == len(reasons)


@settings(max_examples=20, deadline=None)
@given(price=st.floats(0.01, 1e6), distance=st.floats(0, 0.9))
def test_price_within_rounding_of_the_range_is_accepted(price: float, distance: float) -> None:
    close = price * (1 + distance * RANGE_TOLERANCE)
    assert _judged(**_prices(price, price, price, close)) == []
    assert _judged(**_prices(close, price, price, price)) == []


@settings(max_examples=20, deadline=None)
@given(price=st.floats(0.01, 1e6), distance=st.floats(2, 1e5), sign=st.sampled_from([-1, 1]))
def test_price_beyond_rounding_of_the_range_is_rejected(
    price: float, distance: float, sign: int
) -> None:
    close = price * (1 + sign * distance * RANGE_TOLERANCE)
    assert [reason for _, reason, _ in _judged(**_prices(price, price, price, close))] == [
        "close_outside_range"
    ]
