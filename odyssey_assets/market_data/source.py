"""The interface between Odyssey and whoever delivers prices.

A source fetches, recognises headers and says on which basis its prices are; it repairs and rejects
nothing. Cleaning decides what becomes a bar. Add a source as one file in `sources/` and one line
in `catalog.py`.
"""

from dataclasses import dataclass
from datetime import date
from typing import Protocol

import pandas as pd

RESPONSE_COLUMNS = (
    "date",
    "open",
    "high",
    "low",
    "close",
    "adj_close",
    "volume",
    "dividend",
    "split_ratio",
    "split_adjustment",
    "defect",
    "content",
)


@dataclass(frozen=True)
class VendorResponse:
    """What a vendor sent for one ticker.

    Attributes:
        ticker: The ticker asked for.
        rows: One row a delivered row, oldest first, with `RESPONSE_COLUMNS` as `raw_bars`
            describes them. An unreadable row has null values, its `defect` and its `content`.
        sha256: SHA-256 of the response as received (bytes of a file, values of a frame).
        is_as_traded: Whether `delivered price x split_adjustment` is the as-traded price.
    """

    ticker: str
    rows: pd.DataFrame
    sha256: str
    is_as_traded: bool


class PriceSource(Protocol):
    """Delivers daily bars of tickers and values of macro series."""

    name: str
    is_simulated: bool

    def fetch_bars(self, ticker: str, start: date, end: date) -> VendorResponse:
        """Return the rows of `ticker` dated `start` to `end`, both inclusive.

        The split adjustment of every row takes in all splits up to the moment of the fetch, also
        those after `end`. Rows whose date cannot be read are delivered too. A ticker that lists
        after `end` has no rows.

        Raises:
            SourceError: The ticker is unknown, or the whole response cannot be used.
        """
        ...

    def fetch_macro(self, series: str, start: date, end: date) -> pd.DataFrame:
        """Return `date` (datetime64[us]) and `value` (float64) of a series, oldest first.

        Raises:
            SourceError: The series is unknown, or the whole response cannot be used.
        """
        ...

    def problems(self) -> list[str]:
        """Return what would keep the source from delivering, with the remedy; empty when ready."""
        ...
