"""Files as vendors write them, made from known rows; ways to spoil them belong to tests."""

from pathlib import Path

import pandas as pd

YAHOO_HEADER = "Date,Open,High,Low,Close,Adj Close,Volume"


def yahoo_text(rows: pd.DataFrame, has_actions: bool = False) -> str:
    """Return rows of a response as a Yahoo CSV, oldest first."""
    return _yahoo(rows, has_actions).to_csv(index=False)


def yahoo_parquet(rows: pd.DataFrame, path: Path) -> None:
    """Write rows of a response as Parquet with Yahoo's columns, dates in the index."""
    frame = _yahoo(rows, True).assign(Date=rows["date"].to_numpy())
    frame.set_index("Date").to_parquet(path)


def alpha_vantage_text(rows: pd.DataFrame, is_numbered: bool = False) -> str:
    """Return rows of a response as an Alpha Vantage CSV: as traded, newest first."""
    adjustment = rows["split_adjustment"]
    columns = {
        "timestamp": rows["date"].dt.strftime("%Y-%m-%d"),
        **{name: (rows[name] * adjustment).round(4) for name in ("open", "high", "low", "close")},
        "adjusted close": rows["adj_close"],
        "volume": (rows["volume"] / adjustment).round(),
        "dividend amount": (rows["dividend"] * adjustment).round(4),
        "split coefficient": rows["split_ratio"],
    }
    names = list(columns)
    header = names[:1] + [
        f"{place}. {name}" if is_numbered else name.replace(" ", "_")
        for place, name in enumerate(names[1:], start=1)
    ]
    frame = pd.DataFrame(columns).iloc[::-1].set_axis(header, axis=1)
    return frame.to_csv(index=False)


def _yahoo(rows: pd.DataFrame, has_actions: bool) -> pd.DataFrame:
    columns = {
        "Date": rows["date"].dt.strftime("%Y-%m-%d"),
        "Open": rows["open"],
        "High": rows["high"],
        "Low": rows["low"],
        "Close": rows["close"],
        "Adj Close": rows["adj_close"],
        "Volume": rows["volume"],
    }
    if has_actions:
        columns["Dividends"] = rows["dividend"]
        columns["Stock Splits"] = rows["split_ratio"].where(rows["split_ratio"] != 1.0, 0.0)
    return pd.DataFrame(columns)
