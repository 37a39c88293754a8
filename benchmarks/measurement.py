"""What every benchmark prints beside its figures, and how memory is sampled."""

import os
import platform
import threading
import time
from collections.abc import Sequence
from importlib import metadata
from types import TracebackType
from typing import Self

import psutil

SAMPLE_INTERVAL_S = 0.1


def print_conditions(distributions: Sequence[str]) -> None:
    """Print Python, cores, load and the versions of the named distributions."""
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in distributions)
    load = " ".join(f"{value:.2f}" for value in os.getloadavg())
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, load {load}")
    print(versions)


class MemorySampler:
    """Samples the resident memory of this process and its children, by stage.

    Attributes:
        stage: Name that samples are booked under; set it as stages begin.
        peaks_mb: Largest sample of each stage, megabytes.
    """

    def __init__(self) -> None:
        self.stage = "start"
        self.peaks_mb: dict[str, float] = {}
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def __enter__(self) -> Self:
        """Start sampling."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop sampling."""
        self._is_over.set()
        self._thread.join()

    def _sample(self) -> None:
        while not self._is_over.is_set():
            used = resident_mb()
            self.peaks_mb[self.stage] = max(used, self.peaks_mb.get(self.stage, 0.0))
            time.sleep(SAMPLE_INTERVAL_S)


def resident_mb() -> float:
    """Return the resident memory of this process and all its children, megabytes."""
    own = psutil.Process()
    total = own.memory_info().rss
    for child in own.children(recursive=True):
        try:
            total += child.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total / 1e6
