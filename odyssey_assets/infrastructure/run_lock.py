"""One `odyssey run` a home at a time; a second one is told who is running.

The lock belongs to the process: when it dies, however it dies, the lock is free.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import fasteners

from odyssey_assets.errors import WarehouseError

PROBE_S = 0.2


@contextmanager
def hold_run_lock(path: Path) -> Iterator[None]:
    """Hold the run lock at `path`; wait for nobody but those who only look whether it is free.

    Raises:
        WarehouseError: Another process holds it; names the process and since when.
    """
    lock = fasteners.InterProcessLock(path)
    if not lock.acquire(delay=PROBE_S / 10, max_delay=PROBE_S, timeout=PROBE_S):
        raise WarehouseError(
            f"Another `odyssey run` is at work in {path.parent}: {run_lock_holder(path)}. Wait "
            "until it ends, stop it, or choose another home with --home."
        )
    try:
        holder = {"pid": os.getpid(), "since": datetime.now(UTC).isoformat(timespec="seconds")}
        _holder_file(path).write_text(json.dumps(holder))
        yield
    finally:
        _holder_file(path).unlink(missing_ok=True)
        lock.release()


def is_run_lock_free(path: Path) -> bool:
    """Return whether no process holds the run lock at this moment."""
    if not path.exists():
        return True
    lock = fasteners.InterProcessLock(path)
    if not lock.acquire(blocking=False):
        return False
    lock.release()
    return True


def run_lock_holder(path: Path) -> str:
    """Return who holds the lock, in words."""
    try:
        holder = json.loads(_holder_file(path).read_text())
        return f"process {holder['pid']}, since {holder['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "holder unknown"


def _holder_file(path: Path) -> Path:
    return path.with_suffix(".holder.json")
