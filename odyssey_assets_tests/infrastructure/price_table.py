"""A small table for tests of storage: its contract and rows of it."""

from collections.abc import Sequence
from datetime import date

import pandas as pd

from odyssey_assets.contracts import Column, TableContract
from odyssey_assets.core.slices import Slice

TICKERS = ("AAA", "BBB", "CCC")
FIRST_HALF = (date(2020, 1, 1), date(2020, 7, 1))
SECOND_HALF = (date(2020, 7, 1), date(2021, 1, 1))

COLUMNS = (
    Column("ticker", "VARCHAR", "Ticker."),
    Column("date", "DATE", "Session, known at its close."),
    Column("close", "DOUBLE", "Close, USD; it's as traded.", is_nullable=True, minimum=0),
    Column("trades", "BIGINT", "Trades; null if unknown.", is_nullable=True),
    Column("lots", "BIGINT", "Lots."),
    Column("is_filled", "BOOLEAN", "Carried forward."),
    Column("state", "VARCHAR", "Open or shut.", is_nullable=True, allowed=("open", "shut")),
    Column("stored_at", "TIMESTAMP", "UTC moment.", is_audit=True),
)
PRICES = TableContract("market", "prices", "Prices of a test.", ("ticker", "date"), COLUMNS)
VINTAGES = TableContract(
    "market", "vintages", "Rows ever sent.", ("ticker", "date"), COLUMNS, is_append_only=True
)


def prices(
    tickers: Sequence[str] = TICKERS,
    start: date = FIRST_HALF[0],
    end: date = SECOND_HALF[1],
    close: float = 10.0,
) -> pd.DataFrame:
    """Return conforming rows of PRICES, every tenth calendar day in `[start, end)`."""
    days = pd.date_range(start, end, freq="10D", inclusive="left").astype("datetime64[us]")
    count = len(tickers) * len(days)
    frame = pd.DataFrame(
        {
            "ticker": pd.Series([each for each in tickers for _ in days], dtype="str"),
            "date": pd.Series(list(days) * len(tickers), dtype="datetime64[us]"),
            "close": [close] * count,
            "trades": pd.Series([2**60 + 1, None] * count, dtype="Int64").head(count),
            "lots": list(range(count)),
            "is_filled": [index % 2 == 0 for index in range(count)],
            "state": pd.Series(["open", None] * count, dtype="str").head(count),
            "stored_at": pd.Timestamp("2024-01-02 03:04:05.000006"),
        }
    )
    frame.loc[frame.index[:1], "close"] = float("nan")
    return PRICES.conform(frame)


def rectangle(tickers: Sequence[str] | None, span: tuple[date, date]) -> Slice:
    """Return the slice of some tickers and one span of dates."""
    return Slice(None if tickers is None else tuple(tickers), *span)
