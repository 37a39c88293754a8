"""SQL models in DuckDB: a select statement stored as a view or a table, with its comments.

Which models exist and in which order they run belongs to `sql_project`; opening the database
belongs to `warehouse`.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import duckdb

from odyssey_assets.core.hashing import hash_frame
from odyssey_assets.errors import SqlProjectError
from odyssey_assets.infrastructure.table_layout import identifier, write_comments

ModelKind = Literal["view", "table"]


@dataclass(frozen=True)
class SqlModel:
    """One model to store.

    Attributes:
        schema: DuckDB schema.
        name: Name of the view or table.
        kind: A view follows its inputs; a table holds the rows of this moment.
        sql: One select statement, without a semicolon.
        description: Comment of the model.
        column_descriptions: Comment by column; columns left out have none.
    """

    schema: str
    name: str
    kind: ModelKind
    sql: str
    description: str
    column_descriptions: Mapping[str, str]

    @property
    def qualified_name(self) -> str:
        """`schema.name`, as written in SQL."""
        return f"{self.schema}.{self.name}"


def write_model(connection: duckdb.DuckDBPyConnection, model: SqlModel) -> tuple[int, str]:
    """Store a model inside the caller's transaction, in place of a former view or table.

    Returns:
        Its row count and the SHA-256 of its content: all rows in the order of all columns for a
        table, the SQL for a view.

    Raises:
        SqlProjectError: DuckDB refuses the statement; names the model and the reason.
    """
    quoted = f"{identifier(model.schema)}.{identifier(model.name)}"
    try:
        # Sums of floats depend on the order in which threads finish; one thread repeats its bits.
        connection.execute("set threads to 1")
        connection.execute(f"create schema if not exists {identifier(model.schema)}")
        _drop_other_kind(connection, model, quoted)
        connection.execute(f"create or replace {model.kind} {quoted} as {model.sql}")
        write_comments(connection, model.kind, quoted, model.description, model.column_descriptions)
        if model.kind == "table":
            rows = connection.execute(f"select * from {quoted} order by all").df()
            return len(rows), hash_frame(rows)
        counted = connection.execute(f"select count(*) from {quoted}").fetchone()
        return (counted[0] if counted else 0), hashlib.sha256(model.sql.encode()).hexdigest()
    except duckdb.IOException:
        raise
    except duckdb.Error as error:
        raise SqlProjectError(
            f"{model.qualified_name} cannot be made a {model.kind}: {error}. Fix its SQL; the "
            "stored one stays as it was."
        ) from error


def _drop_other_kind(connection: duckdb.DuckDBPyConnection, model: SqlModel, quoted: str) -> None:
    other = "view" if model.kind == "table" else "table"
    is_stored = connection.execute(
        "select count(*) from information_schema.tables where table_catalog = current_database() "
        "and table_schema = ? and table_name = ? and (table_type = 'VIEW') = ?",
        [model.schema, model.name, other == "view"],
    ).fetchone()
    if is_stored and is_stored[0]:
        connection.execute(f"drop {other} {quoted}")
