"""Runs Dagster's webserver and daemon until somebody stops them, and leaves nobody behind.

`dagster dev` is the parent of both; it ends them when it is interrupted, and leaves them running
when it is killed. So whatever stops this process is passed on to it as an interrupt.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from odyssey_assets.infrastructure.driver import INSTANCE_CONFIG

STOPPING_S = 60.0

Handler = Callable[[int, FrameType | None], None] | signal.Handlers


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
    with _answering(_interrupt), subprocess.Popen(command, env=os.environ.copy()) as dagster:
        try:
            return dagster.wait()
        except KeyboardInterrupt:
            _stop(dagster)
            return 0


def _stop(dagster: subprocess.Popen[bytes]) -> None:
    """Interrupt `dagster dev` and wait for it; further signals do not cut that short."""
    if dagster.poll() is None:
        dagster.send_signal(signal.SIGINT)
    with _answering(signal.SIG_IGN):
        try:
            dagster.wait(STOPPING_S)
        except subprocess.TimeoutExpired:
            dagster.kill()


def _interrupt(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 (signal gives both)
    raise KeyboardInterrupt


@contextmanager
def _answering(answer: Handler) -> Iterator[None]:
    """Answer interrupts and terminations in one way for the length of the block.

    A shell lets background processes ignore interrupts, and what they start inherits that; with an
    answer of its own, this process hands the usual behaviour on.
    """
    former = {number: signal.signal(number, answer) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
