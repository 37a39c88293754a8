"""The SQL project materialized by Dagster into a real warehouse."""

from collections.abc import Mapping
from pathlib import Path

import dagster as dg
import pandas as pd
import pytest

from odyssey_assets.contracts import Column, TableContract
from odyssey_assets.core.slices import WHOLE_TABLE
from odyssey_assets.errors import SqlProjectError
from odyssey_assets.infrastructure.home import Home
from odyssey_assets.infrastructure.sql_assets import build_sql_assets, build_sql_checks
from odyssey_assets.infrastructure.sql_project import load_project
from odyssey_assets.infrastructure.sql_specs import SqlProject
from odyssey_assets.infrastructure.warehouse import Warehouse
from odyssey_assets.settings_sections import WarehouseSettings

SALES = TableContract(
    schema="shop",
    name="sales",
    description="Sales.",
    grain=("item", "date"),
    columns=(
        Column("item", "VARCHAR", "What is sold."),
        Column("date", "DATE", "Day of sale."),
        Column("price", "DOUBLE", "Price, USD.", is_nullable=True),
    ),
    ticker_column=None,
)
HEADER = "-- description: Some rows.\n-- grain: item\n"
FILES = {
    "staging/stg_sales.sql": "-- description: All sales.\n-- grain: item, date\n"
    "select\n    item,\n    date,\n    price\nfrom shop.sales\n",
    "marts/mart_totals.sql": HEADER + "select\n    s.item,\n"
    "    sum(s.price) as total -- All that was paid, USD.\n"
    "from staging.stg_sales as s\ngroup by s.item\n",
    "marts/mart_best.sql": HEADER
    + "select\n    t.item,\n    t.total\nfrom marts.mart_totals as t\n",
    "tests/totals_are_positive.sql": "-- asset: marts.mart_totals\n"
    "-- description: Totals are positive.\n-- severity: error\n-- blocking: true\n"
    "select\n    t.item,\n    s.date,\n    t.total,\n    null as nothing,\n    true as is_bad\n"
    "from marts.mart_totals as t\ninner join staging.stg_sales as s using (item)\n"
    "where t.total <= 0\n",
}
BEST, TOTALS = dg.AssetKey(["marts", "mart_best"]), dg.AssetKey(["marts", "mart_totals"])


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    home = Home(tmp_path / "home")
    home.create()
    return Warehouse(home, WarehouseSettings(min_free_gb=0))


@pytest.fixture
def project(tmp_path: Path) -> SqlProject:
    for name, text in FILES.items():
        path = tmp_path / "sql" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return load_project(tmp_path / "sql", (SALES,))


def _store(warehouse: Warehouse, prices: Mapping[str, float]) -> None:
    days = pd.to_datetime(["2024-01-02", "2024-01-03"]).as_unit("us")
    rows = [(item, day, price) for item, price in prices.items() for day in days]
    frame = pd.DataFrame(rows, columns=["item", "date", "price"])
    warehouse.replace(SALES, frame, (WHOLE_TABLE,))


def _materialize(project: SqlProject, warehouse: Warehouse) -> dg.ExecuteInProcessResult:
    definitions = dg.Definitions(
        assets=build_sql_assets(project),
        asset_checks=build_sql_checks(project),
        resources={"warehouse": warehouse},
        jobs=[dg.define_asset_job("refresh", dg.AssetSelection.all())],
    )
    job = definitions.resolve_job_def("refresh")
    return job.execute_in_process(raise_on_error=False)


def test_assets_carry_group_dependencies_and_column_schema(project: SqlProject) -> None:
    specs = {asset.key: next(iter(asset.specs)) for asset in build_sql_assets(project)}
    assert [key.path[1] for key in specs] == ["stg_sales", "mart_totals", "mart_best"]
    spec = specs[TOTALS]
    assert spec.group_name == "marts"
    assert {dep.asset_key for dep in spec.deps} == {dg.AssetKey(["staging", "stg_sales"])}
    assert spec.kinds == {"duckdb", "sql"}
    assert spec.description == "Some rows."
    columns = spec.metadata["dagster/column_schema"].columns
    assert [(c.name, c.type, c.description) for c in columns] == [
        ("item", "VARCHAR", "What is sold."),
        ("total", "computed", "All that was paid, USD."),
    ]
    assert spec.metadata["dagster/table_name"] == "marts.mart_totals"
    assert "sum(s.price) as total" in spec.metadata["sql"].value


def test_staging_depends_on_the_python_asset_by_key(project: SqlProject) -> None:
    staging = next(iter(build_sql_assets(project)[0].specs))
    assert [dep.asset_key for dep in staging.deps] == [dg.AssetKey(["shop", "sales"])]


