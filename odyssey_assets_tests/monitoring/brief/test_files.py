from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import pytest

from odyssey_assets.errors import ReportError
from odyssey_assets.monitoring.brief.files import write_brief

DAY = date(2024, 8, 16)


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def _write(folder: Path, session: date | None, kept: int = 3, text: str = "page") -> Path:
    return write_brief(folder, session, kept, lambda earlier: f"{text} {list(earlier)}".encode())


def test_brief_lies_under_a_name_that_stays_and_under_its_session(tmp_path: Path) -> None:
    path = _write(tmp_path / "new", DAY)
    assert path == tmp_path / "new" / "index.html"
    assert _names(path.parent) == ["2024-08-16.html", "index.html"]
    assert path.read_bytes() == (path.parent / "2024-08-16.html").read_bytes() == b"page []"


def test_brief_of_the_same_session_is_replaced(tmp_path: Path) -> None:
    _write(tmp_path, DAY)
    _write(tmp_path, DAY, text="other")
    assert (tmp_path / "2024-08-16.html").read_text() == "other []", "it is not earlier than itself"
    assert len(_names(tmp_path)) == 2


def test_only_the_newest_dated_copies_stay(tmp_path: Path) -> None:
    other = tmp_path / "note.html"
    other.write_text("a person's")
    for at in range(6):
        _write(tmp_path, DAY + timedelta(days=at), kept=3)
    dated = [f"{DAY + timedelta(days=at)}.html" for at in (3, 4, 5)]
    assert _names(tmp_path) == [*dated, "index.html", "note.html"]
    assert (
        tmp_path / "index.html"
    ).read_text() == "page ['2024-08-20', '2024-08-19', '2024-08-18']"


def test_brief_links_to_at_most_ten_earlier_ones(tmp_path: Path) -> None:
    seen: list[Sequence[str]] = []

    def render(earlier: Sequence[str]) -> bytes:
        seen.append(earlier)
        return b"page"

    for at in range(15):
        write_brief(tmp_path, DAY + timedelta(days=at), 60, render)
    assert [len(each) for each in seen] == [*range(11), 10, 10, 10, 10]
    assert list(seen[-1])[:2] == ["2024-08-29", "2024-08-28"]


def test_brief_without_a_session_has_no_dated_copy(tmp_path: Path) -> None:
    _write(tmp_path, None)
    assert _names(tmp_path) == ["index.html"]


def test_leftovers_of_a_killed_run_are_removed(tmp_path: Path) -> None:
    (tmp_path / "index.html.tmp").write_text("half")
    (tmp_path / "2020-01-01.html.tmp").write_text("half")
    _write(tmp_path, DAY)
    assert _names(tmp_path) == ["2024-08-16.html", "index.html"]


def test_brief_that_cannot_be_written_names_the_folder(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(ReportError, match="taken"):
        _write(tmp_path / "taken", DAY)
