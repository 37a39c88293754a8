"""Figures about the data, on rows made by hand."""

from datetime import date
from pathlib import Path

import pytest

from odyssey_assets.core.slices import Slice
from odyssey_assets.forecasting.tables import PREDICTIONS
from odyssey_assets.infrastructure.published_metrics import PublishedMetrics
from odyssey_assets.market_data.tables import BARS, QUARANTINE
from odyssey_assets.monitoring.metrics.data_health import (
    ROWS,
    data_health_queries,
    midnight,
    sessions_behind,
)
from odyssey_assets.monitoring.tables import DRIFT_SUMMARY
from odyssey_assets_tests.contract_rows import Rows, frame_of, store
from odyssey_assets_tests.monitoring.metrics.figures import figures_of
from odyssey_assets_tests.samples import samples_of

FRIDAY_BEFORE_LABOUR_DAY = date(2024, 8, 30)
PRICE = {"open": 1.0, "high": 1.0, "low": 1.0, "close": 1.0}
TABLES: Rows = {
    BARS: [
        {"ticker": "AAPL", "date": "2024-08-29", **PRICE},
        {"ticker": "AAPL", "date": "2024-08-30", **PRICE},
        {"ticker": "SPY", "date": "2024-08-29", "is_simulated": True, **PRICE},
        {"ticker": "SPY", "date": "2024-08-30", "is_filled": True, **PRICE},
    ],
    QUARANTINE: [
        {"ticker": "SPY", "date": "2024-08-28", "reason": "stale_bar", "is_rejected": True},
        {"ticker": "SPY", "date": "2024-08-29", "reason": "stale_bar", "is_rejected": True},
        {"ticker": "SPY", "date": "2024-08-29", "reason": "inexact_split_ratio"},
    ],
    PREDICTIONS: [{"ticker": "AAPL", "date": "2024-08-28", "model": "ridge"}],
    DRIFT_SUMMARY: [
        {
            "ticker": "INTC", "window": "2024-01-01", "as_of": "2024-06-28", "status": "measured",
            "is_drifted": True, "severity": "major", "share_drifted": 0.9,
        },
        {
            "ticker": "INTC", "window": "2024-07-01", "as_of": "2024-07-30", "status": "measured",
        },
        {
            "ticker": "INTC", "window": "2024-07-01", "as_of": "2024-08-30", "status": "measured",
            "is_drifted": True, "severity": "minor", "share_drifted": 0.25, "sessions": 43,
            "smallest_p_value": 0.001, "share_psi_above_0_1": 0.5, "share_psi_above_0_2": 0.125,
        },
        {
            "ticker": "META", "window": "2024-07-01", "as_of": "2024-07-02", "sessions": 2,
            "status": "too_few_sessions",
        },
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("newest", "expected", "behind"),
    [
        (FRIDAY_BEFORE_LABOUR_DAY, FRIDAY_BEFORE_LABOUR_DAY, 0),
        (FRIDAY_BEFORE_LABOUR_DAY, date(2024, 9, 3), 1),
        (FRIDAY_BEFORE_LABOUR_DAY, date(2024, 9, 4), 2),
        (date(2024, 8, 29), FRIDAY_BEFORE_LABOUR_DAY, 1),
        (date(2024, 9, 4), FRIDAY_BEFORE_LABOUR_DAY, 0),
        (date(2024, 8, 31), date(2024, 9, 3), 1),
    ],
    ids=["same", "over a holiday", "two", "one", "ahead", "no session itself"],
)
def test_sessions_behind_counts_what_the_exchange_counts(
    newest: date, expected: date, behind: int
) -> None:
    assert sessions_behind(newest, expected) == behind


def test_midnight_is_utc() -> None:
    assert midnight(date(1970, 1, 2)) == 86_400.0


def test_freshness_is_of_bars_that_traded_and_of_every_model(tmp_path: Path) -> None:
    found = figures_of(tmp_path, TABLES, data_health_queries(date(2024, 9, 3)))
    assert found["odyssey_data_sessions_behind"] == {"ticker=AAPL": 1.0, "ticker=SPY": 2.0}
    assert found["odyssey_data_newest_session_timestamp_seconds"] == {
        "ticker=AAPL": midnight(date(2024, 8, 30)), "ticker=SPY": midnight(date(2024, 8, 29)),
    }  # fmt: skip
    assert found["odyssey_forecast_sessions_behind"] == {"model=ridge,ticker=AAPL": 3.0}
    assert found["odyssey_data_is_simulated"] == {"": 1.0}


def test_quarantine_counts_rows_by_rule_and_what_became_of_them(tmp_path: Path) -> None:
    found = figures_of(tmp_path, TABLES, data_health_queries(date(2024, 9, 3)))
    assert found["odyssey_quarantined_rows"] == {
        "reason=stale_bar,ticker=SPY,treatment=rejected": 2.0,
        "reason=inexact_split_ratio,ticker=SPY,treatment=repaired": 1.0,
    }


def test_drift_is_the_newest_verdict_of_each_ticker(tmp_path: Path) -> None:
    found = figures_of(tmp_path, TABLES, data_health_queries(date(2024, 9, 3)))
    assert found["odyssey_drift_is_drifted"] == {"ticker=INTC": 1.0, "ticker=META": 0.0}
    assert found["odyssey_drift_is_measured"] == {"ticker=INTC": 1.0, "ticker=META": 0.0}
    assert found["odyssey_drift_sessions"] == {"ticker=INTC": 43.0, "ticker=META": 2.0}
    assert found["odyssey_drift_drifted_inputs_ratio"] == {"ticker=INTC": 0.25}
    assert found["odyssey_drift_psi_above_0_1_ratio"] == {"ticker=INTC": 0.5}
    assert found["odyssey_drift_psi_above_0_2_ratio"] == {"ticker=INTC": 0.125}
    assert found["odyssey_drift_smallest_p_value"] == {"ticker=INTC": 0.001}
    assert found["odyssey_drift_severity_info"] == {
        "severity=minor,ticker=INTC": 1.0, "severity=none,ticker=META": 1.0,
    }  # fmt: skip


def test_rows_are_those_of_every_table_also_after_some_were_replaced(tmp_path: Path) -> None:
    warehouse = store(tmp_path, TABLES)
    bars = frame_of(BARS, [{"ticker": "SPY", "date": "2024-08-30", **PRICE}])
    for _ in range(3):
        warehouse.replace(BARS, bars, (Slice(tickers=("SPY",)),))
    warehouse.publish()
    home = warehouse.home
    metrics = PublishedMetrics(home.published, home.published_states, lambda: (ROWS,))
    assert samples_of(metrics.families())["odyssey_table_rows"] == {
        "table=forecasting.predictions": 1.0,
        "table=market_data.bars": 3.0,
        "table=market_data.quarantine": 3.0,
        "table=monitoring.drift_summary": 4.0,
    }
