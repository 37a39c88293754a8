"""From a file's texts to the rows of a response: what columns mean, and on which basis they are.

Recognised are Yahoo's headers (with or without dividends and splits) and Alpha Vantage's (also the
numbered ones). Reading the file belongs to `sources.file_table`.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from odyssey_assets.errors import SourceError
from odyssey_assets.market_data.source import RESPONSE_COLUMNS
from odyssey_assets.market_data.sources.basis import implied_dividends, later_splits
from odyssey_assets.market_data.sources.file_table import MISSING_TEXTS, FileTable

DATE_NAMES = ("date", "timestamp", "datetime")
PRICES = ("open", "high", "low", "close")
_REQUIRED = (*PRICES, "volume")
_NAMES: Mapping[str, tuple[str, ...]] = {
    **{name: (name,) for name in _REQUIRED},
    "adj_close": ("adj_close", "adjusted_close", "adjclose"),
    "dividend": ("dividends", "dividend", "dividend_amount"),
    "split_ratio": ("stock_splits", "splits", "split_ratio", "split_coefficient"),
}
_NUMBERS = (*_REQUIRED, "adj_close")
_AS_TRADED_SPLITS = "split_coefficient"


def price_rows(table: FileTable) -> tuple[pd.DataFrame, bool]:
    """Return the rows of a response and whether they are as traded.

    A row that cannot be read keeps its day, its defect and its content; its numbers are null.

    Raises:
        SourceError: The header lacks a price or the volume.
    """
    found = _recognised(table)
    numbers = {name: _numbers(table.columns[column]) for name, column in found.items()}
    reasons = _defects(table, numbers, found)
    is_readable = np.array([reason is None for reason in reasons], dtype=bool)
    values = {
        **{name: np.full(len(reasons), np.nan) for name in _NUMBERS},
        **numbers,
        "dividend": _dividends(table, numbers, found, is_readable),
        "split_ratio": _split_ratios(numbers, len(reasons)),
    }
    delivered = {name: np.where(is_readable, column, np.nan) for name, column in values.items()}
    is_as_traded = found.get("split_ratio") == _AS_TRADED_SPLITS
    applied = 1.0 if is_as_traded else _applied_splits(table, values["split_ratio"])
    rows = pd.DataFrame({"date": table.dates, **delivered, "split_adjustment": applied})
    rows["defect"] = pd.Series(reasons, dtype="str")
    contents = [table.content(row) if reason else None for row, reason in enumerate(reasons)]
    rows["content"] = pd.Series(contents, dtype="str")
    return rows[list(RESPONSE_COLUMNS)], "split_ratio" in found


def _recognised(table: FileTable) -> dict[str, str]:
    """Return the table's column for each quantity that it delivers."""
    found = {
        quantity: column
        for quantity, names in _NAMES.items()
        for column in table.columns
        if column in names
    }
    missing = [name for name in _REQUIRED if name not in found]
    if missing:
        raise SourceError(
            f"{table.where} lacks the columns {', '.join(missing)}; found "
            f"{', '.join(table.columns)}. Expected a header as Yahoo or Alpha Vantage write it."
        )
    return found


def _numbers(texts: Sequence[str]) -> np.ndarray:
    return pd.to_numeric(pd.Series(texts, dtype="str"), errors="coerce").to_numpy(np.float64)


def _defects(
    table: FileTable, numbers: Mapping[str, np.ndarray], found: Mapping[str, str]
) -> list[str | None]:
    """Return the first defect of each row, None for a readable one."""
    defects = np.array([defect or "" for defect in table.date_defects], dtype=object)
    for quantity, values in numbers.items():
        texts = table.columns[found[quantity]]
        for row in np.flatnonzero(~np.isfinite(values) & (defects == "")):
            if texts[row].lower() not in MISSING_TEXTS or quantity == "volume":
                defects[row] = "unreadable_number"
            elif quantity in (*PRICES, "adj_close"):
                defects[row] = "missing_price"
    defects[(defects == "") & table.has_own_length] = "unreadable_number"
    return [str(defect) or None for defect in defects]


def _dividends(
    table: FileTable,
    numbers: Mapping[str, np.ndarray],
    found: Mapping[str, str],
    is_readable: np.ndarray,
) -> np.ndarray:
    """Return the dividends as delivered, else those that the adjusted closes imply, else none."""
    if "dividend" in found:
        return np.nan_to_num(numbers["dividend"])
    if "adj_close" not in found:
        return np.zeros(len(is_readable))
    return implied_dividends(
        np.where(is_readable, numbers["close"], np.nan),
        np.where(is_readable, numbers["adj_close"], np.nan),
        _rounding(table.columns[found["close"]]),
        _rounding(table.columns[found["adj_close"]]),
    )


def _split_ratios(numbers: Mapping[str, np.ndarray], count: int) -> np.ndarray:
    """Return split ratios as delivered; Yahoo writes 0 and others nothing where there is none."""
    ratio = numbers.get("split_ratio", np.ones(count))
    return np.where(np.isnan(ratio) | (ratio == 0.0), 1.0, ratio)


def _applied_splits(table: FileTable, ratio: np.ndarray) -> np.ndarray:
    """Return what Yahoo has divided each row's prices by: later splits, each counted once a day.

    A split counts also where the price of its row cannot be read, but not when it lies in the
    future.
    """
    is_future = np.array([defect == "future_date" for defect in table.date_defects], dtype=bool)
    is_repeated = pd.Series(table.dates).where(ratio != 1.0).duplicated().to_numpy()
    is_applied = (ratio > 0.0) & ~is_future & ~is_repeated
    adjustment = later_splits(np.where(is_applied, ratio, 1.0))
    return pd.Series(adjustment).groupby(table.dates).transform("min").to_numpy()


def _rounding(texts: Sequence[str]) -> float:
    """Return half a unit of the last decimal that a column is written with."""
    decimals = max((len(text.partition(".")[2]) for text in texts), default=0)
    return float(0.5 * 10.0**-decimals)
