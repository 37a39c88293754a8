"""The warehouse: tables of contracts and SQL models in one DuckDB file, and its publication.

Every write is one transaction; compute before and after, not inside. Nothing relies on keys,
sequences, indexes or upserts, so that another store can stand behind the same methods. What a
table promises belongs to `contracts`, its form in DuckDB to `table_layout`, connections and locks
to `database`, copies for people to `publishing`.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import pandas as pd

from odyssey_assets.contracts import TableContract
from odyssey_assets.core.hashing import hash_frame
from odyssey_assets.core.slices import WHOLE_TABLE, Slice
from odyssey_assets.errors import ContractError, WarehouseError
from odyssey_assets.infrastructure.database import Database
from odyssey_assets.infrastructure.home import Home
from odyssey_assets.infrastructure.publishing import PublishReceipt, publish_file
from odyssey_assets.infrastructure.sql_models import ModelKind, SqlModel, write_model
from odyssey_assets.infrastructure.stored_rows import (
    from_arrow,
    refuse_rows_outside,
    slice_condition,
)
from odyssey_assets.infrastructure.table_layout import (
    create_missing_tables,
    identifier,
    stored_columns,
    table_name,
)
from odyssey_assets.infrastructure.table_writes import insert_rows, other_layout, prepare_table
from odyssey_assets.settings_sections import WarehouseSettings


@dataclass(frozen=True)
class WriteReceipt:
    """What a write stored.

    Attributes:
        row_count: Rows of the slice; for an append, the rows that were not stored before.
        content_sha256: Hash of the given rows over the contract's content columns, sorted by
            grain; for a view, which holds no rows, the hash of its SQL.
        duration_s: Seconds from the check of the frame to the commit, the wait included.
    """

    row_count: int
    content_sha256: str
    duration_s: float


@dataclass(frozen=True)
class ModelReceipt(WriteReceipt):
    """What a stored model is.

    Attributes:
        column_types: DuckDB type by column, in order.
    """

    column_types: Mapping[str, str]


class Warehouse:
    """Reads, writes and publishes the tables of one home.

    Safe to use from several threads and processes at once, and cheap to build: it holds no
    connection between calls.
    """

    def __init__(self, home: Home, settings: WarehouseSettings) -> None:
        self.home = home
        self.settings = settings
        self._database = Database(home.warehouse, settings)

    def replace(
        self, contract: TableContract, frame: pd.DataFrame, slices: Sequence[Slice]
    ) -> WriteReceipt:
        """Replace the rows inside `slices` by `frame` in one transaction.

        Args:
            contract: The table's promise.
            frame: All rows that the slices hold from now on, in any order.
            slices: Disjoint rectangles; `(WHOLE_TABLE,)` replaces everything.

        Raises:
            ContractError: The frame breaks the contract or reaches outside the slices; the file
                was not opened.
            WarehouseError: Lock, disk, file or another stored layout; the table is as before.
        """
        started = time.perf_counter()
        if contract.is_append_only:
            raise ContractError(f"{contract.qualified_name} is append-only: use `append`.")
        rows = contract.conform(frame)
        refuse_rows_outside(rows, contract, slices)
        content_sha256 = hash_frame(rows, contract.content_columns)
        with self._database.transaction() as connection:
            prepare_table(connection, contract, slices)
            condition = slice_condition(contract, slices)
            connection.execute(f"delete from {table_name(contract)} where {condition}")
            insert_rows(connection, contract, rows)
        return WriteReceipt(len(rows), content_sha256, _seconds_since(started))

    def append(self, contract: TableContract, frame: pd.DataFrame) -> WriteReceipt:
        """Add the rows of `frame` whose grain is not stored yet, in one transaction.

        Raises:
            ContractError: The frame breaks the contract; the file was not opened.
            WarehouseError: Lock, disk, file or another stored layout; the table is as before.
        """
        started = time.perf_counter()
        rows = contract.conform(frame)
        content_sha256 = hash_frame(rows, contract.content_columns)
        with self._database.transaction() as connection:
            prepare_table(connection, contract, ())
            added = insert_rows(connection, contract, rows, is_new_grain_only=True)
        return WriteReceipt(added, content_sha256, _seconds_since(started))

    def read(
        self,
        contract: TableContract,
        slices: Sequence[Slice] = (WHOLE_TABLE,),
        columns: Sequence[str] | None = None,
    ) -> pd.DataFrame:
        """Return the stored rows inside `slices` with the contract's dtypes, sorted by grain.

        Args:
            contract: The table's promise.
            slices: Rectangles to read.
            columns: Columns to return, in this order; None returns all.

        Returns:
            The rows; none if the warehouse or the table does not exist yet.

        Raises:
            WarehouseError: Lock, file or another stored layout.
        """
        names = contract.column_names if columns is None else tuple(columns)
        condition = slice_condition(contract, slices)
        with self._database.reader() as connection:
            stored = (
                stored_columns(connection, contract.schema, contract.name) if connection else {}
            )
            if connection is None or not stored:
                return contract.empty()[list(names)]
            declared = {name: contract.column(name).type for name in names}
            if any(stored.get(name) != type_ for name, type_ in declared.items()):
                raise other_layout(contract, stored)
            table = connection.execute(
                f"select {', '.join(map(identifier, names))} from {table_name(contract)} "
                f"where {condition} order by {', '.join(map(identifier, contract.grain))}"
            ).to_arrow_table()
        return from_arrow(table, contract)

    def query(self, sql: str) -> pd.DataFrame:
        """Return the rows of a select statement on the live file.

        Raises:
            WarehouseError: Nothing is stored yet, or lock, file or statement fail.
        """
        with self._database.reader() as connection:
            if connection is None:
                raise WarehouseError(f"{self.home.warehouse} does not exist: run `odyssey run`.")
            return connection.execute(sql).df()

    def create_missing(self, contracts: Sequence[TableContract]) -> None:
        """Create the tables that do not exist yet, without rows; the others stay as they are.

        Raises:
            WarehouseError: Lock, disk or file.
        """
        with self._database.reader() as connection:
            missing = [
                contract
                for contract in contracts
                if connection is None
                or not stored_columns(connection, contract.schema, contract.name)
            ]
        if not missing:
            return
        with self._database.transaction() as connection:
            create_missing_tables(connection, missing)

    def create_model(
        self,
        schema: str,
        name: str,
        kind: ModelKind,
        sql: str,
        description: str,
        column_descriptions: Mapping[str, str],
        tables: Sequence[TableContract] = (),
    ) -> ModelReceipt:
        """Store a select statement as a view or a table, in one transaction.

        A view takes the place of a table of that name, and the other way round. Those of `tables`,
        which the statement reads, that do not exist yet are created empty.

        Raises:
            SqlProjectError: DuckDB refuses the statement; what was stored stays.
            WarehouseError: Lock, disk or file.
        """
        started = time.perf_counter()
        model = SqlModel(schema, name, kind, sql, description, column_descriptions)
        with self._database.transaction() as connection:
            create_missing_tables(connection, tables)
            row_count, content_sha256 = write_model(connection, model)
            types = stored_columns(connection, schema, name)
        return ModelReceipt(row_count, content_sha256, _seconds_since(started), types)

    def prune(
        self, contract: TableContract, tickers: Sequence[str], start: date, end: date | None
    ) -> int:
        """Delete the rows of other tickers and of dates outside `[start, end)`; return how many.

        Raises:
            ContractError: The table is append-only.
            WarehouseError: Lock, disk or file.
        """
        if contract.is_append_only:
            raise ContractError(f"{contract.qualified_name} is append-only: rows are never lost.")
        kept = Slice(
            tickers=tuple(tickers) if contract.ticker_column else None,
            start=start if contract.date_column else None,
            end=end if contract.date_column else None,
        )
        condition = slice_condition(contract, (kept,))
        with self._database.transaction() as connection:
            if not stored_columns(connection, contract.schema, contract.name):
                return 0
            deleted = connection.execute(
                f"delete from {table_name(contract)} where ({condition}) is not true"
            ).fetchone()
        return int(deleted[0]) if deleted else 0

    def refuse_unusable(self) -> None:
        """Refuse what would fail every write, before anything is fetched or computed.

        Raises:
            WarehouseError: Lock, disk or file, or a newer Odyssey wrote the file.
        """
        self._database.refuse_full_disk()
        with self._database.reader():
            pass

    def table_hash(self, contract: TableContract) -> str:
        """Return the content hash of the whole stored table."""
        return hash_frame(self.read(contract), contract.content_columns)

    def publish(self) -> PublishReceipt:
        """Publish the present state for people; they see it complete or not at all.

        Raises:
            WarehouseError: Nothing is stored yet, or lock, disk or file; what was published stays.
        """
        started = time.perf_counter()
        with self._database.checkpointed() as live:
            self._database.refuse_full_disk(2 * live.stat().st_size)
            try:
                state, content_sha256 = publish_file(
                    live,
                    self.home.published,
                    self.home.published_states,
                    self.settings.keep_published,
                )
            except OSError as error:
                raise WarehouseError(
                    f"{self.home.published} cannot be published: {error}. Free disk space or fix "
                    "the permissions of the folder, then run `odyssey run` again."
                ) from error
        return PublishReceipt(
            path=self.home.published,
            state=state,
            content_sha256=content_sha256,
            size_bytes=state.stat().st_size,
            duration_s=_seconds_since(started),
        )


def _seconds_since(started: float) -> float:
    return round(time.perf_counter() - started, 3)
