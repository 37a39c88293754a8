"""One run a home: a second process is refused by name, a dead one holds nothing."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from odyssey_assets.errors import WarehouseError
from odyssey_assets.infrastructure.run_lock import hold_run_lock, is_run_lock_free

HOLD_UNTIL_KILLED = """
import sys, time
from pathlib import Path
from odyssey_assets.infrastructure.run_lock import hold_run_lock
with hold_run_lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_run_lock_held_by_another_process_names_it_and_is_free_after_its_death(
    tmp_path: Path,
) -> None:
    path = tmp_path / "run.lock"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD_UNTIL_KILLED, str(path)], stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline().strip() == "held"
        assert not is_run_lock_free(path)
        with pytest.raises(WarehouseError, match=f"process {holder.pid}"), hold_run_lock(path):
            pass
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    with hold_run_lock(path):
        assert path.exists()
    assert is_run_lock_free(path)


def test_run_lock_is_free_where_no_run_ever_was(tmp_path: Path) -> None:
    assert is_run_lock_free(tmp_path / "run.lock")
