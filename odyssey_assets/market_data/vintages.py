"""Which rows of `raw_bars` count: the newest vintage of each ticker and date known at a moment.

Nothing is judged here except that one response must not say two things about one day.
"""

from datetime import datetime

import numpy as np
import pandas as pd

from odyssey_assets.market_data.quarantine import naive_utc

UNDATED_DEFECTS = ("unreadable_date", "future_date")
"""Defects of rows that a source dates by the readable row before them."""


def newest_rows(raw: pd.DataFrame, source: str, as_of: datetime | None) -> pd.DataFrame:
    """Return the rows of `source` that count, sorted by ticker and date.

    For each ticker and date the newest `ingested_at` wins; older vintages are left out. Rows whose
    date cannot be used have no day of their own: they replace nothing and are all returned.

    Args:
        raw: Rows of `market_data.raw_bars`, in any order.
        source: Name of the source whose rows count.
        as_of: Vintages ingested later are unknown; None knows them all. Without a time zone it is
            taken as UTC.

    Returns:
        The rows with a fresh index and one more column, `is_conflicting`: other rows of the same
        response are dated the same day.
    """
    is_known = (raw["source"] == source).to_numpy(dtype=bool)
    if as_of is not None:
        is_known = is_known & (raw["ingested_at"] <= naive_utc(as_of)).to_numpy(dtype=bool)
    tickers = pd.factorize(raw["ticker"], sort=True)[0]
    dates = raw["date"].to_numpy()
    has_date = ~raw["defect"].isin(UNDATED_DEFECTS).to_numpy(dtype=bool)

    dated = np.flatnonzero(is_known & has_date)
    newest, is_conflicting = _newest(dated, tickers, dates, raw["ingested_at"].to_numpy())
    undated = np.flatnonzero(is_known & ~has_date)

    chosen = np.concatenate([newest, undated])
    flags = np.concatenate([is_conflicting, np.zeros(len(undated), dtype=bool)])
    order = np.lexsort((dates[chosen], tickers[chosen]))
    return raw.take(chosen[order]).reset_index(drop=True).assign(is_conflicting=flags[order])


def _newest(
    positions: np.ndarray, tickers: np.ndarray, dates: np.ndarray, ingested_at: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the positions of the newest rows of each day, and which of them are several."""
    order = positions[np.lexsort((ingested_at[positions], dates[positions], tickers[positions]))]
    if not len(order):
        return order, np.zeros(0, dtype=bool)
    is_new_day = np.r_[
        True, (np.diff(tickers[order]) != 0) | (dates[order][1:] != dates[order][:-1])
    ]
    day = np.cumsum(is_new_day) - 1
    last_of_day = np.r_[np.flatnonzero(is_new_day)[1:], len(order)] - 1
    is_newest = ingested_at[order] == ingested_at[order][last_of_day][day]
    count = np.bincount(day[is_newest])
    return order[is_newest], (count > 1)[day[is_newest]]
