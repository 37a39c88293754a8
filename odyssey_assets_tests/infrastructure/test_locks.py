"""The lock: readers together, a writer alone, bounded waits, and who is in the way."""

import json
import os
import threading
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest

from odyssey_assets.errors import WarehouseError
from odyssey_assets.infrastructure.locks import Side, WarehouseLock

SHORT_S = 0.05
LONG_S = 30.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "warehouse" / "odyssey.duckdb.lock"


def hold(path: Path, side: Side, parent: Connection) -> None:
    lock = WarehouseLock(path, LONG_S)
    with lock.writing() if side == "writing" else lock.reading():
        parent.send("held")
        parent.poll(LONG_S)


class Holding:
    """Another process that holds one side while the block runs."""

    def __init__(self, processes: ForkServerContext, path: Path, side: Side) -> None:
        self.connection, child = processes.Pipe()
        self.process = processes.Process(target=hold, args=(path, side, child))
        self.process.start()

    def __enter__(self) -> "Holding":
        assert self.connection.poll(LONG_S)
        return self

    def __exit__(self, *error: object) -> None:
        if self.process.is_alive():
            self.connection.send("over")
        self.process.join(LONG_S)


def test_writer_of_another_process_is_named_when_the_wait_is_over(
    path: Path, processes: ForkServerContext
) -> None:
    with Holding(processes, path, "writing") as other:
        for opened in (
            WarehouseLock(path, SHORT_S).reading(), WarehouseLock(path, SHORT_S).writing()
        ):  # fmt: skip
            message = rf"waited 0.05 s.*process {other.process.pid} \(.*since 20.*LOCK_TIMEOUT_S"
            with pytest.raises(WarehouseError, match=message), opened:
                pass
    with WarehouseLock(path, SHORT_S).writing():
        pass


def test_readers_of_two_processes_share_and_keep_a_writer_out(
    path: Path, processes: ForkServerContext
) -> None:
    with Holding(processes, path, "reading"):
        with WarehouseLock(path, SHORT_S).reading():
            pass
        blocked = WarehouseLock(path, SHORT_S).writing()
        with pytest.raises(WarehouseError, match="processes that read it"), blocked:
            pass


def test_killed_writer_blocks_nobody_and_is_no_longer_named(
    path: Path, processes: ForkServerContext
) -> None:
    with Holding(processes, path, "writing") as other:
        assert other.process.pid is not None
        os.kill(other.process.pid, 9)
        other.process.join(LONG_S)
    lock = WarehouseLock(path, LONG_S)
    assert lock.holder() is None
    with lock.writing():
        holder = lock.holder()
        assert holder is not None
        assert holder.pid == os.getpid()
    assert lock.holder() is None


def test_first_reader_that_leaves_does_not_free_the_lock_of_the_second(
    path: Path, processes: ForkServerContext
) -> None:
    lock = WarehouseLock(path, LONG_S)
    with lock.reading():
        with lock.reading():
            pass
        writer = Holding(processes, path, "writing")
        assert not writer.connection.poll(0.3)
    with writer:
        assert WarehouseLock(path, SHORT_S).holder() is not None


def test_threads_of_one_process_write_one_at_a_time(path: Path) -> None:
    inside = 0
    most = 0

    def write() -> None:
        nonlocal inside, most
        for _ in range(5):
            with WarehouseLock(path, LONG_S).writing():
                inside += 1
                most = max(most, inside)
                inside -= 1

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1


def test_thread_that_holds_the_lock_too_long_makes_the_other_give_up(path: Path) -> None:
    with WarehouseLock(path, SHORT_S).reading():
        blocked = WarehouseLock(path, SHORT_S).writing()
        with pytest.raises(WarehouseError, match="waited"), blocked:
            pass


def test_error_inside_the_block_frees_the_lock(path: Path) -> None:
    lock = WarehouseLock(path, SHORT_S)
    with pytest.raises(KeyError), lock.writing():
        raise KeyError("an error of somebody else")
    with lock.writing():
        pass


def test_unreadable_note_of_a_holder_is_no_holder(path: Path) -> None:
    lock = WarehouseLock(path, SHORT_S)
    note = path.with_name(path.name + ".holder.json")
    note.parent.mkdir()
    for content in ("half a no", json.dumps({"pid": 1}), json.dumps([])):
        note.write_text(content)
        assert lock.holder() is None


def test_lock_file_that_cannot_be_made_is_an_error_of_the_warehouse(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    blocked = WarehouseLock(tmp_path / "file" / "lock", SHORT_S).writing()
    with pytest.raises(WarehouseError, match="cannot be used"), blocked:
        pass


def test_note_that_cannot_be_written_frees_the_lock(path: Path) -> None:
    note = path.with_name(path.name + ".holder.json")
    note.mkdir(parents=True)
    with pytest.raises(WarehouseError, match="cannot be written"), WarehouseLock(path, 1).writing():
        pass
    note.rmdir()
    with WarehouseLock(path, SHORT_S).writing():
        pass
