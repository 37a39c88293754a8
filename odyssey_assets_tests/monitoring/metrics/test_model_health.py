"""Figures about the models, on rows made by hand."""

from pathlib import Path

import pandas as pd
import pytest

from odyssey_assets.monitoring.ledgers import (
    CAUSES,
    DECISIONS,
    KINDS,
    OUTCOMES,
    PROMOTIONS,
    RETRAINING_EVENTS,
    STATES,
)
from odyssey_assets.monitoring.metrics.model_health import MODEL_HEALTH_QUERIES
from odyssey_assets.monitoring.tables import FORECAST_QUALITY
from odyssey_assets_tests.contract_rows import Rows
from odyssey_assets_tests.monitoring.metrics.figures import figures_of
from odyssey_assets_tests.samples import Samples


def figures(root: Path, rows: Rows) -> Samples:
    everything: Rows = {FORECAST_QUALITY: [], PROMOTIONS: [], RETRAINING_EVENTS: [], **rows}
    return figures_of(root, everything, MODEL_HEALTH_QUERIES)


def decision(number: int, **values: object) -> dict[str, object]:
    return {
        "decision_id": str(number), "subject": "INTC", "window": "2024-07-01",
        "model_version": number, "recorded_at": f"2024-07-{number:02d}", **values,
    }  # fmt: skip


def event(name: str, state: str, **values: object) -> dict[str, object]:
    return {
        "event_id": name, "state": state, "ticker": "INTC", "cause": "drift",
        "recorded_at": "2024-08-01", **values,
    }  # fmt: skip


def test_quality_is_of_the_newest_session_over_both_lengths(tmp_path: Path) -> None:
    newest = {
        "ticker": "AAPL", "date": "2024-08-30", "known_20": 19, "known_60": 59,
        "information_coefficient_20": 0.25, "information_coefficient_60": 0.125,
        "rmse_20": 0.03, "baseline_rmse_20": 0.02, "rmse_60": 0.01, "baseline_rmse_60": 0.02,
        "direction_accuracy_20": 0.6, "direction_accuracy_60": 0.55,
        "interval_coverage_20": 0.9, "interval_coverage_60": 0.8, "sharpe_20": 2.0,
        "expected_information_coefficient": 0.05, "expected_coverage": 0.9,
        "is_coverage_decayed": True,
    }  # fmt: skip
    older = {"ticker": "AAPL", "date": "2024-08-29", "sharpe_20": 9.0, "is_sharpe_decayed": True}
    found = figures(tmp_path, {FORECAST_QUALITY: [newest, older]})
    by_length = {
        "odyssey_forecast_known_outcomes": (19.0, 59.0),
        "odyssey_forecast_information_coefficient": (0.25, 0.125),
        "odyssey_forecast_rmse_over_baseline_ratio": (1.5, 0.5),
        "odyssey_forecast_direction_accuracy_ratio": (0.6, 0.55),
        "odyssey_forecast_interval_coverage_ratio": (0.9, 0.8),
    }
    for name, (short, long) in by_length.items():
        assert found[name]["sessions=20,ticker=AAPL"] == pytest.approx(short)
        assert found[name]["sessions=60,ticker=AAPL"] == pytest.approx(long)
    assert found["odyssey_forecast_sharpe"] == {"sessions=20,ticker=AAPL": 2.0}
    assert found["odyssey_forecast_expected_information_coefficient"] == {"ticker=AAPL": 0.05}
    assert found["odyssey_forecast_expected_coverage_ratio"] == {"ticker=AAPL": 0.9}
    assert found["odyssey_forecast_is_decayed"] == {
        "kind=correlation,ticker=AAPL": 0.0,
        "kind=coverage,ticker=AAPL": 1.0,
        "kind=sharpe,ticker=AAPL": 0.0,
    }


def test_baseline_without_error_gives_no_ratio(tmp_path: Path) -> None:
    flat = {"ticker": "BIL", "date": "2024-08-30", "rmse_20": 0.0, "baseline_rmse_20": 0.0}
    found = figures(tmp_path, {FORECAST_QUALITY: [flat]})
    assert found["odyssey_forecast_rmse_over_baseline_ratio"] == {}


