"""The reader/writer lock of the warehouse: many readers or one writer, over all processes.

The kernel's file lock (through `fasteners`) keeps processes apart and ends with its process, so a
killed writer blocks nobody. It counts once a process, so the threads of a process are kept apart
by a condition beside it. What is read or written under the lock belongs to `warehouse`.
"""

import json
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import psutil
from fasteners import InterProcessReaderWriterLock

from odyssey_assets.errors import WarehouseError

Side = Literal["reading", "writing"]

MAX_COMMAND_LENGTH = 160
POLL_S = 0.01


@dataclass(frozen=True)
class Holder:
    """Who writes: shown to those who wait in vain.

    Attributes:
        pid: Process id of the writer.
        command: Its command line.
        since: UTC moment it got the lock, ISO formatted.
    """

    pid: int
    command: str
    since: str


class WarehouseLock:
    """A bounded wait for one side of the lock on a file.

    Attributes:
        path: The lock file; it stays empty and is never deleted. Beside it, `.holder.json` names
            the writer: for people only, the lock does not depend on it.
        timeout_s: Longest wait, seconds.
    """

    def __init__(self, path: Path, timeout_s: float) -> None:
        self.path = path
        self.timeout_s = timeout_s

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Share the lock with other readers.

        Raises:
            WarehouseError: A writer kept it for longer than the bounded wait.
        """
        with self._held("reading"):
            yield

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the lock alone and leave word who holds it.

        Raises:
            WarehouseError: Others kept it for longer than the bounded wait.
        """
        with self._held("writing"):
            self._write_holder()
            try:
                yield
            finally:
                self._holder_path.unlink(missing_ok=True)

    def holder(self) -> Holder | None:
        """Return the writer that left word last and still lives."""
        try:
            holder = Holder(**json.loads(self._holder_path.read_text()))
        except (OSError, ValueError, TypeError):
            return None
        return holder if psutil.pid_exists(holder.pid) else None

    @property
    def _holder_path(self) -> Path:
        return self.path.with_name(self.path.name + ".holder.json")

    @contextmanager
    def _held(self, side: Side) -> Iterator[None]:
        lock = _lock_of_this_process(self.path)
        try:
            is_held = lock.acquire(side, self.timeout_s)
        except (OSError, threading.ThreadError) as error:
            raise WarehouseError(
                f"The lock file {self.path} cannot be used: {error}. Make its folder writable."
            ) from error
        if not is_held:
            raise WarehouseError(self._timeout_message(side))
        try:
            yield
        finally:
            lock.release(side)

    def _write_holder(self) -> None:
        holder = Holder(
            pid=os.getpid(),
            command=" ".join(sys.argv)[:MAX_COMMAND_LENGTH],
            since=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        try:
            self._holder_path.write_text(json.dumps(asdict(holder)))
        except OSError as error:
            raise WarehouseError(
                f"{self._holder_path} cannot be written: {error}. Free disk space or fix the "
                "permissions of the folder."
            ) from error

    def _timeout_message(self, side: Side) -> str:
        holder = self.holder()
        who = (
            f"process {holder.pid} ({holder.command}), which has been writing since {holder.since}"
            if holder
            else "processes that read it"
        )
        return (
            f"{side.capitalize()} the warehouse waited {self.timeout_s:g} s for {self.path}, held "
            f"by {who}. Wait until that ends or stop it, then run again; "
            "ODYSSEY_WAREHOUSE__LOCK_TIMEOUT_S sets the wait."
        )


class _ProcessLock:
    """The one handle of this process on a lock file, shared by its threads."""

    def __init__(self, path: Path) -> None:
        self._file_lock = InterProcessReaderWriterLock(path)
        self._changed = threading.Condition()
        self._readers = 0
        self._is_writing = False

    def acquire(self, side: Side, timeout_s: float) -> bool:
        """Poll for the side until the wait is over; False: in vain."""
        deadline = time.monotonic() + timeout_s
        with self._changed:
            while not self._try_acquire(side):
                remaining_s = deadline - time.monotonic()
                if remaining_s <= 0:
                    return False
                self._changed.wait(min(POLL_S, remaining_s))
        return True

    def release(self, side: Side) -> None:
        """Give the side back; the last reader of this process frees the file."""
        with self._changed:
            if side == "writing":
                self._is_writing = False
                self._file_lock.release_write_lock()
            else:
                self._readers -= 1
                if self._readers == 0:
                    self._file_lock.release_read_lock()
            self._changed.notify_all()

    def _try_acquire(self, side: Side) -> bool:
        if self._is_writing or (side == "writing" and self._readers > 0):
            return False
        if side == "writing":
            self._is_writing = self._file_lock.acquire_write_lock(blocking=False)
            return self._is_writing
        if self._readers == 0 and not self._file_lock.acquire_read_lock(blocking=False):
            return False
        self._readers += 1
        return True


_registry: dict[tuple[int, Path], _ProcessLock] = {}
_registry_guard = threading.Lock()


def _lock_of_this_process(path: Path) -> _ProcessLock:
    """Return the handle of this process; a forked child gets its own, for it inherits no lock."""
    key = (os.getpid(), path)
    with _registry_guard:
        if key not in _registry:
            _registry[key] = _ProcessLock(path)
        return _registry[key]
