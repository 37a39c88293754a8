"""Every model and file of `dbt_like_sql/`: described, runnable anywhere, in house style."""

import re
from pathlib import Path

import duckdb
import pytest

from odyssey_assets.contracts import TableContract
from odyssey_assets.features.catalog import FEATURES
from odyssey_assets.infrastructure.sql_binding import bind_project
from odyssey_assets.infrastructure.sql_specs import ProjectModel
from odyssey_assets.infrastructure.warehouse import Warehouse
from odyssey_assets_tests.dbt_like_sql.market import TABLES
from odyssey_assets_tests.dbt_like_sql.stored import (
    PROJECT,
    SQL_FOLDER,
    build_models,
    change_market,
    read_mart,
    store_market,
)


def test_models_of_every_python_table_have_a_staging_view() -> None:
    staged = {model.upstream[0] for model in PROJECT.models if model.key[0] == "staging"}
    assert staged == {contract.key for contract in TABLES}


@pytest.mark.parametrize("contract", TABLES, ids=lambda contract: contract.qualified_name)
def test_staging_view_passes_every_column_with_its_description(contract: TableContract) -> None:
    model = next(m for m in PROJECT.models if m.key == ("staging", f"stg_{contract.name}"))
    assert model.column_descriptions == {c.name: c.description for c in contract.columns}
    assert [column.type for column in model.columns] == [c.type for c in contract.columns]
    assert model.grain == contract.grain


@pytest.mark.parametrize("model", PROJECT.models, ids=lambda model: model.key[1])
def test_model_has_a_description_of_itself_and_every_column(model: ProjectModel) -> None:
    assert len(model.description) > 20
    assert all(model.column_descriptions.values())


def test_project_binds_in_duckdb_with_the_inherited_types() -> None:
    types = bind_project(PROJECT)
    for model in PROJECT.models:
        assert list(types[model.key]) == [column.name for column in model.columns]
        inherited = {column.name: column.type for column in model.columns if column.type}
        assert inherited == {name: types[model.key][name] for name in inherited}


def test_every_file_runs_unchanged_in_a_duckdb_client(warehouse: Warehouse) -> None:
    with duckdb.connect(str(warehouse.home.warehouse), read_only=True) as connection:
        for path in sorted(SQL_FOLDER.rglob("*.sql")):
            connection.execute(path.read_text()).fetchall()


@pytest.mark.parametrize("path", sorted(SQL_FOLDER.rglob("*.sql")), ids=lambda path: path.stem)
def test_sql_follows_house_style(path: Path) -> None:
    text = path.read_text()
    code = re.sub(r"--.*|'[^'\n]*'", "", text)
    assert code == code.lower(), "keywords and names are lowercase"
    assert "\t" not in text
    assert not re.search(r"[ \t]+$", text, re.MULTILINE)
    assert text.endswith("\n")
    assert all(
        (len(line) - len(line.lstrip(" "))) % 4 == 0 for line in text.splitlines() if line.strip()
    )


def test_models_rebuilt_from_the_same_tables_have_the_same_hash(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    marts = [model for model in PROJECT.models if model.kind == "table"]
    copy = change_market(warehouse, tmp_path, {}, ())
    assert build_models(copy, marts) == build_models(warehouse, marts)


def test_marts_without_any_row_upstream_are_empty_or_say_so(tmp_path: Path) -> None:
    warehouse = store_market({contract: contract.empty() for contract in TABLES}, tmp_path)
    for name in (
        "mart_daily_signals", "mart_model_leaderboard", "mart_strategy_comparison",
        "mart_current_portfolio", "mart_trade_blotter", "mart_monthly_returns", "mart_drift",
        "mart_forecast_quality", "mart_retrainings", "mart_champions", "mart_why_this_weight",
        "mart_policy_quality", "mart_policy_trials",
    ):  # fmt: skip
        assert read_mart(warehouse, name).empty, name
    brief = read_mart(warehouse, "mart_morning_brief")
    assert brief["section"].nunique() == 8
    quality = read_mart(warehouse, "mart_data_quality")
    assert list(quality["subject"]) == ["DXY", "GOLD", "TNX", "VIX"]
    assert quality["is_absent"].all()
    assert len(read_mart(warehouse, "mart_feature_catalog")) == len(FEATURES)
