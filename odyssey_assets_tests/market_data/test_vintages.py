from datetime import UTC, datetime

import pandas as pd
import pytest

from odyssey_assets.market_data.vintages import newest_rows
from odyssey_assets_tests.market_data.raw_history import SOURCE, again, changed, raw_history


def _newest(raw: pd.DataFrame, as_of: datetime | None = None) -> pd.DataFrame:
    return newest_rows(raw, SOURCE, as_of)


def test_newest_rows_of_one_response_are_all_rows_sorted() -> None:
    raw = pd.concat([raw_history(5, "BBB"), raw_history(5, "AAA")])
    rows = _newest(raw.sample(frac=1, random_state=0))
    expected = raw.sort_values(["ticker", "date"], ignore_index=True)
    pd.testing.assert_frame_equal(rows.drop(columns="is_conflicting"), expected)
    assert not rows["is_conflicting"].any()


def test_newest_rows_prefer_the_later_response_day_by_day() -> None:
    raw = raw_history(5)
    rows = _newest(pd.concat([again(raw.iloc[1:3], "2025-01-05", volume=1.0), raw]))
    assert rows["volume"].eq(1.0).tolist() == [False, True, True, False, False]
    assert not rows["is_conflicting"].any()


@pytest.mark.parametrize(
    ("as_of", "volume"),
    [
        (datetime(2025, 1, 4, 23, 59, tzinfo=UTC), None),
        (datetime(2025, 1, 5), 1.0),
        (datetime(2025, 1, 6, 12), 1.0),
        (None, 2.0),
    ],
)
def test_newest_rows_as_of_a_moment_know_no_later_vintage(
    as_of: datetime | None, volume: float | None
) -> None:
    raw = raw_history(3)
    first, second = again(raw, "2025-01-05", volume=1.0), again(raw, "2025-01-07", volume=2.0)
    rows = _newest(pd.concat([second, raw, first]), as_of)
    assert rows["volume"].tolist() == (raw["volume"].tolist() if volume is None else [volume] * 3)


def test_newest_rows_of_one_response_for_one_day_conflict() -> None:
    raw = raw_history(4)
    other = raw.iloc[[2]].assign(row_sha256="other", close=1.0)
    rows = _newest(pd.concat([raw, other]))
    assert rows["is_conflicting"].tolist() == [False, False, True, True, False]


def test_conflict_of_an_older_response_is_over_when_a_newer_one_agrees_with_itself() -> None:
    raw = raw_history(4)
    other = raw.iloc[[2]].assign(row_sha256="other", close=1.0)
    rows = _newest(pd.concat([raw, other, again(raw, "2025-01-05")]))
    assert len(rows) == 4
    assert not rows["is_conflicting"].any()


@pytest.mark.parametrize("defect", ["unreadable_date", "future_date"])
def test_row_without_a_day_of_its_own_replaces_nothing_and_is_kept(defect: str) -> None:
    raw = raw_history(3)
    undated = again(changed(raw, 1, defect=defect, content="{}").iloc[[1]], "2025-01-05")
    rows = _newest(pd.concat([raw, undated]))
    assert len(rows) == 4
    assert not rows["is_conflicting"].any()


def test_unreadable_number_of_a_newer_response_replaces_the_older_row() -> None:
    raw = raw_history(3)
    unreadable = again(
        changed(raw, 1, defect="unreadable_number", content="{}").iloc[[1]], "2025-01-05"
    )
    rows = _newest(pd.concat([raw, unreadable]))
    assert rows["defect"].isna().tolist() == [True, False, True]


def test_newest_rows_of_another_source_are_left_out() -> None:
    assert _newest(raw_history(3).assign(source="yfinance")).empty
