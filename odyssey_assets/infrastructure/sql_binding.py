"""Whether the SQL project can run: DuckDB itself binds every statement to empty tables.

An in-memory database gets one empty table a contract and one view a model; what DuckDB refuses
(an unknown column, a wrong type) is found before any data is there, and the types of all columns
are known. Nothing is computed.
"""

from collections.abc import Mapping

import duckdb

from odyssey_assets.contracts import TableContract
from odyssey_assets.errors import SqlProjectError
from odyssey_assets.infrastructure.sql_relations import TableKey
from odyssey_assets.infrastructure.sql_specs import SqlProject

ColumnTypes = Mapping[TableKey, Mapping[str, str]]


def bind_project(project: SqlProject) -> ColumnTypes:
    """Return the DuckDB type of every column of every model.

    Raises:
        SqlProjectError: DuckDB cannot run a model or test; carries its message and the file.
    """
    with duckdb.connect(config={"threads": 1}) as connection:
        schemas = {table.schema for table in project.tables} | {m.key[0] for m in project.models}
        for schema in sorted(schemas):
            connection.execute(f'create schema "{schema}"')
        for contract in project.tables:
            connection.execute(_empty_table(contract))
        for model in project.models:
            name = ".".join(f'"{part}"' for part in model.key)
            _bind(connection, f"create view {name} as {model.sql}", str(model.path))
        for test in project.tests:
            _bind(connection, f"explain {test.sql}", f"test {test.name}")
        rows = connection.execute(
            "select schema_name, table_name, column_name, data_type from duckdb_columns() "
            "where database_name = current_database() and not internal "
            "order by schema_name, table_name, column_index"
        ).fetchall()
    keys = {model.key for model in project.models}
    types: dict[TableKey, dict[str, str]] = {key: {} for key in keys}
    for schema, table, column, data_type in rows:
        if (schema, table) in keys:
            types[schema, table][column] = data_type
    return types


def _empty_table(contract: TableContract) -> str:
    columns = ", ".join(f'"{column.name}" {column.type}' for column in contract.columns)
    return f'create table "{contract.schema}"."{contract.name}" ({columns})'


def _bind(connection: duckdb.DuckDBPyConnection, statement: str, where: str) -> None:
    try:
        connection.execute(statement)
    except duckdb.Error as error:
        raise SqlProjectError(f"{where}: DuckDB cannot run it: {error}") from error
