"""The sensor on the folders of the source `files`: new or changed files are taken in.

A file counts as changed by its size or its time of change. Files that still change between two
looks are left alone: somebody is writing them. How files are read belongs to the source.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import (
    UnresolvedAssetJobDefinition,
)

from odyssey_assets.core.hashing import hash_mapping
from odyssey_assets.infrastructure.home import held_source, home_of
from odyssey_assets.infrastructure.partitions import build_grid, open_windows, range_tags
from odyssey_assets.infrastructure.run_tags import NIGHTLY_TAG
from odyssey_assets.settings import Settings

ON_MARKET_FILES = "on_market_files"
FILES = "files"

Listing = Mapping[str, tuple[int, int]]


@dataclass(frozen=True)
class Memory:
    """What the sensor knows of the files.

    Attributes:
        taken_in: The files as they were when they were last taken in.
        seen: The files at the last look.
    """

    taken_in: Listing
    seen: Listing

    def text(self) -> str:
        """Return it as a cursor."""
        return json.dumps({"taken_in": self.taken_in, "seen": self.seen})


def market_files_sensor(
    settings: Settings, macro_job: UnresolvedAssetJobDefinition, longest_horizon: int
) -> dg.SensorDefinition:
    """Return the sensor; it runs where the source is `files`.

    Args:
        settings: Source and folders.
        macro_job: First of the jobs that take files in; the others follow it.
        longest_horizon: Sessions until the last outcome of a forecast is known.
    """
    is_watched = settings.source == FILES
    status = dg.DefaultSensorStatus.RUNNING if is_watched else dg.DefaultSensorStatus.STOPPED

    @dg.sensor(
        name=ON_MARKET_FILES,
        job=macro_job,
        default_status=status,
        minimum_interval_seconds=60,
        description="Takes in new and changed files of the source's folders.",
    )
    def look(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        home = home_of(settings)
        if settings.source != FILES or held_source(home) != settings.source:
            return dg.SkipReason(f"No full run of source {FILES} has filled {home.root}.")
        try:
            now = listing(path for path in (settings.price_dir, settings.macro_dir) if path)
        except OSError as error:
            return dg.SkipReason(f"The folders of the source cannot be read: {error}.")
        memory = memory_of(context.cursor)
        if memory is None or now == memory.taken_in:
            return _skip("The files are the ones that were taken in.", Memory(now, now))
        if now != memory.seen:
            return _skip("Files are changing; the next look takes them in.",
                         Memory(memory.taken_in, now))  # fmt: skip
        is_new = bool(set(now) - set(memory.taken_in))
        windows = (
            build_grid(settings).window_list()
            if is_new
            else open_windows(settings, longest_horizon)
        )
        name = f"{FILES}-{hash_mapping(dict(now))[:16]}"
        request = dg.RunRequest(
            run_key=name,
            tags={**range_tags(windows[0].key, windows[-1].key), NIGHTLY_TAG: name},
        )
        return dg.SensorResult(run_requests=[request], cursor=Memory(now, now).text())

    return look


def listing(folders: Iterable[Path]) -> Listing:
    """Return size and time of change of every file in folders, by path.

    Raises:
        OSError: A folder is missing or cannot be read.
    """
    files: dict[str, tuple[int, int]] = {}
    for folder in folders:
        for path in sorted(folder.iterdir()):
            if path.is_file() and not path.name.startswith("."):
                status = path.stat()
                files[str(path)] = (status.st_size, status.st_mtime_ns)
    return files


def memory_of(cursor: str | None) -> Memory | None:
    """Return what a cursor holds; None if it holds nothing of use."""
    try:
        content = json.loads(cursor or "")
        return Memory(_files(content["taken_in"]), _files(content["seen"]))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _files(content: Mapping[str, tuple[int, int]]) -> Listing:
    return {path: (int(size), int(changed)) for path, (size, changed) in content.items()}


def _skip(reason: str, memory: Memory) -> dg.SensorResult:
    return dg.SensorResult(skip_reason=dg.SkipReason(reason), cursor=memory.text())
