"""The SQL project as Dagster sees it: every model an asset, every test an asset check.

An asset body stores its model and reports rows, hash, column types and column lineage. Models have
no partitions: a refresh rebuilds them, which takes seconds. A table that was never filled is read
as empty, so that a part of the graph that failed does not hold back the others.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

import dagster as dg
import pandas as pd

from odyssey_assets.contracts import TableContract
from odyssey_assets.errors import SqlProjectError
from odyssey_assets.infrastructure.sql_relations import TableKey
from odyssey_assets.infrastructure.sql_specs import ProjectModel, ProjectTest, SqlProject
from odyssey_assets.infrastructure.warehouse import Warehouse

EXAMPLE_ROWS = 10
COMPUTED_TYPE = "computed"

PictureMaker = Callable[[Warehouse], Mapping[str, dg.MetadataValue]]


def build_sql_assets(
    project: SqlProject, pictures: Mapping[str, PictureMaker] | None = None
) -> list[dg.AssetsDefinition]:
    """Return one asset a model, in dependency order; they need the resource `warehouse`.

    Args:
        project: The loaded project.
        pictures: For models named `schema.name`, what adds pictures to the metadata once the model
            is stored.

    Raises:
        SqlProjectError: A picture is given for a model that does not exist.
    """
    makers = dict(pictures or {})
    contracts = {contract.key: contract for contract in project.tables}
    assets = [
        _model_asset(
            model,
            [contracts[key] for key in model.upstream if key in contracts],
            makers.pop(_name(model.key), None),
        )
        for model in project.models
    ]
    if makers:
        raise SqlProjectError(
            f"Pictures are given for {sorted(makers)}; the models are "
            f"{[_name(model.key) for model in project.models]}."
        )
    return assets


def build_sql_checks(project: SqlProject) -> list[dg.AssetChecksDefinition]:
    """Return one asset check a test; they need the resource `warehouse`."""
    return [_test_check(test) for test in project.tests]


def _model_asset(
    model: ProjectModel, tables: Sequence[TableContract], make_pictures: PictureMaker | None
) -> dg.AssetsDefinition:
    @dg.asset(
        key=list(model.key),
        deps=_asset_keys(model.upstream),
        group_name=model.key[0],
        description=model.description,
        kinds={"duckdb", "sql"},
        metadata={
            "dagster/column_schema": _column_schema(model, {}),
            "dagster/table_name": _name(model.key),
            "grain": ", ".join(model.grain),
            "stored_as": model.kind,
            "sql": dg.MetadataValue.md(f"```sql\n{model.sql}```"),
        },
    )
    def build_model(warehouse: dg.ResourceParam[Warehouse]) -> dg.MaterializeResult:
        receipt = warehouse.create_model(
            *model.key, model.kind, model.sql, model.description, model.column_descriptions, tables
        )
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": receipt.row_count,
                "dagster/column_schema": _column_schema(model, receipt.column_types),
                "dagster/column_lineage": _column_lineage(model),
                "content_sha256": receipt.content_sha256,
                "duration_s": receipt.duration_s,
                **(make_pictures(warehouse) if make_pictures is not None else {}),
            }
        )

    return build_model


def _test_check(test: ProjectTest) -> dg.AssetChecksDefinition:
    severity = (
        dg.AssetCheckSeverity.ERROR if test.severity == "error" else dg.AssetCheckSeverity.WARN
    )

    @dg.asset_check(
        name=test.name,
        asset=dg.AssetKey(test.table),
        additional_deps=_asset_keys(key for key in test.upstream if key != test.table),
        description=test.description,
        blocking=test.is_blocking,
        metadata={"sql": dg.MetadataValue.md(f"```sql\n{test.sql}```")},
    )
    def find_violations(warehouse: dg.ResourceParam[Warehouse]) -> dg.AssetCheckResult:
        found = warehouse.query(
            "select violations.*, count(*) over () as violation_count\n"
            f"from (\n{test.sql}) as violations\nlimit {EXAMPLE_ROWS}"
        )
        count = 0 if found.empty else int(found["violation_count"].iloc[0])
        metadata: dict[str, dg.MetadataValue] = {
            "violations": dg.MetadataValue.int(count),
            "expected": dg.MetadataValue.int(0),
        }
        if count:
            metadata["examples"] = _table(found.drop(columns="violation_count"))
        return dg.AssetCheckResult(passed=count == 0, severity=severity, metadata=metadata)

    return find_violations


def _name(key: TableKey) -> str:
    return ".".join(key)


def _asset_keys(keys: Iterable[TableKey]) -> list[dg.AssetKey]:
    return [dg.AssetKey(key) for key in keys]


def _column_schema(model: ProjectModel, types: Mapping[str, str]) -> dg.TableSchema:
    return dg.TableSchema(
        [
            dg.TableColumn(
                column.name,
                type=types.get(column.name, column.type or COMPUTED_TYPE),
                description=column.description,
            )
            for column in model.columns
        ]
    )


def _column_lineage(model: ProjectModel) -> dg.TableColumnLineage:
    return dg.TableColumnLineage(
        {
            column.name: [
                dg.TableColumnDep(dg.AssetKey(source.table), source.column)
                for source in column.sources
            ]
            for column in model.columns
        }
    )


def _table(rows: pd.DataFrame) -> dg.MetadataValue:
    """Show rows as a table; nulls stay empty, everything that is no number is text."""
    records = [
        dg.TableRecord({str(name): _cell(value) for name, value in row.items()})
        for row in rows.to_dict(orient="records")
    ]
    columns = [dg.TableColumn(str(name), type=str(rows[name].dtype)) for name in rows.columns]
    return dg.MetadataValue.table(records, schema=dg.TableSchema(columns))


def _cell(value: object) -> str | int | float | bool | None:
    if pd.isna(value):
        return None
    if isinstance(value, pd.Timestamp):
        return str(value.date()) if value == value.normalize() else str(value)
    return value if isinstance(value, (bool, int, float)) else str(value)