def test_model_that_serves_is_that_of_the_newest_decision_which_seated_one(tmp_path: Path) -> None:
    rows = [
        decision(1, decision="succeeded", is_champion=True),
        decision(2, decision="rejected"),
        decision(3, decision="promoted", is_champion=True, serves_after="2024-07-16"),
        decision(4, decision="pending"),
        decision(5, decision="unproven", window="2024-01-01"),
        decision(6, decision="unproven", kind="policy", subject="ppo"),
    ]
    found = figures(tmp_path, {PROMOTIONS: rows})
    assert found["odyssey_model_version"] == {
        "kind=forecaster,subject=INTC": 3.0, "kind=policy,subject=ppo": 6.0,
    }  # fmt: skip
    assert found["odyssey_model_is_champion"] == {
        "kind=forecaster,subject=INTC": 1.0, "kind=policy,subject=ppo": 0.0,
    }  # fmt: skip
    decided = found["odyssey_model_decided_timestamp_seconds"]["kind=forecaster,subject=INTC"]
    assert decided == pd.Timestamp("2024-07-03", tz="UTC").timestamp()


def test_rollback_to_the_same_session_outranks_the_promotion_it_undoes(tmp_path: Path) -> None:
    rows = [
        decision(7, decision="promoted", is_champion=True, serves_after="2024-07-16"),
        decision(8, decision="rolled_back", is_champion=True, serves_after="2024-07-16"),
    ]
    found = figures(tmp_path, {PROMOTIONS: rows})
    assert found["odyssey_model_version"] == {"kind=forecaster,subject=INTC": 8.0}


def test_next_windows_model_succeeds_the_promoted_one(tmp_path: Path) -> None:
    rows = [
        decision(1, decision="promoted", is_champion=True, serves_after="2024-12-30"),
        decision(2, decision="unproven", window="2025-01-01"),
    ]
    found = figures(tmp_path, {PROMOTIONS: rows})
    assert found["odyssey_model_version"] == {"kind=forecaster,subject=INTC": 2.0}
    assert found["odyssey_model_is_champion"] == {"kind=forecaster,subject=INTC": 0.0}


def test_counts_of_empty_ledgers_are_nought_for_every_combination(tmp_path: Path) -> None:
    found = figures(tmp_path, {})
    lengths = {
        "odyssey_promotion_decisions_total": len(KINDS) * len(DECISIONS),
        "odyssey_retraining_events_total": len(CAUSES) * len(STATES),
        "odyssey_retraining_outcomes_total": len(CAUSES) * len(OUTCOMES),
    }
    for name, length in lengths.items():
        assert len(found[name]) == length
        assert set(found[name].values()) == {0.0}


def test_retrainings_count_by_cause_state_and_outcome(tmp_path: Path) -> None:
    rows = [
        event("a", "requested", recorded_at="2024-08-01 21:00"),
        event("a", "started"),
        event("a", "finished", outcome="promoted"),
        event("b", "requested", recorded_at="2024-08-02 21:00"),
        event("c", "suppressed", outcome="cooling_down"),
        event("d", "reingesting", ticker="META", cause="data_quality"),
    ]
    found = figures(tmp_path, {RETRAINING_EVENTS: rows})
    reached = found["odyssey_retraining_events_total"]
    assert reached["cause=drift,state=requested"] == 2.0
    assert reached["cause=data_quality,state=reingesting"] == 1.0
    assert sum(reached.values()) == len(rows)
    settled = found["odyssey_retraining_outcomes_total"]
    assert settled["cause=drift,outcome=promoted"] == 1.0
    assert settled["cause=drift,outcome=cooling_down"] == 1.0
    assert sum(settled.values()) == 2.0
    assert found["odyssey_retraining_open_events"] == {"ticker=INTC": 1.0, "ticker=META": 1.0}
    assert found["odyssey_retraining_requested_timestamp_seconds"] == {
        "ticker=INTC": pd.Timestamp("2024-08-02 21:00", tz="UTC").timestamp()
    }


def test_decisions_count_by_kind(tmp_path: Path) -> None:
    rows = [decision(1, decision="rejected"), decision(2, decision="rejected")]
    found = figures(tmp_path, {PROMOTIONS: rows})["odyssey_promotion_decisions_total"]
    assert found["decision=rejected,kind=forecaster"] == 2.0
    assert sum(found.values()) == 2.0
