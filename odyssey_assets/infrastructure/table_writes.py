"""Writing rows of a contract: the table made fit first, then the rows put in.

All functions work inside the caller's transaction.
"""

from collections.abc import Mapping, Sequence

import duckdb
import pandas as pd

from odyssey_assets.contracts import TableContract
from odyssey_assets.core.slices import WHOLE_TABLE, Slice
from odyssey_assets.errors import WarehouseError
from odyssey_assets.infrastructure.stored_rows import slice_condition, to_arrow
from odyssey_assets.infrastructure.table_layout import (
    add_columns,
    comment_table,
    create_table,
    identifier,
    layout_difference,
    stored_columns,
    table_name,
)


def insert_rows(
    connection: duckdb.DuckDBPyConnection,
    contract: TableContract,
    rows: pd.DataFrame,
    *,
    is_new_grain_only: bool = False,
) -> int:
    """Insert conforming rows, all or only those whose grain is not stored; return how many."""
    names = ", ".join(map(identifier, contract.column_names))
    grain = ", ".join(map(identifier, contract.grain))
    values = ", ".join(
        f"cast({identifier(column.name)} as {column.type}) as {identifier(column.name)}"
        for column in contract.columns
    )
    connection.register("delivered", to_arrow(rows))
    new_only = f"anti join {table_name(contract)} using ({grain})" if is_new_grain_only else ""
    inserted = connection.execute(
        f"insert into {table_name(contract)} ({names}) "
        f"select {names} from (select {values} from delivered) as given {new_only}"
    ).fetchone()
    connection.unregister("delivered")
    return int(inserted[0]) if inserted else 0


def prepare_table(
    connection: duckdb.DuckDBPyConnection, contract: TableContract, slices: Sequence[Slice]
) -> None:
    """Make the stored table fit the contract, or refuse where that would lose rows.

    A table of another layout is made anew if every row it holds lies inside the slices that are
    replaced; an append-only one only takes new nullable columns.

    Raises:
        WarehouseError: Rows that are not replaced have another layout.
    """
    stored = stored_columns(connection, contract.schema, contract.name)
    if not stored:
        create_table(connection, contract)
    elif not layout_difference(contract, stored):
        comment_table(connection, contract)
    elif contract.is_append_only:
        new = tuple(column for column in contract.columns if column.name not in stored)
        is_additive = len(stored) + len(new) == len(contract.columns)
        is_same_type = all(
            stored.get(each.name, each.type) == each.type for each in contract.columns
        )
        if not (is_additive and is_same_type and all(column.is_nullable for column in new)):
            raise other_layout(contract, stored)
        add_columns(connection, contract, new)
    elif _has_rows_outside(connection, contract, stored, slices):
        raise other_layout(contract, stored)
    else:
        create_table(connection, contract)


def _has_rows_outside(
    connection: duckdb.DuckDBPyConnection,
    contract: TableContract,
    stored: Mapping[str, str],
    slices: Sequence[Slice],
) -> bool:
    if tuple(slices) == (WHOLE_TABLE,):
        return False
    is_selectable = {contract.ticker_column, contract.date_column} - {None} <= set(stored)
    condition = slice_condition(contract, slices) if is_selectable else "false"
    found = connection.execute(
        f"select count(*) from {table_name(contract)} where ({condition}) is not true"
    ).fetchone()
    return bool(found and found[0])


def other_layout(contract: TableContract, stored: Mapping[str, str]) -> WarehouseError:
    """Return the error of a stored table that does not fit its contract, with what to do."""
    advice = (
        "Its rows cannot be fetched again as they were: start a new home with --home, or use the "
        "Odyssey that wrote this one."
        if contract.is_append_only
        else "Rebuild it whole: `odyssey run`, or materialize all of its partitions in one run."
    )
    return WarehouseError(
        f"{contract.qualified_name} is stored with other columns than declared "
        f"({layout_difference(contract, stored)}). {advice}"
    )
