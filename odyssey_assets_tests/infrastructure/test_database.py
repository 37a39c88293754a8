"""The live file: opened under the lock, never left open, refused where it cannot be trusted."""

from pathlib import Path

import duckdb
import pytest

from odyssey_assets.errors import WarehouseError
from odyssey_assets.infrastructure.database import Database
from odyssey_assets.settings_sections import WarehouseSettings
from odyssey_assets_tests.infrastructure.conftest import QUICK


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(tmp_path / "warehouse" / "odyssey.duckdb", QUICK)


def store_one(database: Database) -> None:
    with database.transaction() as connection:
        connection.execute("create or replace table t as select 1 as a")


def rows_of(database: Database) -> list[tuple[int]]:
    with database.reader() as connection:
        return connection.execute("select a from t").fetchall() if connection else []


def test_reader_without_a_file_gets_none(database: Database) -> None:
    with database.reader() as connection:
        assert connection is None
    assert not database.path.exists()


def delete_then(database: Database, statement: str) -> None:
    with database.transaction() as connection:
        connection.execute("delete from t")
        if not statement:
            raise KeyError("an error of somebody else")
        connection.execute(statement)


def test_transaction_that_raises_stores_nothing(database: Database) -> None:
    store_one(database)
    with pytest.raises(KeyError):
        delete_then(database, "")
    with pytest.raises(WarehouseError, match="Nothing was stored"):
        delete_then(database, "insert into t values ('no number')")
    assert rows_of(database) == [(1,)]


def test_connection_after_its_block_is_closed(database: Database) -> None:
    with database.transaction() as writer:
        writer.execute("create table t as select 1 as a")
    with database.reader() as reader:
        pass
    for connection in (writer, reader):
        assert connection is not None
        with pytest.raises(duckdb.ConnectionException):
            connection.execute("select 1")


def test_checkpointed_file_is_complete_without_a_log(database: Database, tmp_path: Path) -> None:
    with pytest.raises(WarehouseError, match="odyssey run"), database.checkpointed():
        pass
    store_one(database)
    with duckdb.connect(str(database.path)) as connection:
        connection.execute("pragma disable_checkpoint_on_shutdown")
        connection.execute("insert into t values (2)")
    assert database.path.with_name("odyssey.duckdb.wal").exists()
    assert rows_of(database) == [(1,), (2,)]
    with database.checkpointed() as path:
        copied = tmp_path / "copied.duckdb"
        copied.write_bytes(path.read_bytes())
    with duckdb.connect(str(copied), read_only=True) as connection:
        assert connection.execute("select a from t").fetchall() == [(1,), (2,)]


def test_file_of_a_newer_layout_is_refused_for_read_write_and_copy(database: Database) -> None:
    store_one(database)
    with duckdb.connect(str(database.path)) as connection:
        connection.execute("update meta.layout set version = 99")
    for opened in (database.reader(), database.transaction(), database.checkpointed()):
        with pytest.raises(WarehouseError, match=r"layout 99.*Update Odyssey"), opened:
            pass


def test_file_that_is_no_database_is_refused(database: Database) -> None:
    database.path.parent.mkdir()
    database.path.write_bytes(b"half a file" * 1000)
    with pytest.raises(WarehouseError, match=r"cannot be opened.*published"), database.reader():
        pass


def test_transaction_with_too_little_free_disk_is_refused(database: Database) -> None:
    greedy = Database(database.path, WarehouseSettings(min_free_gb=1e9))
    with pytest.raises(WarehouseError, match=r"GB free.*MIN_FREE_GB"), greedy.transaction():
        pass
    assert not database.path.exists()
