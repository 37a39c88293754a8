"""A row of each table of policy versions as it could be made, to be stored as it is or broken."""

from collections.abc import Mapping

import pandas as pd

from odyssey_assets.contracts import TableContract
from odyssey_assets.core.slices import WHOLE_TABLE
from odyssey_assets.infrastructure.warehouse import Warehouse

DAY = pd.Timestamp("2022-04-29")
CHALLENGER = {
    "policy": "ppo",
    "window": pd.Timestamp("2022-01-01"),
    "role": "challenger",
    "trained_as_of": DAY,
    "requested_as_of": DAY,
    "train_start": pd.Timestamp("2020-07-01"),
    "train_end": pd.Timestamp("2021-10-29"),
    "valid_start": pd.Timestamp("2021-10-30"),
    "valid_end": DAY,
    "steps": 256,
    "selected_steps": 256,
    "validation_sharpe": 0.5,
    "warm_start_sha256": "0" * 64,
    "data_sha256": "1" * 64,
    "model_name": "policies/ppo/2022-01-01/seed-42/key",
    "model_sha256": "2" * 64,
    "mlflow_run_id": None,
    "recorded_at": pd.Timestamp("2022-04-29 22:00"),
}
TRIAL = {
    "policy": "ppo",
    "window": pd.Timestamp("2022-01-01"),
    "role": "predecessor",
    "model_sha256": "2" * 64,
    "serves_after": DAY,
    "date": pd.Timestamp("2022-05-03"),
    "return": 0.01,
    "equity": 1e6,
}


def plant(warehouse: Warehouse, contract: TableContract, row: Mapping[str, object]) -> None:
    """Make a row the only one of its table; an append-only table has to be empty."""
    types = {column.name: column.dtype for column in contract.columns}
    frame = pd.DataFrame([row]).astype(types)
    if contract.is_append_only:
        warehouse.append(contract, frame)
    else:
        warehouse.replace(contract, frame, (WHOLE_TABLE,))
