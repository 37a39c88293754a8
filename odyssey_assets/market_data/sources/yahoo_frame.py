"""A frame as `yfinance` returns it, read into rows of a response or values of a series. Pure.

Recognised are the shapes of `Ticker.history` and of `download`, with `auto_adjust=False` and
`actions=True`. Asking Yahoo belongs to `sources.yfinance`.
"""

import json
from datetime import date

import numpy as np
import pandas as pd

from odyssey_assets.errors import SourceError
from odyssey_assets.market_data.source import RESPONSE_COLUMNS
from odyssey_assets.market_data.sources.basis import later_splits

_NUMBERS = {
    "open": "Open",
    "high": "High",
    "low": "Low",
    "close": "Close",
    "adj_close": "Adj Close",
    "volume": "Volume",
}
_ACTIONS = ("Dividends", "Stock Splits")
_FUND_DISTRIBUTIONS = "Capital Gains"


def bar_rows(frame: pd.DataFrame, symbol: str, last_session: date) -> pd.DataFrame:
    """Return the rows of a response, oldest first.

    Args:
        frame: From the requested start to the moment of the fetch, so that its splits are all by
            which Yahoo has divided the prices.
        symbol: Yahoo's symbol; picks the columns where the frame holds several.
        last_session: Last session that is over; a later bar is partial and left out.

    Raises:
        SourceError: The frame is empty or lacks a column.
    """
    flat = _one_symbol(frame, symbol, (*_NUMBERS.values(), *_ACTIONS))
    splits = flat["Stock Splits"].to_numpy(np.float64)
    ratio = np.where(np.isnan(splits) | (splits == 0.0), 1.0, splits)
    dividend = flat["Dividends"].fillna(0.0).to_numpy(np.float64)
    if _FUND_DISTRIBUTIONS in flat:
        dividend = dividend + flat[_FUND_DISTRIBUTIONS].fillna(0.0).to_numpy(np.float64)
    numbers = {name: flat[column].to_numpy(np.float64) for name, column in _NUMBERS.items()}
    is_missing = ~np.all([np.isfinite(values) for values in numbers.values()], axis=0)
    rows = pd.DataFrame(
        {
            "date": _days(flat),
            **{name: np.where(is_missing, np.nan, values) for name, values in numbers.items()},
            "dividend": np.where(is_missing, np.nan, dividend),
            "split_ratio": np.where(is_missing, np.nan, ratio),
            "split_adjustment": later_splits(ratio),
        }
    )
    contents = [
        _content(flat.iloc[row]) if is_bad else None for row, is_bad in enumerate(is_missing)
    ]
    rows["defect"] = pd.Series("missing_price", rows.index, "str").where(is_missing)
    rows["content"] = pd.Series(contents, dtype="str")
    is_over = rows["date"] <= pd.Timestamp(last_session)
    return rows.loc[is_over, list(RESPONSE_COLUMNS)].reset_index(drop=True)


def series_values(frame: pd.DataFrame, symbol: str, last_session: date) -> pd.DataFrame:
    """Return `date` and `value` (the closes), oldest first; days without a close are left out.

    Raises:
        SourceError: The frame is empty or has no closes.
    """
    flat = _one_symbol(frame, symbol, ("Close",))
    values = pd.DataFrame({"date": _days(flat), "value": flat["Close"].to_numpy(np.float64)})
    is_over = values["date"] <= pd.Timestamp(last_session)
    return values[is_over & values["value"].notna()].reset_index(drop=True)


def _one_symbol(frame: pd.DataFrame, symbol: str, expected: tuple[str, ...]) -> pd.DataFrame:
    if frame.empty:
        raise SourceError(
            f"Yahoo returned no rows for {symbol}. Check the symbol at finance.yahoo.com."
        )
    flat = frame
    if isinstance(frame.columns, pd.MultiIndex):
        level = next(
            (level for level in (0, 1) if symbol in frame.columns.get_level_values(level)), None
        )
        if level is None:
            raise SourceError(
                f"Yahoo's answer holds {sorted(set(map(str, frame.columns)))}, not {symbol}."
            )
        flat = frame.xs(symbol, axis=1, level=level)
    missing = [name for name in expected if name not in flat.columns]
    if missing:
        raise SourceError(
            f"Yahoo's answer for {symbol} lacks {', '.join(missing)}; found "
            f"{', '.join(map(str, flat.columns))}. The installed yfinance may have changed: use "
            "the version in the constraints file."
        )
    return flat.sort_index()


def _days(frame: pd.DataFrame) -> np.ndarray:
    """Return the sessions: dates on the exchange's clock, without time zone."""
    index = pd.DatetimeIndex(frame.index)
    return index.tz_localize(None).normalize().to_numpy("datetime64[us]")


def _content(row: pd.Series) -> str:
    values = {str(name): None if pd.isna(value) else float(value) for name, value in row.items()}
    return json.dumps({"Date": str(row.name), **values})
