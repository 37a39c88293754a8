from datetime import date

import pandas as pd
import pytest

from odyssey_assets.core.windows import Window
from odyssey_assets.monitoring.drift.findings import drifted_before, drifted_now, without_verdict

RUNNING = Window(date(2024, 7, 1))
SAMPLES = [
    ("2024-01-01", "2024-01-31"),
    ("2024-01-01", "2024-06-28"),
    ("2024-07-01", "2024-07-30"),
    ("2024-07-01", "2024-08-15"),
]


def summary(ticker: str, drifted: tuple[int, ...], status: str = "measured") -> pd.DataFrame:
    """Return four samples in two windows, those at the given places drifted."""
    return pd.DataFrame(
        {
            "ticker": ticker,
            "window": pd.to_datetime([window for window, _ in SAMPLES]),
            "as_of": pd.to_datetime([as_of for _, as_of in SAMPLES]),
            "status": status,
            "inputs": 31,
            "drifted_inputs": [9 if at in drifted else 0 for at in range(4)],
            "share_drifted": [9 / 31 if at in drifted else 0.0 for at in range(4)],
            "strongest_feature": "rsi_14",
            "severity": ["minor" if at in drifted else "none" for at in range(4)],
            "is_drifted": [at in drifted for at in range(4)],
        }
    )


def test_newest_sample_of_the_running_window_is_reported() -> None:
    assert drifted_now(summary("AAA", (3,)), RUNNING) == [
        {
            "ticker": "AAA",
            "window": "2024-07-01",
            "as_of": "2024-08-15",
            "value": 9 / 31,
            "threshold": 0.0,
            "reason": "9 of 31 inputs (29%) drifted, most of all rsi_14; severity minor",
        }
    ]


@pytest.mark.parametrize("at", [0, 1, 2])
def test_drift_that_is_over_or_of_an_earlier_window_is_no_news(at: int) -> None:
    assert drifted_now(summary("AAA", (at,)), RUNNING) == []


def test_earlier_windows_count_by_how_they_ended() -> None:
    both = pd.concat([summary("A", (1, 3)), summary("B", (0,))])
    assert drifted_before(both, RUNNING) == 1


def test_tickers_come_by_name_whatever_the_order_of_rows() -> None:
    rows = pd.concat([summary("B", (3,)), summary("A", (3,))]).sample(frac=1, random_state=0)
    assert [entry["ticker"] for entry in drifted_now(rows, RUNNING)] == ["A", "B"]


def test_tickers_without_a_verdict_now_are_counted() -> None:
    rows = pd.concat([summary("A", ()), summary("B", (), "too_few_sessions")])
    assert without_verdict(rows, RUNNING) == 1
    assert without_verdict(rows.iloc[:0], RUNNING) == 0
