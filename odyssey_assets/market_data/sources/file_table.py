"""A delivered file as a table of texts: CSV or Parquet, header found, dates read, rows in order.

Nothing is judged here but whether the table can be read at all. What the columns of a price file
mean belongs to `sources.price_table`; which file is opened, to `sources.files`.
"""

import csv
import io
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import zip_longest

import numpy as np
import pandas as pd

from odyssey_assets.errors import SourceError

DATE_FORMATS = (
    "%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%m/%d/%Y", "%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y",
)  # fmt: skip
MISSING_TEXTS = ("", "nan", "null", "none", "n/a", "na", ".")
EARLIEST_DATE = date(1900, 1, 1)
_TIME_OF_DAY = re.compile(r"^(\d{4}-\d{2}-\d{2})[ T]\d{2}:\d{2}.*$")
_NUMBERED = re.compile(r"^\d+[a-z]?\.\s*")


@dataclass(frozen=True)
class FileTable:
    """A file's rows, oldest first.

    Attributes:
        where: The file, for messages.
        columns: Texts by normalised column name; a missing field is an empty text.
        dates: Day of each row, `datetime64[us]`; a row whose date cannot be used has the day of
            the usable row before it, at the beginning of the file of the one after it.
        date_defects: None, `unreadable_date` or `future_date`, a row.
        header: Column names as delivered.
        fields: Each row as delivered.
    """

    where: str
    columns: dict[str, list[str]]
    dates: np.ndarray
    date_defects: list[str | None]
    header: list[str]
    fields: list[list[str]]

    @property
    def has_own_length(self) -> np.ndarray:
        """Whether each row has another number of fields than the header."""
        return np.array([len(row) != len(self.header) for row in self.fields], dtype=bool)

    def content(self, row: int) -> str:
        """Return a row as delivered, JSON."""
        named = {
            name if name is not None else f"surplus field {place}": field
            for place, (name, field) in enumerate(zip_longest(self.header, self.fields[row]))
            if field is not None
        }
        return json.dumps(named)


def read_table(
    payload: bytes, where: str, date_names: Sequence[str], today: date, is_parquet: bool
) -> FileTable:
    """Read a CSV or Parquet file.

    Args:
        payload: The file's bytes.
        where: The file, for messages.
        date_names: Normalised names of the column that may hold the date.
        today: Later dates are `future_date`.
        is_parquet: Whether the payload is Parquet.

    Raises:
        SourceError: The file is empty, not of its kind, has no usable header or no readable date.
    """
    header, rows = _parquet_rows(payload, where) if is_parquet else _csv_rows(payload, where)
    names = [normalised(name) for name in header]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise SourceError(f"{where} names the columns {repeated} twice; each may appear once.")
    dated = [name for name in names if name in date_names]
    if len(dated) != 1:
        raise SourceError(
            f"{where} has the header {header}; expected one column called "
            f"{' or '.join(date_names)}. Is it a price file?"
        )
    if not rows:
        raise SourceError(f"{where} has a header but no rows; fetch it again.")
    texts = [row[names.index(dated[0])] if len(row) > names.index(dated[0]) else "" for row in rows]
    days = _read_dates(texts, where)
    if _is_newest_first(days):
        rows, days = rows[::-1], days[::-1]
    return _table(where, header, names, rows, days, today)


def normalised(name: str) -> str:
    """Return a column name as recognised: lowercase, underscores, without a leading number."""
    return re.sub(r"[\s\-]+", "_", _NUMBERED.sub("", name.strip().lower()))


def _csv_rows(payload: bytes, where: str) -> tuple[list[str], list[list[str]]]:
    text = payload.decode("utf-8-sig", errors="replace")
    try:
        lines = [row for row in csv.reader(io.StringIO(text, newline="")) if any(row)]
    except csv.Error as error:
        raise SourceError(f"{where} is not CSV: {error}. Fetch it again.") from error
    if not lines:
        raise SourceError(f"{where} is empty; fetch it again.")
    return lines[0], lines[1:]


def _parquet_rows(payload: bytes, where: str) -> tuple[list[str], list[list[str]]]:
    try:
        frame = pd.read_parquet(io.BytesIO(payload))
    except (OSError, ValueError) as error:
        raise SourceError(
            f"{where} is not readable Parquet ({error}); it may be half-written. Fetch it again."
        ) from error
    if frame.index.name is not None:
        frame = frame.reset_index()
    return [str(name) for name in frame.columns], _as_texts(frame)


def _as_texts(frame: pd.DataFrame) -> list[list[str]]:
    texts = {}
    for number, name in enumerate(frame.columns):
        values = frame[name]
        if pd.api.types.is_datetime64_any_dtype(values.dtype):
            values = values.dt.tz_localize(None).dt.strftime("%Y-%m-%d")
        is_null = values.isna().to_numpy()
        texts[number] = np.where(is_null, "", values.astype(object).map(str))
    return pd.DataFrame(texts).to_numpy().tolist()


def _read_dates(texts: Sequence[str], where: str) -> np.ndarray:
    """Read dates in the file's dominant format; NaT for those in another one."""
    stripped = pd.Series([_TIME_OF_DAY.sub(r"\1", text.strip()) for text in texts], dtype="str")
    readings: dict[str, np.ndarray] = {}
    for name in DATE_FORMATS:
        days = pd.to_datetime(stripped, format=name, errors="coerce")
        readings[name] = days.to_numpy("datetime64[us]")
        if name == DATE_FORMATS[0] and days.notna().all():
            break
    counts = {name: int((~np.isnat(days)).sum()) for name, days in readings.items()}
    most = max(counts.values())
    if most == 0:
        raise SourceError(
            f"{where} has no readable date (the first is {texts[0]!r}); expected one format out "
            f"of {', '.join(DATE_FORMATS)}."
        )
    best = [name for name, count in counts.items() if count == most]
    if any(not np.array_equal(readings[name], readings[best[0]]) for name in best[1:]):
        raise SourceError(
            f"{where}: dates like {texts[0]!r} fit {' and '.join(best)} equally well. Write them "
            "as YYYY-MM-DD."
        )
    read = readings[best[0]]
    return np.where(read < np.datetime64(EARLIEST_DATE, "us"), np.datetime64("NaT"), read)


def _is_newest_first(days: np.ndarray) -> bool:
    readable = days[~np.isnat(days)]
    steps = np.diff(readable)
    return int((steps < np.timedelta64(0)).sum()) > int((steps > np.timedelta64(0)).sum())


def _table(
    where: str,
    header: list[str],
    names: list[str],
    rows: list[list[str]],
    days: np.ndarray,
    today: date,
) -> FileTable:
    is_unreadable = np.isnat(days)
    is_future = days > np.datetime64(today, "us")
    usable = pd.Series(days).mask(is_future).ffill().bfill()
    if usable.isna().any():
        raise SourceError(f"{where}: every date lies after today, {today}. Check the file.")
    dates = usable.to_numpy("datetime64[us]")
    order = np.argsort(dates, kind="stable").tolist()
    defects = np.where(is_unreadable, "unreadable_date", np.where(is_future, "future_date", ""))
    ordered = [rows[row] for row in order]
    return FileTable(
        where=where,
        columns={
            name: [row[place].strip() if len(row) > place else "" for row in ordered]
            for place, name in enumerate(names)
        },
        dates=dates[order],
        date_defects=[str(defects[row]) or None for row in order],
        header=header,
        fields=ordered,
    )
