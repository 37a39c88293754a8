"""Publishing: the copy of the warehouse that people open, and the last states of it.

Each state is a file of its own that nobody may write. `published/odyssey.duckdb` is a second copy,
replaced as a whole: whoever has it open keeps the old file, whoever opens it next gets the new
one, and what a person writes into it touches no state. The caller holds the warehouse's writer
lock, so there is one publication at a time. Which state a model needs is not decided here: whoever
needs one pins it.
"""

import hashlib
import os
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

CHUNK_BYTES = 8 * 1024 * 1024
READ_ONLY_MODE = 0o444
PIN_SUFFIX = ".pin"
TEMPORARY_SUFFIX = ".tmp"


@dataclass(frozen=True)
class PublishReceipt:
    """What was published.

    Attributes:
        path: The file for people.
        state: The same content as a state that stays until it is expired.
        content_sha256: Hash of the file; the state's name carries its beginning.
        size_bytes: Size of the file.
        duration_s: Seconds, the wait for the lock included.
    """

    path: Path
    state: Path
    content_sha256: str
    size_bytes: int
    duration_s: float


def publish_file(live: Path, published: Path, states: Path, keep: int) -> tuple[Path, str]:
    """Publish a checkpointed database file and expire old states.

    Args:
        live: The database; nothing writes it meanwhile.
        published: The file to replace.
        states: Folder of states.
        keep: Newest states kept; pinned ones come on top.

    Returns:
        The new state and the SHA-256 of its content.

    Raises:
        OSError: The disk is full or a folder cannot be written. The published file is then the
            old one or the new one, each complete.
    """
    states.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(published, states)
    copied = states / f"new{TEMPORARY_SUFFIX}"
    content_sha256 = _hashed_copy(live, copied)
    copied.chmod(READ_ONLY_MODE)
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
    state = copied.replace(states / f"{stamp}-{content_sha256[:12]}.duckdb")
    shown = published.with_name(published.name + TEMPORARY_SUFFIX)
    _copy(state, shown)
    shown.replace(published)
    _log_of(published).unlink(missing_ok=True)
    _sync_folder(published.parent)
    expire_states(states, keep)
    return state, content_sha256


def pin_state(state: Path, reason: str) -> None:
    """Keep a state until `unpin_state`, whatever the retention; the reason is for people."""
    _pin_of(state).write_text(reason + "\n")


def unpin_state(state: Path) -> None:
    """Give a state back to retention; it goes with the next publication that finds it too old."""
    _pin_of(state).unlink(missing_ok=True)


def stored_states(states: Path) -> list[Path]:
    """Return the stored states, oldest first."""
    return sorted(states.glob("*.duckdb"))


def expire_states(states: Path, keep: int) -> int:
    """Remove all but the newest `keep` states, save pinned ones; return how many went."""
    old = [state for state in stored_states(states)[:-keep] if not _pin_of(state).exists()]
    for state in old:
        state.unlink(missing_ok=True)
    return len(old)


def _copy(source: Path, target: Path) -> None:
    shutil.copyfile(source, target)
    with target.open("rb") as written:
        os.fsync(written.fileno())


def _hashed_copy(source: Path, target: Path) -> str:
    digest = hashlib.sha256()
    with source.open("rb") as reader, target.open("wb") as writer:
        while chunk := reader.read(CHUNK_BYTES):
            digest.update(chunk)
            writer.write(chunk)
        writer.flush()
        os.fsync(writer.fileno())
    return digest.hexdigest()


def _remove_leftovers(published: Path, states: Path) -> None:
    """Delete what a killed publication left; only temporary names are touched."""
    for folder in (published.parent, states):
        for leftover in folder.glob(f"*{TEMPORARY_SUFFIX}"):
            leftover.unlink(missing_ok=True)


def _log_of(database: Path) -> Path:
    """Return DuckDB's write-ahead log: a stale one of a person would spoil the new file."""
    return database.with_name(database.name + ".wal")


def _pin_of(state: Path) -> Path:
    return state.with_name(state.name + PIN_SUFFIX)


def _sync_folder(folder: Path) -> None:
    """Make the renames survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
