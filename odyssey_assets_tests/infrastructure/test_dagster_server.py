import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

# Ends half a second after an interrupt, as `dagster dev` ends after its children.
SLOW_TO_END = """#!{python}
import pathlib, signal, sys, time
def end(number, frame):
    time.sleep(0.5)
    pathlib.Path({ended!r}).touch()
    sys.exit(130)
signal.signal(signal.SIGINT, end)
pathlib.Path({begun!r}).touch()
time.sleep(120)
"""
# As Python itself does: who is born ignoring interrupts goes on ignoring them.
IF_INTERRUPTS_COUNT = """
if signal.getsignal(signal.SIGINT) != signal.SIG_IGN:
    signal.signal(signal.SIGINT, end)
"""
SERVE = """
import signal, sys
{before}
from odyssey_assets.infrastructure.dagster_server import serve_dagster
sys.executable = {python!r}
sys.exit(serve_dagster("127.0.0.1", 4000))
"""


def serving(folder: Path, dagster: str, before: str = "") -> subprocess.Popen[bytes]:
    program = folder / "dagster"
    program.write_text(dagster)
    program.chmod(0o755)
    script = SERVE.format(python=str(folder / "python"), before=before)
    return subprocess.Popen([sys.executable, "-c", script])


def wait_for(path: Path) -> None:
    for _ in range(600):
        if path.exists():
            return
        time.sleep(0.05)
    pytest.fail(f"{path} never came")


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_server_that_is_stopped_interrupts_dagster_and_waits_for_its_end(
    tmp_path: Path, stop: signal.Signals
) -> None:
    begun, ended = tmp_path / "begun", tmp_path / "ended"
    dagster = SLOW_TO_END.format(python=sys.executable, begun=str(begun), ended=str(ended))
    with serving(tmp_path, dagster) as process:
        wait_for(begun)
        process.send_signal(stop)
        assert process.wait(timeout=60) == 0
        assert ended.exists()


def test_server_that_was_started_in_the_background_of_a_shell_still_ends_dagster(
    tmp_path: Path,
) -> None:
    begun, ended = tmp_path / "begun", tmp_path / "ended"
    dagster = SLOW_TO_END.format(python=sys.executable, begun=str(begun), ended=str(ended))
    dagster = dagster.replace("signal.signal(signal.SIGINT, end)", IF_INTERRUPTS_COUNT)
    ignoring = "signal.signal(signal.SIGINT, signal.SIG_IGN)"
    with serving(tmp_path, dagster, before=ignoring) as process:
        wait_for(begun)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0
        assert ended.exists()


def test_server_returns_the_status_of_a_dagster_that_ends_by_itself(tmp_path: Path) -> None:
    with serving(tmp_path, f"#!{sys.executable}\nraise SystemExit(7)\n") as process:
        assert process.wait(timeout=60) == 7
