"""A handful of stored rows that lineage is read from, each with its reason to be there."""

from collections.abc import Sequence
from datetime import datetime

import numpy as np
import pandas as pd

from odyssey_assets.monitoring.lineage.rows import FEATURE_NAMES, Evidence

DAY, NEXT = pd.Timestamp("2024-01-02"), pd.Timestamp("2024-01-03")
WINDOW = pd.Timestamp("2024-01-01")
NOW = datetime(2024, 1, 4, 23, 0)
SEEN = pd.Timestamp("2023-12-29")


def small_evidence() -> Evidence:
    """Return what two policies decided about AAA on one day, and what that stood on."""
    return Evidence(_weights(), _predictions(), features(), _bars(), _raw_bars())


def features() -> pd.DataFrame:
    """Return features of AAA on two days: a zero, a null, and numbers."""
    values = np.arange(2.0 * len(FEATURE_NAMES)).reshape(2, -1)
    values[0, 1] = np.nan
    frame = pd.DataFrame(values, columns=list(FEATURE_NAMES))
    frame.insert(0, "date", pd.Series([DAY, NEXT]).astype("datetime64[us]"))
    frame.insert(0, "ticker", pd.Series(["AAA", "AAA"], dtype="str"))
    return frame


def _weights() -> pd.DataFrame:
    rows = [
        ("ppo", DAY, "AAA", True, 0.2, "p1"),
        ("ppo", NEXT, "AAA", False, 0.2, "p1"),
        ("equal_weight", DAY, "AAA", True, 0.1, None),
        ("ppo", DAY, "BBB", True, 0.0, "p1"),
    ]
    columns = ["policy", "date", "ticker", "is_decision", "target_weight", "model_sha256"]
    return _frame(rows, columns)


def _predictions() -> pd.DataFrame:
    older = pd.Timestamp("2023-07-01")
    rows = [
        ("AAA", DAY, WINDOW, "xgboost", 5, 0.01, "m1"),
        ("AAA", DAY, older, "xgboost", 5, 0.09, "older window"),
        ("AAA", DAY, WINDOW, "xgboost", 20, 0.08, "other horizon"),
        ("AAA", DAY, WINDOW, "ridge", 5, 0.07, "other model"),
        ("AAA", NEXT, WINDOW, "xgboost", 5, 0.06, "other day"),
    ]
    columns = ["ticker", "date", "window", "model", "horizon", "prediction", "model_sha256"]
    return _frame(rows, columns).assign(trained_as_of=SEEN)


def _bars() -> pd.DataFrame:
    rows = [("AAA", DAY, "files", False), ("BBB", DAY, "files", True)]
    return _frame(rows, ["ticker", "date", "source", "is_filled"])


def _raw_bars() -> pd.DataFrame:
    early, late = pd.Timestamp("2024-01-03 01:00"), pd.Timestamp("2024-01-04 01:00")
    rows = [
        ("AAA", DAY, "files", "restated", None, late, "second answer"),
        ("AAA", DAY, "files", "first", None, early, "first answer"),
        ("AAA", DAY, "files", "undated", "unreadable_date", late, "second answer"),
        ("AAA", DAY, "yfinance", "other source", None, late, "third answer"),
        ("BBB", DAY, "files", "rejected", None, late, "second answer"),
    ]
    columns = [
        "ticker", "date", "source", "row_sha256", "defect", "ingested_at", "response_sha256",
    ]  # fmt: skip
    return _frame(rows, columns)


def _frame(rows: Sequence[tuple[object, ...]], columns: list[str]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=columns)
    moments = [name for name in ("date", "window", "ingested_at") if name in columns]
    return frame.astype(dict.fromkeys(moments, "datetime64[us]"))
