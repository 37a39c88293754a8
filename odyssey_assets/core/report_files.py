"""A folder of report files that is replaced as a whole: all new files, or all old ones."""

import os
from collections.abc import Iterable
from pathlib import Path

from odyssey_assets.errors import ReportError

_TEMPORARY = ".tmp"


def replace_files(folder: Path, files: Iterable[tuple[str, bytes]], pattern: str) -> None:
    """Write files under temporary names, then rename them all, then delete those of old names.

    Args:
        folder: Created where it is not there.
        files: Name and content of each, made one at a time.
        pattern: Files of the folder that are deleted unless they are among the new ones, such as
            `*.html`.

    Raises:
        ReportError: The disk is full or the folder cannot be written. What was there still is.
    """
    written: list[Path] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files:
            written.append(folder / (name + _TEMPORARY))
            _write(written[-1], content)
        current = {path.replace(path.with_suffix("")) for path in written}
        for old in set(folder.glob(pattern)) - current:
            old.unlink()
    except OSError as error:
        raise ReportError(
            f"Reports cannot be written to {folder}: {error}. Free disk space or make the folder "
            "writable; the next run writes them anew."
        ) from error
    finally:
        for path in written:
            path.unlink(missing_ok=True)


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        # Without this a power cut may leave a file of the right name and no content.
        os.fsync(file.fileno())
