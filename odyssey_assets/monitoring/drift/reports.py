"""Drift reports on disk: one HTML file a ticker, window and session, and only so many of them.

A report is there whole or not at all. What it shows belongs to `monitoring.drift.verdict`, which
has Evidently write it; how it reaches a browser to `infrastructure.report_server`.
"""

import os
from datetime import date
from pathlib import Path

from odyssey_assets.core.windows import Window
from odyssey_assets.errors import ReportError

FOLDER = "drift"
_TEMPORARY = ".tmp"


def report_path(reports: Path, ticker: str, window: Window, as_of: date) -> Path:
    """Return where the report of a sample lies, or would lie.

    Args:
        reports: The home's folder of reports.
        ticker: The ticker.
        window: Its window.
        as_of: Last session of the sample.
    """
    return reports / FOLDER / ticker / f"{window.key}_{as_of.isoformat()}.html"


def write_report(file: Path, html: str) -> None:
    """Write a report as a whole or not at all; one of that name is replaced.

    Raises:
        ReportError: The disk is full or the folder cannot be written. What was there still is.
    """
    temporary = file.with_name(file.name + _TEMPORARY)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("w", encoding="utf-8") as stream:
            stream.write(html)
            stream.flush()
            # Without this a power cut may leave a file of the right name and no content.
            os.fsync(stream.fileno())
        temporary.replace(file)
    except OSError as error:
        raise ReportError(
            f"The drift report {file} cannot be written: {error}. Free disk space or make the "
            "folder writable; the verdict is stored without it, and the next run writes it anew."
        ) from error
    finally:
        _remove(temporary)


def remove_oldest(reports: Path, kept: int) -> int:
    """Remove all drift reports but the newest `kept`, and what a crash left; return how many.

    Args:
        reports: The home's folder of reports.
        kept: Reports that stay, over all tickers; the latest written are the newest.

    Raises:
        ReportError: A report cannot be removed.
    """
    folder = reports / FOLDER
    try:
        for left in folder.glob(f"*/*{_TEMPORARY}"):
            left.unlink(missing_ok=True)
        files = sorted(folder.glob("*/*.html"), key=lambda file: (file.stat().st_mtime_ns, file))
        surplus = files[: max(len(files) - kept, 0)]
        for file in surplus:
            file.unlink(missing_ok=True)
    except OSError as error:
        raise ReportError(
            f"Old drift reports below {folder} cannot be removed: {error}. Make the folder "
            "writable, or remove them by hand."
        ) from error
    return len(surplus)


def _remove(temporary: Path) -> None:
    try:
        temporary.unlink(missing_ok=True)
    except OSError:
        return  # The error that matters is the one of writing.
