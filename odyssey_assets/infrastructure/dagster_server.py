"""Runs Dagster's webserver and daemon until somebody stops them, and leaves nobody behind.

`dagster dev` is the parent of both; it ends them when it is interrupted, and leaves them running
when it is killed. So whatever stops this process is passed on to it as an interrupt.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from odyssey_assets.infrastructure.driver import INSTANCE_CONFIG

STOPPING_S = 60.0


def serve_dagster(host: str, port: int) -> int:
    """Serve the workspace of this checkout for the home that DAGSTER_HOME names.

    Args:
        host: Address to listen on.
        port: Port to listen on.

    Returns:
        Exit status of `dagster dev`; 0 after an interrupt or a termination.
    """
    command = [
        str(Path(sys.executable).with_name("dagster")), "dev",
        "--workspace", str(INSTANCE_CONFIG.with_name("workspace.yaml")),
        "--host", host, "--port", str(port),
    ]  # fmt: skip
    with _terminations_as_interrupts(), subprocess.Popen(command, env=os.environ.copy()) as dagster:
        try:
            return dagster.wait()
        except KeyboardInterrupt:
            _stop(dagster)
            return 0


def _stop(dagster: subprocess.Popen[bytes]) -> None:
    """Interrupt `dagster dev` and wait for it; a further interrupt does not cut that short."""
    if dagster.poll() is None:
        dagster.send_signal(signal.SIGINT)
    former = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        dagster.wait(STOPPING_S)
    except subprocess.TimeoutExpired:
        dagster.kill()
    finally:
        signal.signal(signal.SIGINT, former)


@contextmanager
def _terminations_as_interrupts() -> Iterator[None]:
    def interrupt(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 (signal gives both)
        raise KeyboardInterrupt

    former = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, former)
