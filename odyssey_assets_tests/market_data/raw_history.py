"""Small raw histories for the tests of cleaning: honest rows, and ways to spoil them.

Only makers of raw rows belong here; what cleaning must make of them is said in the tests.
"""

from datetime import UTC, date, datetime

import numpy as np
import pandas as pd

from odyssey_assets.core.sessions import sessions_between
from odyssey_assets.market_data.cleaning import CleanedBars, clean_bars
from odyssey_assets.market_data.tables import RAW_BARS
from odyssey_assets.settings_sections import CleaningSettings

SOURCE = "files"
NOW = datetime(2025, 1, 2, 12, tzinfo=UTC)
INGESTED_AT = pd.Timestamp("2024-12-31 22:00")


def raw_history(
    count: int, ticker: str = "AAA", start: date = date(2015, 1, 2), seed: int = 0
) -> pd.DataFrame:
    """Return `count` honest as-traded rows from `start`, prices near 100, ranges near 2 %."""
    random = np.random.default_rng(seed)
    close = np.round(100 * np.exp(np.cumsum(random.normal(0, 0.01, count))), 2)
    opened = np.round(close * (1 + random.normal(0, 0.004, count)), 2)
    spread = np.abs(random.normal(0.01, 0.003, (2, count)))
    dates = sessions_between(start, date(start.year + count // 240 + 2, 1, 1))[:count]
    return RAW_BARS.conform(
        pd.DataFrame(
            {
                "ticker": ticker,
                "date": dates,
                "source": SOURCE,
                "row_sha256": [f"{ticker} {day:%Y-%m-%d} {seed}" for day in dates],
                "open": opened,
                "high": np.round(np.maximum(opened, close) * (1 + spread[0]), 2),
                "low": np.round(np.minimum(opened, close) * (1 - spread[1]), 2),
                "close": close,
                "adj_close": np.nan,
                "volume": np.round(random.lognormal(14, 0.3, count)),
                "dividend": 0.0,
                "split_ratio": 1.0,
                "split_adjustment": 1.0,
                "is_as_traded": True,
                "is_simulated": False,
                "defect": None,
                "content": None,
                "ingested_at": INGESTED_AT,
                "response_sha256": "response",
            }
        )
    )


def changed(raw: pd.DataFrame, row: int, **values: object) -> pd.DataFrame:
    """Return `raw` with other values in one row."""
    result = raw.copy()
    for name, value in values.items():
        result.loc[row, name] = value
    return result


def flat(raw: pd.DataFrame, row: int, volume: float) -> pd.DataFrame:
    """Return `raw` with one made-up bar: the close of the row before, four times."""
    close = raw["close"].iloc[row - 1]
    return changed(raw, row, open=close, high=close, low=close, close=close, volume=volume)


def split_from(raw: pd.DataFrame, row: int, ratio: float) -> pd.DataFrame:
    """Return `raw` with a split of `ratio` on `row`: prices divided from there on."""
    result = changed(raw, row, split_ratio=ratio)
    for name in ("open", "high", "low", "close"):
        result.loc[row:, name] = result.loc[row:, name] / ratio
    result.loc[row:, "volume"] = result.loc[row:, "volume"] * ratio
    return result


def again(raw: pd.DataFrame, ingested_at: str, **values: object) -> pd.DataFrame:
    """Return `raw` as a later response: other moment, other row hashes, some other values."""
    return raw.assign(
        row_sha256=raw["row_sha256"] + " " + ingested_at,
        ingested_at=pd.Timestamp(ingested_at),
        response_sha256=ingested_at,
        **values,
    )


def cleaned(
    raw: pd.DataFrame,
    end: date | None = None,
    settings: CleaningSettings | None = None,
    as_of: datetime | None = None,
) -> CleanedBars:
    """Clean `raw` up to `end` (default: its last session)."""
    return clean_bars(
        raw,
        settings or CleaningSettings(),
        SOURCE,
        end or raw["date"].max().date(),
        now=NOW,
        as_of=as_of,
    )
