"""The check of drift on stored rows: the newest sample of the running window counts."""

from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from odyssey_assets.core.slices import WHOLE_TABLE
from odyssey_assets.core.windows import Window
from odyssey_assets.monitoring.tables import DRIFT, DRIFT_SUMMARY
from odyssey_assets_tests.monitoring.drift.judged_samples import summary_rows
from odyssey_assets_tests.tiny_market import evaluate, found, tiny_settings, warehouse_of

CHECK = ("monitoring/drift_summary", "inputs_have_not_drifted")
RUNNING, PAST = Window(date(2022, 1, 1)), Window(date(2021, 7, 1))


def store(root: Path, frame: pd.DataFrame) -> None:
    warehouse_of(tiny_settings(root)).replace(DRIFT_SUMMARY, frame, (WHOLE_TABLE,))


def test_inputs_that_have_not_drifted_pass(tmp_path: Path) -> None:
    store(tmp_path, summary_rows(("AAPL", RUNNING, 0), ("SPY", RUNNING, 0)))
    evaluation = evaluate(tiny_settings(tmp_path), *CHECK)
    assert evaluation.passed
    assert found(evaluation)["failed_partitions"] == []
    assert found(evaluation)["tickers_without_a_verdict"] == 0


def test_drift_of_the_newest_sample_warns_and_names_ticker_window_and_share(
    tmp_path: Path,
) -> None:
    rows = summary_rows(("AAPL", RUNNING, 0), ("SPY", RUNNING, 2))
    store(tmp_path, rows.assign(strongest_feature="rsi_14"))
    evaluation = evaluate(tiny_settings(tmp_path), *CHECK)
    assert not evaluation.passed
    assert evaluation.severity.value == "WARN"
    assert found(evaluation)["failed_partitions"] == [
        {
            "ticker": "SPY",
            "window": "2022-01-01",
            "as_of": "2022-03-02",
            "value": 0.5,
            "threshold": 0.0,
            "reason": "2 of 4 inputs (50%) drifted, most of all rsi_14; severity minor",
        }
    ]


def test_drift_of_earlier_windows_is_counted_and_passes(tmp_path: Path) -> None:
    store(tmp_path, summary_rows(("AAPL", PAST, 3), ("SPY", PAST, 1), ("SPY", RUNNING, 0)))
    evaluation = evaluate(tiny_settings(tmp_path), *CHECK)
    assert evaluation.passed
    assert found(evaluation)["earlier_windows_drifted"] == 2


@pytest.mark.parametrize("table", [DRIFT, DRIFT_SUMMARY])
def test_table_without_rows_fulfils_its_contract(table: object, tmp_path: Path) -> None:
    contract = DRIFT if table is DRIFT else DRIFT_SUMMARY
    warehouse_of(tiny_settings(tmp_path)).create_missing((contract,))
    name = "/".join(contract.key)
    assert evaluate(tiny_settings(tmp_path), name, "fulfils_its_contract").passed


def test_row_that_breaks_the_contract_blocks(tmp_path: Path) -> None:
    store(tmp_path, summary_rows(("AAPL", RUNNING, 0)).assign(share_drifted=1.5))
    evaluation = evaluate(
        tiny_settings(tmp_path), "monitoring/drift_summary", "fulfils_its_contract"
    )
    assert not evaluation.passed
    assert evaluation.severity.value == "ERROR"
