"""How a contract lies in DuckDB: schema, table, columns, comments, and the layout's version.

All functions work inside the caller's transaction. Rows belong to `warehouse`.
"""

from collections.abc import Mapping, Sequence

import duckdb

from odyssey_assets.contracts import Column, TableContract
from odyssey_assets.errors import WarehouseError

LAYOUT_VERSION = 1
LAYOUT_SCHEMA = "meta"
_LAYOUT_TABLE = f"{LAYOUT_SCHEMA}.layout"


def identifier(name: str) -> str:
    """Return `name` quoted as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return `text` quoted as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


def table_name(contract: TableContract) -> str:
    """Return the contract's table, quoted for SQL; without a catalog, which is the file's name."""
    return f"{identifier(contract.schema)}.{identifier(contract.name)}"


def refuse_newer_layout(connection: duckdb.DuckDBPyConnection) -> None:
    """Refuse a warehouse that a newer Odyssey has written.

    Raises:
        WarehouseError: Its layout version is above `LAYOUT_VERSION`.
    """
    try:
        row = connection.execute(f"select max(version) from {_LAYOUT_TABLE}").fetchone()
    except duckdb.CatalogException:  # no layout yet
        return
    found = row[0] if row else None
    if found is not None and found > LAYOUT_VERSION:
        raise WarehouseError(
            f"The warehouse has layout {found}; this Odyssey knows layouts up to {LAYOUT_VERSION}. "
            "Update Odyssey, or choose another home with --home or ODYSSEY_HOME."
        )


def mark_layout(connection: duckdb.DuckDBPyConnection) -> None:
    """Write the layout version into a warehouse that has none yet."""
    if stored_columns(connection, LAYOUT_SCHEMA, "layout"):
        return
    connection.execute(f"create schema if not exists {LAYOUT_SCHEMA}")
    connection.execute(f"create table {_LAYOUT_TABLE} (version bigint)")
    connection.execute(f"insert into {_LAYOUT_TABLE} values ({LAYOUT_VERSION})")
    write_comments(
        connection,
        "table",
        _LAYOUT_TABLE,
        "Version of the warehouse's layout; a program that knows only older ones refuses it.",
        {"version": "Layout version."},
    )


def stored_columns(
    connection: duckdb.DuckDBPyConnection, schema: str, table: str
) -> dict[str, str]:
    """Return name and type of the stored columns in order; empty if there is no such table.

    Asks for the one table: `duckdb_columns()` would bind every view of the file first.
    """
    name = f"{identifier(schema)}.{identifier(table)}"
    try:
        rows = connection.execute(
            f"select column_name, column_type from (describe {name})"
        ).fetchall()
    except duckdb.CatalogException:
        return {}
    return dict(rows)


def create_table(connection: duckdb.DuckDBPyConnection, contract: TableContract) -> None:
    """Create the contract's table, replacing one of another layout, with all comments."""
    columns = ", ".join(f"{identifier(column.name)} {column.type}" for column in contract.columns)
    connection.execute(f"create schema if not exists {identifier(contract.schema)}")
    connection.execute(f"create or replace table {table_name(contract)} ({columns})")
    comment_table(connection, contract)


def create_missing_tables(
    connection: duckdb.DuckDBPyConnection, contracts: Sequence[TableContract]
) -> None:
    """Create the tables that do not exist yet; the others stay as they are."""
    for contract in contracts:
        if not stored_columns(connection, contract.schema, contract.name):
            create_table(connection, contract)


def comment_table(connection: duckdb.DuckDBPyConnection, contract: TableContract) -> None:
    """Write the contract's descriptions where the stored comments differ from them."""
    stored = dict(
        connection.execute(
            "select column_name, comment from duckdb_columns() "
            "where database_name = current_database() and schema_name = ? and table_name = ? "
            "union all select '', comment from duckdb_tables() "
            "where database_name = current_database() and schema_name = ? and table_name = ?",
            [contract.schema, contract.name] * 2,
        ).fetchall()
    )
    declared = {column.name: column.description for column in contract.columns}
    changed = {name: text for name, text in declared.items() if stored.get(name) != text}
    if changed or stored.get("") != contract.description:
        write_comments(connection, "table", table_name(contract), contract.description, changed)


def add_columns(
    connection: duckdb.DuckDBPyConnection, contract: TableContract, columns: tuple[Column, ...]
) -> None:
    """Add nullable columns to a stored table; its rows get nulls."""
    for column in columns:
        connection.execute(
            f"alter table {table_name(contract)} add column {identifier(column.name)} {column.type}"
        )
    comment_table(connection, contract)


def write_comments(
    connection: duckdb.DuckDBPyConnection,
    kind: str,
    quoted_name: str,
    description: str,
    column_descriptions: Mapping[str, str],
) -> None:
    """Write a description on a `table` or `view` and on each of its columns."""
    connection.execute(f"comment on {kind} {quoted_name} is {literal(description)}")
    for name, text in column_descriptions.items():
        connection.execute(f"comment on column {quoted_name}.{identifier(name)} is {literal(text)}")


def layout_difference(contract: TableContract, stored: Mapping[str, str]) -> str:
    """Say how the stored columns differ from the declared ones; empty if they do not."""
    declared = {column.name: column.type for column in contract.columns}
    missing = [name for name in declared if name not in stored]
    undeclared = [name for name in stored if name not in declared]
    other_type = [
        f"{name} is {stored[name]}, declared {declared[name]}"
        for name in declared
        if name in stored and stored[name] != declared[name]
    ]
    findings = (
        ("not stored", missing),
        ("no longer declared", undeclared),
        ("of another type", other_type),
    )
    return "; ".join(f"{what}: {', '.join(names)}" for what, names in findings if names)
