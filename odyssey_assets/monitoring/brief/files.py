"""The brief's files: the newest one under a name that stays, and a bounded number of dated ones."""

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

from odyssey_assets.core.report_files import replace_files

INDEX = "index.html"
_DATED = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9].html"
_LEFTOVERS = "*.tmp"
_LINKED = 10


def write_brief(
    folder: Path, session: date | None, kept: int, render: Callable[[Sequence[str]], bytes]
) -> Path:
    """Write the page as `index.html` and under its session, delete the oldest, and return it.

    A brief of the same session is replaced.

    Args:
        folder: Where the files go.
        session: Newest session of the brief; None writes no dated copy.
        kept: Dated copies that stay, this one included; at least 1.
        render: Makes the page from the days of earlier briefs, newest first.

    Raises:
        ReportError: The disk is full or the folder cannot be written; the old files are there.
    """
    own = None if session is None else session.isoformat()
    earlier = [day for day in _days(folder) if own is None or day < own]
    page = render(earlier[-_LINKED:][::-1])
    names = [INDEX] if own is None else [INDEX, f"{own}.html"]
    replace_files(folder, [(name, page) for name in names], _LEFTOVERS)
    for day in _days(folder)[:-kept]:
        (folder / f"{day}.html").unlink(missing_ok=True)
    return folder / INDEX


def _days(folder: Path) -> list[str]:
    return sorted(path.stem for path in folder.glob(_DATED))
