"""The checks of decay on stored rows: the newest session of the running window counts."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from odyssey_assets.contracts import TableContract
from odyssey_assets.core.slices import WHOLE_TABLE
from odyssey_assets.monitoring.tables import FORECAST_QUALITY, POLICY_QUALITY
from odyssey_assets_tests.tiny_market import (
    WINDOWS,
    evaluate,
    found,
    tiny_settings,
    warehouse_of,
)

CHECK = ("monitoring/forecast_quality", "forecasts_have_not_decayed")
POLICY_CHECK = ("monitoring/policy_quality", "policies_have_not_decayed")
OF_WINDOWS = {"first": WINDOWS[0], "last": WINDOWS[-1]}


def rows() -> pd.DataFrame:
    """Return sound rows of two tickers in the last two windows of the tiny market."""
    days = pd.to_datetime(["2021-12-30", "2021-12-31", "2022-06-29", "2022-06-30"])
    frame = pd.concat(
        [pd.DataFrame({"ticker": ticker, "date": days}) for ticker in ("AAPL", "SPY")],
        ignore_index=True,
    )
    for column in FORECAST_QUALITY.columns:
        if column.name not in frame:
            frame[column.name] = {"BIGINT": 60, "BOOLEAN": False, "VARCHAR": "sha"}.get(
                column.type, 0.5
            )
    frame["window"] = pd.to_datetime(np.where(days < "2022", WINDOWS[-2], WINDOWS[-1]).tolist() * 2)
    return frame


def policy_rows() -> pd.DataFrame:
    """Return sound rows of one policy in the last two windows of the tiny market."""
    shared = [name for name in POLICY_QUALITY.column_names if name in FORECAST_QUALITY.column_names]
    frame = (
        rows()
        .query("ticker == 'SPY'")[shared]
        .assign(policy="ppo", equal_weight_sharpe_60=0.5, expected_sharpe=1.0)
    )
    return POLICY_QUALITY.conform(frame)


def store(root: Path, frame: pd.DataFrame, contract: TableContract = FORECAST_QUALITY) -> None:
    warehouse_of(tiny_settings(root)).replace(contract, frame, (WHOLE_TABLE,))


def test_forecasts_that_have_not_decayed_pass(tmp_path: Path) -> None:
    store(tmp_path, rows())
    evaluation = evaluate(tiny_settings(tmp_path), *CHECK)
    assert evaluation.passed
    assert found(evaluation)["failed_partitions"] == []
    assert found(evaluation)["tickers"] == 2


def test_decay_on_the_last_session_warns_and_names_ticker_window_value_and_limit(
    tmp_path: Path,
) -> None:
    frame = rows()
    is_last = (frame["ticker"] == "SPY") & (frame["date"] == "2022-06-30")
    frame.loc[is_last, "is_sharpe_decayed"] = True
    frame.loc[is_last, ["sharpe_60", "sharpe_floor"]] = [-7.0, -6.0]
    store(tmp_path, frame)
    evaluation = evaluate(tiny_settings(tmp_path), *CHECK)
    assert not evaluation.passed
    assert evaluation.severity.value == "WARN"
    assert found(evaluation)["failed_partitions"] == [
        {
            "ticker": "SPY",
            "window": WINDOWS[-1],
            "as_of": "2022-06-30",
            "value": -7.0,
            "threshold": -6.0,
            "reason": "sharpe -7.000, limit -6.000",
        }
    ]


@pytest.mark.parametrize("day", ["2021-12-31", "2022-06-29"])
def test_decay_that_is_past_is_counted_and_passes(day: str, tmp_path: Path) -> None:
    frame = rows()
    frame.loc[frame["date"] == day, "is_coverage_decayed"] = True
    store(tmp_path, frame)
    evaluation = evaluate(tiny_settings(tmp_path), *CHECK)
    assert evaluation.passed
    assert found(evaluation)["earlier_windows_decayed"] == (2 if day < "2022" else 0)


def test_row_that_breaks_the_contract_blocks(tmp_path: Path) -> None:
    store(tmp_path, rows().assign(interval_coverage_60=1.5))
    evaluation = evaluate(
        tiny_settings(tmp_path), "monitoring/forecast_quality", "fulfils_its_contract"
    )
    assert not evaluation.passed
    assert evaluation.severity.value == "ERROR"


def test_policies_that_have_not_decayed_pass(tmp_path: Path) -> None:
    store(tmp_path, policy_rows(), POLICY_QUALITY)
    evaluation = evaluate(tiny_settings(tmp_path), *POLICY_CHECK, **OF_WINDOWS)
    assert evaluation.passed
    assert found(evaluation) == {
        "policies": 1,
        "decayed_policies": 0,
        "earlier_windows_decayed": 0,
        "false_alarm_rate": 0.05,
        "failed_partitions": [],
    }


def test_decay_of_a_policy_warns_and_names_it_its_window_value_and_limit(tmp_path: Path) -> None:
    frame = policy_rows()
    frame.loc[frame["date"] == "2022-06-30", "is_sharpe_decayed"] = True
    frame.loc[frame["date"] == "2022-06-30", ["sharpe_60", "sharpe_floor"]] = [-7.0, -6.0]
    store(tmp_path, frame, POLICY_QUALITY)
    evaluation = evaluate(tiny_settings(tmp_path), *POLICY_CHECK, **OF_WINDOWS)
    assert not evaluation.passed
    assert evaluation.severity.value == "WARN"
    assert found(evaluation)["decayed_policies"] == 1
    assert found(evaluation)["failed_partitions"] == [
        {
            "policy": "ppo",
            "window": WINDOWS[-1],
            "as_of": "2022-06-30",
            "value": -7.0,
            "threshold": -6.0,
            "reason": "sharpe -7.000, limit -6.000",
        }
    ]


@pytest.mark.parametrize("day", ["2021-12-31", "2022-06-29"])
def test_decay_of_a_policy_that_is_past_is_counted_and_passes(day: str, tmp_path: Path) -> None:
    frame = policy_rows()
    frame.loc[frame["date"] == day, "is_sharpe_decayed"] = True
    store(tmp_path, frame, POLICY_QUALITY)
    evaluation = evaluate(tiny_settings(tmp_path), *POLICY_CHECK, **OF_WINDOWS)
    assert evaluation.passed
    assert found(evaluation)["earlier_windows_decayed"] == (1 if day < "2022" else 0)


def test_policy_row_that_breaks_the_contract_blocks(tmp_path: Path) -> None:
    store(tmp_path, policy_rows().assign(sharpe_60=float("inf")), POLICY_QUALITY)
    evaluation = evaluate(
        tiny_settings(tmp_path), "monitoring/policy_quality", "fulfils_its_contract", **OF_WINDOWS
    )
    assert not evaluation.passed
    assert evaluation.severity.value == "ERROR"
    assert {entry["window"] for entry in found(evaluation)["failed_partitions"]} == set(
        WINDOWS[-2:]
    )
