"""A made-up market stored in a warehouse with all SQL models on top."""

import shutil
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

import pandas as pd

from odyssey_assets.contracts import TableContract
from odyssey_assets.core.slices import WHOLE_TABLE
from odyssey_assets.infrastructure.home import Home
from odyssey_assets.infrastructure.sql_project import load_project
from odyssey_assets.infrastructure.sql_relations import TableKey
from odyssey_assets.infrastructure.sql_specs import ProjectModel
from odyssey_assets.infrastructure.warehouse import Warehouse
from odyssey_assets.settings_sections import WarehouseSettings
from odyssey_assets_tests.dbt_like_sql.market import TABLES

SQL_FOLDER = Path(__file__).resolve().parents[2] / "dbt_like_sql"
PROJECT = load_project(SQL_FOLDER, TABLES)
Tables = Mapping[TableContract, pd.DataFrame]


def _empty_warehouse(root: Path) -> Warehouse:
    home = Home(root)
    home.create()
    return Warehouse(home, WarehouseSettings(min_free_gb=0))


def store_market(tables: Tables, root: Path) -> Warehouse:
    warehouse = _empty_warehouse(root)
    for contract, frame in tables.items():
        _store(warehouse, contract, frame)
    build_models(warehouse, PROJECT.models)
    return warehouse


def _store(warehouse: Warehouse, contract: TableContract, frame: pd.DataFrame) -> None:
    if contract.is_append_only:
        warehouse.append(contract, frame)
    else:
        warehouse.replace(contract, frame, (WHOLE_TABLE,))


def change_market(
    warehouse: Warehouse, root: Path, changes: Tables, needed: Collection[TableKey]
) -> Warehouse:
    """Return a copy of `warehouse` with other tables and the marts that `needed` stands on.

    Rows of a table that is append-only come on top of those it has.
    """
    copy = _empty_warehouse(root)
    shutil.copyfile(warehouse.home.warehouse, copy.home.warehouse)
    for contract, frame in changes.items():
        _store(copy, contract, frame)
    reached = set(needed)
    for model in reversed(PROJECT.models):
        if model.key in reached:
            reached.update(model.upstream)
    build_models(copy, [m for m in PROJECT.models if m.kind == "table" and m.key in reached])
    return copy


def build_models(warehouse: Warehouse, models: Iterable[ProjectModel]) -> dict[str, str]:
    return {
        model.key[1]: warehouse.create_model(
            *model.key, model.kind, model.sql, model.description, model.column_descriptions
        ).content_sha256
        for model in models
    }


def read_mart(warehouse: Warehouse, name: str) -> pd.DataFrame:
    return warehouse.query(f"select * from marts.{name}")
