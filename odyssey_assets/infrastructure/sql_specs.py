"""What an SQL project consists of: models, their columns, and tests.

How they are read from files belongs to `sql_project`, what Dagster makes of them to `sql_assets`.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from odyssey_assets.contracts import TableContract
from odyssey_assets.infrastructure.sql_models import ModelKind
from odyssey_assets.infrastructure.sql_relations import ColumnRef, TableKey

Severity = Literal["error", "warn"]


@dataclass(frozen=True)
class ProjectColumn:
    """An output column of a model.

    Attributes:
        name: Its name.
        type: DuckDB type of the stored column that it passes on; None where it is computed.
        description: What it means.
        sources: The columns of other tables and models that its values come from, sorted.
    """

    name: str
    type: str | None
    description: str
    sources: tuple[ColumnRef, ...] = ()


@dataclass(frozen=True)
class ProjectModel:
    """One select that is stored as a view or table.

    Attributes:
        key: (schema, name); the DuckDB name and the path of the asset key.
        kind: Views are recomputed by every reader, tables are stored.
        path: The file.
        sql: The statement as written.
        description: What a row is, and where its figures come from.
        grain: Columns that are unique together.
        columns: Output columns in order.
        upstream: Tables that the statement reads, sorted.
    """

    key: TableKey
    kind: ModelKind
    path: Path
    sql: str
    description: str
    grain: tuple[str, ...]
    columns: tuple[ProjectColumn, ...]
    upstream: tuple[TableKey, ...]

    @property
    def column_descriptions(self) -> dict[str, str]:
        """Description of every output column, in order."""
        return {column.name: column.description for column in self.columns}


@dataclass(frozen=True)
class ProjectTest:
    """A select whose rows are violations of a promise about one table.

    Attributes:
        name: The claim that the rows violate.
        table: The table that the claim is about.
        sql: The statement as written.
        description: The claim in words.
        severity: Whether a violation is an error or a warning.
        is_blocking: Whether a violation keeps everything downstream of `table` from being rebuilt.
        upstream: Tables that the statement reads, sorted.
    """

    name: str
    table: TableKey
    sql: str
    description: str
    severity: Severity
    is_blocking: bool
    upstream: tuple[TableKey, ...]


@dataclass(frozen=True)
class SqlProject:
    """Models with every model after those it reads, and the tests of all tables."""

    models: tuple[ProjectModel, ...]
    tests: tuple[ProjectTest, ...]
    tables: tuple[TableContract, ...]
