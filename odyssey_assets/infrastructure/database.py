"""The live DuckDB file: every connection to it is opened here, under the lock, and closed again.

One writer at a time, readers read-only; no connection outlives its block. What is read or written
belongs to `warehouse`.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from odyssey_assets.errors import WarehouseError
from odyssey_assets.infrastructure.locks import Holder, WarehouseLock
from odyssey_assets.infrastructure.table_layout import mark_layout, refuse_newer_layout
from odyssey_assets.settings_sections import WarehouseSettings

GIGABYTE = 1e9


class Database:
    """Opens one DuckDB file for a read, a transaction, or a copy.

    Attributes:
        path: The file.
        settings: Wait and free disk space.
    """

    def __init__(self, path: Path, settings: WarehouseSettings) -> None:
        self.path = path
        self.settings = settings
        self._lock = WarehouseLock(path.with_name(path.name + ".lock"), settings.lock_timeout_s)

    @contextmanager
    def reader(self) -> Iterator[duckdb.DuckDBPyConnection | None]:
        """Open the file read-only under the shared side; None if it does not exist.

        Raises:
            WarehouseError: The lock or the file is not to be had, it has a newer layout, or a
                statement fails.
        """
        with self._lock.reading():
            if self.path.exists():
                with self._connection(is_read_only=True) as connection:
                    yield connection
            else:
                yield None

    @contextmanager
    def transaction(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Open the file alone for one transaction; an exception leaves it as it was.

        Raises:
            WarehouseError: As for `reader`, or the disk is full.
        """
        with self._lock.writing():
            self.refuse_full_disk()
            with self._connection(is_read_only=False) as connection:
                connection.begin()
                mark_layout(connection)
                yield connection
                connection.commit()

    @contextmanager
    def checkpointed(self) -> Iterator[Path]:
        """Keep writers and readers out while the file, complete in itself, is copied.

        Raises:
            WarehouseError: As for `transaction`, or nothing is stored yet.
        """
        with self._lock.writing():
            if not self.path.exists():
                raise WarehouseError(f"{self.path} does not exist: run `odyssey run` first.")
            with self._connection(is_read_only=False) as connection:
                connection.execute("checkpoint")
            yield self.path

    def writer(self) -> Holder | None:
        """Return the process that writes at this moment; None without one."""
        return self._lock.holder()

    def refuse_full_disk(self, needed_bytes: int = 0) -> None:
        """Refuse to begin what the disk may not hold.

        Raises:
            WarehouseError: Names the free and the needed space.
        """
        folder = self.path.parent
        free_bytes = shutil.disk_usage(folder).free
        required_bytes = self.settings.min_free_gb * GIGABYTE + needed_bytes
        if free_bytes < required_bytes:
            raise WarehouseError(
                f"The disk of {folder} has {free_bytes / GIGABYTE:.2f} GB free, "
                f"{required_bytes / GIGABYTE:.2f} GB are needed. Free space, or lower "
                "ODYSSEY_WAREHOUSE__MIN_FREE_GB."
            )

    @contextmanager
    def _connection(self, *, is_read_only: bool) -> Iterator[duckdb.DuckDBPyConnection]:
        """Open and close the live file; closing without a commit rolls back."""
        try:
            connection = duckdb.connect(str(self.path), read_only=is_read_only)
        except duckdb.Error as error:
            raise WarehouseError(
                f"{self.path} cannot be opened: {_first_line(error)} Close other programs that "
                "have it open (people read the published file), or restore it from a published "
                "state."
            ) from error
        try:
            refuse_newer_layout(connection)
            yield connection
        except duckdb.Error as error:
            raise WarehouseError(
                f"{self.path}: {_first_line(error)} Nothing was stored by this step."
            ) from error
        finally:
            connection.close()


def _first_line(error: duckdb.Error) -> str:
    return str(error).splitlines()[0]
