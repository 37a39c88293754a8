"""What `odyssey run` says at its end. Whole summaries are read in `end_to_end`."""

from pathlib import Path

import pandas as pd

from odyssey_assets.core.slices import WHOLE_TABLE
from odyssey_assets.infrastructure.home import Home
from odyssey_assets.infrastructure.warehouse import Warehouse
from odyssey_assets.market_data.tables import QUARANTINE
from odyssey_assets.run_summary import MAX_WARNING_LENGTH, quarantined, warning_lines
from odyssey_assets.settings_sections import WarehouseSettings


def test_warning_gives_each_reason_a_line_and_leaves_empty_findings_out() -> None:
    lines = warning_lines(
        "market_data/raw_bars: every_ticker_was_delivered",
        {"expected": 3, "examples": [], "not_delivered": {"AAA": "is empty", "BBB": "is gone"}},
    )
    assert lines == [
        "warning   market_data/raw_bars: every_ticker_was_delivered: expected 3",
        "          AAA: is empty",
        "          BBB: is gone",
    ]


def test_warning_with_many_failed_partitions_is_cut() -> None:
    (line,) = warning_lines("a: b", {"failed_partitions": [{"ticker": "AAA"}] * 1000})
    assert len(line) == len("warning   a: b: ") + MAX_WARNING_LENGTH


def test_quarantined_counts_rows_by_ticker_and_reason(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.create()
    warehouse = Warehouse(home, WarehouseSettings())
    assert quarantined(warehouse).empty
    days = pd.to_datetime(["2024-01-02", "2024-01-04", "2024-01-03"])
    rows = pd.DataFrame({"ticker": ["A", "A", "B"], "date": days, "source": "files"}).assign(
        reason="stale_bar", row_sha256=["1" * 64, "2" * 64, "3" * 64], is_rejected=True,
        detail="flat", content="{}", quarantined_at=pd.Timestamp("2024-02-01"), is_simulated=False,
    )  # fmt: skip
    warehouse.replace(QUARANTINE, rows[list(QUARANTINE.column_names)], (WHOLE_TABLE,))
    found = quarantined(warehouse)
    assert found[["ticker", "reason", "rows"]].to_numpy().tolist() == [
        ["A", "stale_bar", 2],
        ["B", "stale_bar", 1],
    ]
    assert found["first"].tolist() == [days[0], days[2]]
    assert found["last"].tolist() == [days[1], days[2]]
