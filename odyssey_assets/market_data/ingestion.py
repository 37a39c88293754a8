"""From a source's responses to rows of `raw_bars` and `macro`, with who failed and why.

A row is named by the hash of what was delivered, so the same row never becomes two vintages.
Judging rows belongs to `market_data.cleaning`.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

import numpy as np
import pandas as pd

from odyssey_assets.errors import SourceError
from odyssey_assets.market_data.source import PriceSource, VendorResponse
from odyssey_assets.market_data.tables import MACRO, RAW_BARS

_HASHED_NUMBERS = (
    "open", "high", "low", "close", "adj_close", "volume",
    "dividend", "split_ratio", "split_adjustment",
)  # fmt: skip


@dataclass(frozen=True)
class Ingestion:
    """What one request to a source brought.

    Attributes:
        rows: Rows of `market_data.raw_bars`.
        failures: Why a ticker brought nothing, by ticker.
    """

    rows: pd.DataFrame
    failures: dict[str, str]


@dataclass(frozen=True)
class MacroIngestion:
    """What one request for macro series brought.

    Attributes:
        rows: Rows of `market_data.macro`.
        failures: Why a series brought nothing, by series.
    """

    rows: pd.DataFrame
    failures: dict[str, str]


def ingest_bars(
    source: PriceSource, tickers: Sequence[str], start: date, end: date, now: datetime
) -> Ingestion:
    """Fetch `tickers` from `start` to `end`, both inclusive; one that fails stops no other.

    Args:
        source: Where to fetch.
        tickers: Whom to fetch.
        start: First day.
        end: Last day.
        now: Moment of the fetch with time zone; becomes `ingested_at`.

    Raises:
        SourceError: Every ticker failed.
    """
    frames, failures = [RAW_BARS.empty()], {}
    for ticker in tickers:
        try:
            response = source.fetch_bars(ticker, start, end)
        except SourceError as error:
            failures[ticker] = str(error)
        else:
            frames.append(_raw_rows(response, source, now))
    if failures and len(failures) == len(tickers):
        first = next(iter(failures.values()))
        raise SourceError(
            f"The source {source.name} delivered none of {len(tickers)} tickers. First: {first}"
        )
    rows = pd.concat([frame for frame in frames if len(frame)] or frames)
    return Ingestion(RAW_BARS.conform(rows), failures)


def ingest_macro(
    source: PriceSource, series: Sequence[str], start: date, end: date
) -> MacroIngestion:
    """Fetch `series` from `start` to `end`, both inclusive; one that fails stops no other."""
    frames, failures = [MACRO.empty()], {}
    for name in series:
        try:
            values = source.fetch_macro(name, start, end)
        except SourceError as error:
            failures[name] = str(error)
        else:
            frames.append(values.assign(series=name, is_simulated=source.is_simulated))
    rows = pd.concat([frame for frame in frames if len(frame)] or frames)
    return MacroIngestion(MACRO.conform(rows), failures)


def with_stored_series(
    ingestion: MacroIngestion, stored: pd.DataFrame, source: PriceSource
) -> pd.DataFrame:
    """Return the delivered rows, and the `stored` rows of each series that failed.

    A series that a source could not deliver keeps what it delivered before; simulated values
    never stand in for real ones, nor the other way round.
    """
    is_kept = stored["series"].isin(list(ingestion.failures))
    kept = stored[is_kept & (stored["is_simulated"] == source.is_simulated)]
    frames = [frame for frame in (ingestion.rows, kept) if len(frame)] or [ingestion.rows]
    return MACRO.conform(pd.concat(frames))


def _raw_rows(response: VendorResponse, source: PriceSource, now: datetime) -> pd.DataFrame:
    """Return the response's distinct rows as `raw_bars` stores them."""
    name = f"{response.ticker}/{source.name}/{response.is_as_traded}"
    rows = response.rows.assign(
        ticker=response.ticker,
        source=source.name,
        is_as_traded=response.is_as_traded,
        row_sha256=_row_hashes(response.rows, name),
        is_simulated=source.is_simulated,
        ingested_at=np.datetime64(now.astimezone(UTC).replace(tzinfo=None), "us"),
        response_sha256=response.sha256,
    )
    return rows.drop_duplicates(["date", "row_sha256"])


def _row_hashes(rows: pd.DataFrame, name: str) -> list[str]:
    """Return the SHA-256 (hex) of each row: `name`, the date, the bits of the numbers, the texts.

    Every null counts as the same one, and so do both zeros.
    """
    numbers = rows[list(_HASHED_NUMBERS)].to_numpy(dtype="<f8", copy=True)
    numbers[np.isnan(numbers)] = np.nan
    dates = rows["date"].to_numpy(dtype="datetime64[D]").astype("<i8")
    records = np.ascontiguousarray(np.column_stack([dates, (numbers + 0.0).view("<i8")]))
    texts = {
        row: f"{rows['defect'].iloc[row]}/{rows['content'].iloc[row]}".encode()
        for row in np.flatnonzero(rows["defect"].notna()).tolist()
    }
    named = hashlib.sha256(name.encode())
    content, width = records.tobytes(), records.strides[0]
    hashes = []
    for row in range(len(records)):
        digest = named.copy()
        digest.update(content[row * width : (row + 1) * width] + texts.get(row, b""))
        hashes.append(digest.hexdigest())
    return hashes
