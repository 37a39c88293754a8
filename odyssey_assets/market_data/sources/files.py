"""A folder of CSV or Parquet files as a source: one file a ticker or macro series.

Finding and opening files belongs here; what is inside them to `sources.file_table` and
`sources.price_table`.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd

from odyssey_assets.errors import SourceError
from odyssey_assets.market_data.source import VendorResponse
from odyssey_assets.market_data.sources.file_table import FileTable, read_table
from odyssey_assets.market_data.sources.macro_table import macro_values
from odyssey_assets.market_data.sources.price_table import DATE_NAMES, price_rows
from odyssey_assets.settings import Settings

SUFFIXES = (".csv", ".parquet")
_NEW_YORK = ZoneInfo("America/New_York")


@dataclass(frozen=True)
class _Folder:
    path: Path | None
    purpose: str
    setting: str

    def file_of(self, name: str) -> Path:
        """Return the one file of `name`, whatever the case of its letters."""
        matches = sorted(path for path in self.files() if path.stem.lower() == name.lower())
        if not matches:
            raise SourceError(
                f"No {self.purpose} of {name}: {self.path} holds no {name}.csv and no "
                f"{name}.parquet. Add the file or leave {name} out."
            )
        if len(matches) > 1:
            names = ", ".join(path.name for path in matches)
            raise SourceError(f"{self.path} holds {names} for {name}; keep one.")
        return matches[0]

    def files(self) -> list[Path]:
        """Return all files with a known suffix."""
        if self.path is None:
            raise SourceError(
                f"No folder of {self.purpose} is set. Name it with --{self.setting} or "
                f"ODYSSEY_{self.setting.upper().replace('-', '_')}."
            )
        folder = self.path.expanduser()
        try:
            return [path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES]
        except OSError as error:
            raise SourceError(
                f"The folder of {self.purpose} {folder} cannot be read: {error.strerror}. Check "
                f"--{self.setting} and the folder's permissions."
            ) from error


class FileSource:
    """Reads `price_dir` and `macro_dir`; a file is named after its ticker or series."""

    name = "files"
    is_simulated = False

    def __init__(self, settings: Settings, today: Callable[[], date] | None = None) -> None:
        self._prices = _Folder(settings.price_dir, "prices", "price-dir")
        self._macro = _Folder(settings.macro_dir, "macro series", "macro-dir")
        self._tickers = settings.tickers
        self._today = today or _today_in_new_york

    def fetch_bars(self, ticker: str, start: date, end: date) -> VendorResponse:
        """Return the rows of the ticker's file; see `PriceSource.fetch_bars`."""
        table, payload = self._read(self._prices.file_of(ticker))
        rows, is_as_traded = price_rows(table)
        is_inside = rows["date"].between(pd.Timestamp(start), pd.Timestamp(end))
        return VendorResponse(
            ticker=ticker,
            rows=rows[is_inside].reset_index(drop=True),
            sha256=hashlib.sha256(payload).hexdigest(),
            is_as_traded=is_as_traded,
        )

    def fetch_macro(self, series: str, start: date, end: date) -> pd.DataFrame:
        """Return the values of the series' file; see `PriceSource.fetch_macro`."""
        table, _ = self._read(self._macro.file_of(series))
        values = macro_values(table)
        is_inside = values["date"].between(pd.Timestamp(start), pd.Timestamp(end))
        return values[is_inside].reset_index(drop=True)

    def problems(self) -> list[str]:
        """Return what is wrong with the folders, and which tickers have no file."""
        found = []
        for folder in (self._prices, self._macro):
            try:
                folder.files()
            except SourceError as error:
                found.append(str(error))
        if not found:
            for ticker in self._tickers:
                try:
                    self._prices.file_of(ticker)
                except SourceError as error:
                    found.append(str(error))
        return found

    def _read(self, path: Path) -> tuple[FileTable, bytes]:
        try:
            payload = path.read_bytes()
        except OSError as error:
            raise SourceError(
                f"{path} cannot be read: {error.strerror}. Check its permissions."
            ) from error
        is_parquet = path.suffix.lower() == ".parquet"
        return read_table(payload, str(path), DATE_NAMES, self._today(), is_parquet), payload


def _today_in_new_york() -> date:
    return datetime.now(UTC).astimezone(_NEW_YORK).date()
