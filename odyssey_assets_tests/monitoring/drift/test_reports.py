import os
from datetime import date
from pathlib import Path

import pytest

from odyssey_assets.core.windows import Window
from odyssey_assets.errors import ReportError
from odyssey_assets.monitoring.drift.reports import remove_oldest, report_path, write_report

WINDOW = Window(date(2024, 7, 1))


def write(reports: Path, ticker: str, day: int, written: int) -> Path:
    file = report_path(reports, ticker, WINDOW, date(2024, 8, day))
    write_report(file, f"{ticker} {day}")
    os.utime(file, ns=(written, written))
    return file


def test_report_lies_below_its_ticker_under_window_and_session(tmp_path: Path) -> None:
    file = report_path(tmp_path, "BRK-B", WINDOW, date(2024, 8, 29))
    assert file == tmp_path / "drift" / "BRK-B" / "2024-07-01_2024-08-29.html"


def test_report_replaces_the_one_of_its_name_and_leaves_nothing_else(tmp_path: Path) -> None:
    file = write(tmp_path, "AAA", 1, 5)
    write_report(file, "new")
    assert file.read_text() == "new"
    assert [each.name for each in file.parent.iterdir()] == [file.name]


def test_newest_reports_over_all_tickers_stay(tmp_path: Path) -> None:
    files = [write(tmp_path, "AB"[at % 2] * 3, at + 1, 1000 * at) for at in range(6)]
    assert remove_oldest(tmp_path, kept=4) == 2
    assert [file.exists() for file in files] == [False, False, True, True, True, True]
    assert remove_oldest(tmp_path, kept=4) == 0


def test_what_a_crash_left_is_removed(tmp_path: Path) -> None:
    file = write(tmp_path, "AAA", 1, 5)
    half = file.with_name("2024-07-01_2024-08-02.html.tmp")
    half.write_text("half")
    remove_oldest(tmp_path, kept=30)
    assert not half.exists()
    assert file.exists()


def test_no_report_yet_removes_nothing(tmp_path: Path) -> None:
    assert remove_oldest(tmp_path, kept=1) == 0


def test_folder_that_cannot_be_written_is_named_and_leaves_the_old_report(tmp_path: Path) -> None:
    file = write(tmp_path, "AAA", 1, 5)
    blocked = tmp_path / "drift" / "BBB"
    blocked.write_text("a file where a folder belongs")
    with pytest.raises(ReportError, match=r"BBB.*Free disk space"):
        write_report(report_path(tmp_path, "BBB", WINDOW, date(2024, 8, 1)), "html")
    assert file.read_text() == "AAA 1"


def test_full_disk_is_said_and_nothing_half_is_left(tmp_path: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("no /dev/full on this system")
    (tmp_path / "report.html.tmp").symlink_to(full)
    with pytest.raises(ReportError, match="No space left"):
        write_report(tmp_path / "report.html", "html" * 10_000)
    assert list(tmp_path.iterdir()) == []
