"""Rows of any stored table from the few values that a test is about."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from odyssey_assets.contracts import Column, TableContract
from odyssey_assets.core.slices import WHOLE_TABLE
from odyssey_assets.infrastructure.home import Home
from odyssey_assets.infrastructure.warehouse import Warehouse
from odyssey_assets.settings_sections import WarehouseSettings

Rows = Mapping[TableContract, list[dict[str, Any]]]
MOMENT = pd.Timestamp("2024-01-02")


def frame_of(contract: TableContract, rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Return conforming rows; what a row does not name is null or the first legal value."""
    unknown = {name for row in rows for name in row} - set(contract.column_names)
    assert not unknown, f"{contract.qualified_name} has no {sorted(unknown)}"
    columns = {
        column.name: pd.Series([_value(column, row) for row in rows]).astype(column.dtype)
        for column in contract.columns
    }
    return contract.conform(pd.DataFrame(columns))


def store(root: Path, rows: Rows) -> Warehouse:
    """Store rows in the warehouse of a home, each table replaced as a whole or appended to."""
    home = Home(root)
    home.create()
    warehouse = Warehouse(home, WarehouseSettings(min_free_gb=0))
    warehouse.create_missing(list(rows))
    for contract, given in rows.items():
        if contract.is_append_only:
            warehouse.append(contract, frame_of(contract, given))
        else:
            warehouse.replace(contract, frame_of(contract, given), (WHOLE_TABLE,))
    return warehouse


def _value(column: Column, row: Mapping[str, Any]) -> Any:
    if column.name in row:
        value = row[column.name]
        return pd.Timestamp(value) if column.type in ("DATE", "TIMESTAMP") else value
    if column.is_nullable:
        return None
    if column.allowed:
        return column.allowed[0]
    defaults = {"VARCHAR": "", "BOOLEAN": False, "DATE": MOMENT, "TIMESTAMP": MOMENT}
    return defaults.get(column.type, column.minimum or 0)
