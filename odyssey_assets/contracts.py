"""What a stored table promises: columns, types, grain, ranges and what each of them means.

A contract is declared once, in the `tables.py` of its domain. The DuckDB table with its comments,
the check before each write, the Great Expectations checks, the column schema in the Dagster UI
and the documentation all follow from it. Pure: nothing here opens a file or knows Dagster.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from odyssey_assets.errors import ContractError

ColumnType = Literal["VARCHAR", "DATE", "TIMESTAMP", "DOUBLE", "BIGINT", "BOOLEAN"]

_PANDAS_DTYPES: Mapping[ColumnType, str] = {
    "VARCHAR": "str",
    "DATE": "datetime64[us]",
    "TIMESTAMP": "datetime64[us]",
    "DOUBLE": "float64",
    "BIGINT": "int64",
    "BOOLEAN": "bool",
}


@dataclass(frozen=True)
class Column:
    """One column of a stored table.

    Attributes:
        name: Lowercase; carries its unit or kind (`_return`, `_days`, `_at`; `is_` for booleans).
        type: The DuckDB type.
        description: One line with unit and timing; becomes the DuckDB comment.
        is_nullable: Whether a null is a legal value.
        minimum: Smallest legal value, inclusive; None is unbounded.
        maximum: Largest legal value, inclusive; None is unbounded.
        allowed: The closed vocabulary of a VARCHAR column; empty means any text.
        is_audit: Says when or where, not what (`ingested_at`): left out of the content hash, so
            that two runs over the same data have the same hash.
    """

    name: str
    type: ColumnType
    description: str
    is_nullable: bool = False
    minimum: float | None = None
    maximum: float | None = None
    allowed: tuple[str, ...] = ()
    is_audit: bool = False

    @property
    def dtype(self) -> str:
        """The pandas dtype of the column in every frame; a nullable BIGINT is `Int64`."""
        if self.type == "BIGINT" and self.is_nullable:
            return "Int64"
        return _PANDAS_DTYPES[self.type]


@dataclass(frozen=True)
class TableContract:
    """The promise of one stored table.

    Attributes:
        schema: DuckDB schema, which is also the domain and the Dagster group.
        name: Table name; the asset key is `[schema, name]`.
        description: One line: what a row is and when it is known.
        grain: Columns that are unique together and never null.
        columns: All columns in stored order.
        date_column: The DATE column by which a window partition selects its rows; None for a
            table that is replaced whole.
        ticker_column: The column by which a ticker partition selects its rows; None where the
            table has no tickers.
        is_append_only: Rows are only ever added; a row whose grain is stored already is skipped.
    """

    schema: str
    name: str
    description: str
    grain: tuple[str, ...]
    columns: tuple[Column, ...]
    date_column: str | None = "date"
    ticker_column: str | None = "ticker"
    is_append_only: bool = False

    def __post_init__(self) -> None:
        """Refuse a contract that names a column it does not declare, or declares one twice."""
        names = self.column_names
        duplicates = sorted({name for name in names if names.count(name) > 1})
        if duplicates:
            raise ContractError(f"{self.qualified_name} declares {duplicates} more than once.")
        used = {*self.grain, self.date_column, self.ticker_column} - {None}
        missing = sorted(str(name) for name in used if name not in names)
        if missing:
            raise ContractError(f"{self.qualified_name} uses {missing} but does not declare them.")

    @property
    def key(self) -> tuple[str, str]:
        """Path of the Dagster asset key."""
        return (self.schema, self.name)

    @property
    def qualified_name(self) -> str:
        """`schema.name`, as written in SQL."""
        return f"{self.schema}.{self.name}"

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names of all columns in stored order."""
        return tuple(column.name for column in self.columns)

    @property
    def content_columns(self) -> tuple[str, ...]:
        """Names of the columns that the content hash covers: all but the audit columns."""
        return tuple(column.name for column in self.columns if not column.is_audit)

    def column(self, name: str) -> Column:
        """Return the column called `name`.

        Raises:
            ContractError: No such column.
        """
        for column in self.columns:
            if column.name == name:
                return column
        raise ContractError(f"{self.qualified_name} has no column {name!r}.")

    def empty(self) -> pd.DataFrame:
        """Return a frame without rows that fulfils the contract's types."""
        return pd.DataFrame({column.name: pd.Series(dtype=column.dtype) for column in self.columns})

    def conform(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return `frame` with the contract's column order and dtypes, sorted by grain.

        Only lossless casts are made (float32 to float64, date resolution, object to str).

        Raises:
            ContractError: Columns are missing or undeclared, a cast would lose information, a
                non-nullable column holds nulls, or the grain is not unique.
        """
        self._refuse_other_columns(frame)
        conformed = pd.DataFrame(
            {column.name: self._cast(frame[column.name], column) for column in self.columns}
        )
        self._refuse_nulls(conformed)
        self._refuse_duplicates(conformed)
        return conformed.sort_values(list(self.grain), kind="stable", ignore_index=True)

    def _refuse_other_columns(self, frame: pd.DataFrame) -> None:
        missing = [name for name in self.column_names if name not in frame.columns]
        extra = [str(name) for name in frame.columns if name not in self.column_names]
        if missing or extra:
            raise ContractError(
                f"{self.qualified_name}: missing columns {missing}, undeclared columns {extra}. "
                f"Declare them in {self.schema}/tables.py or fix the asset."
            )

    def _cast(self, values: pd.Series, column: Column) -> pd.Series:
        try:
            cast = values.astype(column.dtype)
        except (TypeError, ValueError) as error:
            raise ContractError(
                f"{self.qualified_name}.{column.name}: found {values.dtype}, expected "
                f"{column.type} ({column.dtype}): {error}"
            ) from error
        if cast.dtype != values.dtype and not _is_lossless(values, cast):
            raise ContractError(
                f"{self.qualified_name}.{column.name}: found {values.dtype} values that are not "
                f"all of {column.type} ({column.dtype}); converting them would lose information."
            )
        if column.type == "DATE" and not (cast.dropna() == cast.dropna().dt.normalize()).all():
            raise ContractError(
                f"{self.qualified_name}.{column.name}: expected dates, found times of day."
            )
        return cast.reset_index(drop=True)

    def _refuse_nulls(self, frame: pd.DataFrame) -> None:
        for column in self.columns:
            if column.is_nullable and column.name not in self.grain:
                continue
            is_null = frame[column.name].isna()
            if is_null.any():
                example = frame.loc[is_null, list(self.grain)].iloc[0].to_dict()
                raise ContractError(
                    f"{self.qualified_name}.{column.name}: {int(is_null.sum())} nulls in a "
                    f"column that allows none, first at {example}."
                )

    def _refuse_duplicates(self, frame: pd.DataFrame) -> None:
        is_duplicate = frame.duplicated(list(self.grain), keep=False)
        if is_duplicate.any():
            example = frame.loc[is_duplicate, list(self.grain)].iloc[0].to_dict()
            raise ContractError(
                f"{self.qualified_name}: {int(is_duplicate.sum())} rows share their grain "
                f"{self.grain}, for example {example}. One row a grain is stored."
            )


def _is_lossless(before: pd.Series, after: pd.Series) -> bool:
    """Whether a cast kept every null and, dates aside, every value."""
    is_null = before.isna()
    if not after.isna().equals(is_null):
        return False
    if pd.api.types.is_datetime64_any_dtype(after.dtype):
        return True
    return bool((before[~is_null].astype(object) == after[~is_null].astype(object)).all())
