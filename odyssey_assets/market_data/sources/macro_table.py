"""From a file's texts to the values of a macro series.

A day without a value is left out; anything else that cannot be read refuses the whole file, since
macro series have no quarantine. Reading the file belongs to `sources.file_table`.
"""

import numpy as np
import pandas as pd

from odyssey_assets.errors import SourceError
from odyssey_assets.market_data.sources.file_table import MISSING_TEXTS, FileTable

VALUE_NAMES = ("value", "close", "price")


def macro_values(table: FileTable) -> pd.DataFrame:
    """Return `date` and `value`, oldest first, one a day.

    Raises:
        SourceError: No value column, a row that cannot be read, or two values for one day.
    """
    named = [name for name in VALUE_NAMES if name in table.columns]
    if not named:
        raise SourceError(
            f"{table.where} has the columns {', '.join(table.columns)}; expected date and "
            f"{' or '.join(VALUE_NAMES)}."
        )
    texts = pd.Series(table.columns[named[0]], dtype="str")
    values = pd.to_numeric(texts, errors="coerce").to_numpy(np.float64)
    is_missing = texts.str.lower().isin(MISSING_TEXTS).to_numpy() & ~table.has_own_length
    _refuse_unreadable(table, ~np.isfinite(values) & ~is_missing)
    rows = pd.DataFrame({"date": table.dates, "value": values})[~is_missing].drop_duplicates()
    repeated = rows.loc[rows["date"].duplicated(), "date"]
    if len(repeated):
        raise SourceError(
            f"{table.where} has two values for {repeated.iloc[0].date()}; keep one a day."
        )
    return rows.reset_index(drop=True)


def _refuse_unreadable(table: FileTable, is_bad_number: np.ndarray) -> None:
    for row, defect in enumerate(table.date_defects):
        if defect is not None or is_bad_number[row]:
            raise SourceError(
                f"{table.where} has the row {table.content(row)} "
                f"({defect or 'unreadable_number'}); correct or remove it."
            )