def test_materialization_stores_models_and_reports_rows_types_and_lineage(
    project: SqlProject, warehouse: Warehouse
) -> None:
    _store(warehouse, {"tea": 2.0, "cup": 5.0})
    result = _materialize(project, warehouse)
    assert result.success
    event = next(e for e in result.get_asset_materialization_events() if e.asset_key == TOTALS)
    metadata = event.materialization.metadata
    assert metadata["dagster/row_count"].value == 2
    assert len(str(metadata["content_sha256"].value)) == 64
    lineage = metadata["dagster/column_lineage"].value
    assert isinstance(lineage, dg.TableColumnLineage)
    sources = lineage.deps_by_column["total"]
    assert [(s.asset_key.path, s.column_name) for s in sources] == [
        (["staging", "stg_sales"], "price")
    ]
    schema = metadata["dagster/column_schema"].value
    assert isinstance(schema, dg.TableSchema)
    assert [column.type for column in schema.columns] == ["VARCHAR", "DOUBLE"]
    stored = warehouse.query("select * from marts.mart_best order by item")
    assert stored.to_dict("list") == {"item": ["cup", "tea"], "total": [10.0, 4.0]}


def test_materialization_writes_descriptions_as_comments(
    project: SqlProject, warehouse: Warehouse
) -> None:
    _store(warehouse, {"tea": 2.0})
    assert _materialize(project, warehouse).success
    comments = warehouse.query(
        "select column_name, comment from duckdb_columns() where table_name = 'mart_best'"
    )
    assert dict(comments.to_numpy().tolist()) == {
        "item": "What is sold.",
        "total": "All that was paid, USD.",
    }


def test_failing_blocking_check_shows_rows_and_keeps_later_models_from_being_rebuilt(
    project: SqlProject, warehouse: Warehouse
) -> None:
    _store(warehouse, {f"item {number:02d}": -1.0 for number in range(12)} | {"tea": 2.0})
    result = _materialize(project, warehouse)
    assert not result.success
    evaluations = {e.check_name: e for e in result.get_asset_check_evaluations()}
    failed = evaluations["totals_are_positive"]
    assert not failed.passed
    assert failed.severity == dg.AssetCheckSeverity.ERROR
    assert failed.metadata["violations"].value == 24
    assert failed.metadata["expected"].value == 0
    examples = failed.metadata["examples"]
    assert isinstance(examples, dg.TableMetadataValue)
    assert len(examples.records) == 10
    assert examples.records[0].data["date"] in ("2024-01-02", "2024-01-03")
    assert examples.records[0].data["total"] == -2.0
    assert examples.records[0].data["is_bad"] is True
    assert examples.records[0].data["nothing"] is None
    assert evaluations["one_row_per_item"].passed
    materialized = {e.asset_key for e in result.get_asset_materialization_events()}
    assert TOTALS in materialized
    assert BEST not in materialized


def test_pictures_are_added_to_the_metadata_of_their_model(
    project: SqlProject, warehouse: Warehouse
) -> None:
    def count(stored: Warehouse) -> dict[str, dg.MetadataValue]:
        rows = len(stored.query("select * from marts.mart_totals"))
        return {"picture": dg.MetadataValue.md(f"{rows} rows")}

    _store(warehouse, {"tea": 2.0})
    assets = build_sql_assets(project, pictures={"marts.mart_totals": count})
    result = dg.materialize(assets, resources={"warehouse": warehouse})
    event = next(e for e in result.get_asset_materialization_events() if e.asset_key == TOTALS)
    assert event.materialization.metadata["picture"].value == "1 rows"


def test_picture_of_an_unknown_model_is_refused(project: SqlProject) -> None:
    with pytest.raises(SqlProjectError, match=r"\['marts.gone'\]; the models are"):
        build_sql_assets(project, pictures={"marts.gone": lambda _: {}})


def test_models_of_a_table_that_was_never_filled_are_empty_and_publishable(
    project: SqlProject, warehouse: Warehouse
) -> None:
    result = _materialize(project, warehouse)
    assert result.success
    rows = {
        event.asset_key: event.materialization.metadata["dagster/row_count"].value
        for event in result.get_asset_materialization_events()
    }
    assert rows[TOTALS] == rows[BEST] == 0
    assert all(each.passed for each in result.get_asset_check_evaluations())
    assert warehouse.query("select * from shop.sales").empty
    _store(warehouse, {"tea": 2.0})
    assert _materialize(project, warehouse).success
    assert warehouse.query("select total from marts.mart_best")["total"].tolist() == [4.0]


def test_model_of_a_filled_table_leaves_its_rows(project: SqlProject, warehouse: Warehouse) -> None:
    _store(warehouse, {"tea": 2.0, "cup": 5.0})
    before = warehouse.read(SALES)
    assert _materialize(project, warehouse).success
    pd.testing.assert_frame_equal(warehouse.read(SALES), before)
