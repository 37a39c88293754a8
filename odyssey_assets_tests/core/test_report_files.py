from collections.abc import Iterator
from pathlib import Path

import pytest

from odyssey_assets.core.report_files import replace_files
from odyssey_assets.errors import ReportError


def _content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_files_are_written_and_those_of_other_names_deleted(tmp_path: Path) -> None:
    folder = tmp_path / "reports" / "sheets"
    replace_files(folder, [("a.html", b"1"), ("b.html", b"2")], "*.html")
    (folder / "notes.txt").write_bytes(b"kept")
    replace_files(folder, [("b.html", b"3")], "*.html")
    assert _content(folder) == {"b.html": b"3", "notes.txt": b"kept"}


def test_failure_in_between_leaves_the_old_files_and_nothing_else(tmp_path: Path) -> None:
    replace_files(tmp_path, [("a.html", b"old"), ("b.html", b"old")], "*.html")

    def files() -> Iterator[tuple[str, bytes]]:
        yield "a.html", b"new"
        raise OSError(28, "No space left on device")

    with pytest.raises(ReportError, match=r"No space left on device.*Free disk space"):
        replace_files(tmp_path, files(), "*.html")
    assert _content(tmp_path) == {"a.html": b"old", "b.html": b"old"}


def test_full_disk_is_a_clear_error_and_leaves_nothing_half_written(tmp_path: Path) -> None:
    # Writing to this device fails as a full disk does.
    (tmp_path / "a.html.tmp").symlink_to("/dev/full")
    with pytest.raises(ReportError, match="Free disk space"):
        replace_files(tmp_path, [("a.html", b"new")], "*.html")
    assert _content(tmp_path) == {}


def test_folder_that_cannot_be_made_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ReportError, match="make the folder writable"):
        replace_files(tmp_path / "file" / "below", [("a.html", b"new")], "*.html")


def test_error_of_the_maker_passes_and_leaves_the_old_files(tmp_path: Path) -> None:
    replace_files(tmp_path, [("a.html", b"old")], "*.html")

    def files() -> Iterator[tuple[str, bytes]]:
        yield "a.html", b"new"
        raise ValueError("not a disk")

    with pytest.raises(ValueError, match="not a disk"):
        replace_files(tmp_path, files(), "*.html")
    assert _content(tmp_path) == {"a.html": b"old"}
