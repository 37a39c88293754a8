"""Reigns written straight into the ledger of promotions, for tests of what follows from them."""

from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any, Literal

import pandas as pd

from odyssey_assets.infrastructure.warehouse import Warehouse
from odyssey_assets.monitoring.ledgers import PROMOTIONS


def write_reign(
    warehouse: Warehouse,
    kind: Literal["forecaster", "policy"],
    subject: str,
    window: date,
    serves_after: date,
    model: Mapping[Any, Any],
) -> None:
    """Note that the model of a row (its name and SHA-256) serves a window after a session."""
    row = dict.fromkeys(PROMOTIONS.column_names) | {
        "decision_id": f"{kind} {subject} {serves_after}",
        "recorded_at": datetime.combine(serves_after, time(22)),
        "kind": kind,
        "subject": subject,
        "window": pd.Timestamp(window),
        "as_of": pd.Timestamp(serves_after),
        "decision": "promoted" if kind == "forecaster" else "rolled_back",
        "is_champion": True,
        "serves_after": pd.Timestamp(serves_after),
        "mode": "automatic",
        "cause": "person",
        "actor": "test",
        "model_name": model["model_name"],
        "model_version": 2,
        "model_sha256": model["model_sha256"],
        "reason": "A test wants it.",
    }
    types = {column.name: column.dtype for column in PROMOTIONS.columns}
    warehouse.append(PROMOTIONS, pd.DataFrame([row]).astype(types))
