"""Frames in the exact shapes that yfinance 1.7.0 returns, made from known rows."""

from typing import Literal

import pandas as pd

COLUMNS = ("Open", "High", "Low", "Close", "Adj Close", "Volume", "Dividends", "Stock Splits")


def history_frame(rows: pd.DataFrame, is_fund: bool = False) -> pd.DataFrame:
    """Return rows of a response as `Ticker.history(auto_adjust=False, actions=True)` does."""
    frame = pd.DataFrame(
        {
            "Open": rows["open"],
            "High": rows["high"],
            "Low": rows["low"],
            "Close": rows["close"],
            "Adj Close": rows["adj_close"],
            "Volume": rows["volume"].fillna(0).round().astype("int64"),
            "Dividends": rows["dividend"],
            "Stock Splits": rows["split_ratio"].where(rows["split_ratio"] != 1.0, 0.0),
        }
    )
    if is_fund:
        frame["Capital Gains"] = 0.0
    dates = pd.DatetimeIndex(rows["date"]).tz_localize("America/New_York")
    return frame.set_axis(dates.rename("Date"))


def download_frame(
    rows: pd.DataFrame, symbol: str, group_by: Literal["column", "ticker"] = "column"
) -> pd.DataFrame:
    """Return rows of a response as `download(symbol, actions=True)` does: two column levels."""
    flat = history_frame(rows)
    flat.index = pd.DatetimeIndex(flat.index).tz_localize(None)
    flat.columns = pd.MultiIndex.from_product([flat.columns, [symbol]], names=["Price", "Ticker"])
    return flat if group_by == "column" else flat.swaplevel(axis=1)
