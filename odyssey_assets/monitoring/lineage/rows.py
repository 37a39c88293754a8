"""Rows of `monitoring.lineage`: each decided weight with what it stood on, named by hashes.

Two hashes are made here, so that an analyst can make them again from the stored tables:

- `features_sha256` is the SHA-256 of the ticker, a space and the ISO date in UTF-8, followed by the
  features of the row in the order of the columns of `features.features`, each as a little-endian
  IEEE 754 double; a null is the quiet NaN (bytes `00 00 00 00 00 00 f8 7f`), -0.0 is 0.0.
- `lineage_sha256` is the SHA-256 of the texts of `HASHED` in that order, in UTF-8, with a line feed
  between them: dates in ISO form, numbers as Python's `repr` writes them, nulls empty.

Which windows are looked at and where the rows go belongs to `assets`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

import numpy as np
import pandas as pd

from odyssey_assets.features.tables import FEATURES_TABLE
from odyssey_assets.monitoring.ledgers import LINEAGE

CELL = ["ticker", "date"]
FEATURE_NAMES = tuple(name for name in FEATURES_TABLE.column_names if name not in CELL)
HASHED = tuple(
    name
    for name in LINEAGE.column_names
    if name not in ("lineage_sha256", "recorded_at", "bar_ingested_at", "response_sha256")
)


@dataclass(frozen=True, eq=False)
class Evidence:
    """The stored rows that lineage is read from, of the same windows or more.

    Attributes:
        weights: Rows of `portfolio.weights`; only decisions count.
        predictions: Rows of `forecasting.predictions`.
        features: Rows of `features.features`.
        bars: Rows of `market_data.bars`; `ticker`, `date`, `source` and `is_filled` are read.
        raw_bars: Rows of `market_data.raw_bars`, all vintages; `ticker`, `date`, `source`,
            `row_sha256`, `defect`, `ingested_at` and `response_sha256` are read.
    """

    weights: pd.DataFrame
    predictions: pd.DataFrame
    features: pd.DataFrame
    bars: pd.DataFrame
    raw_bars: pd.DataFrame


def lineage_rows(
    evidence: Evidence, forecast_model: str, horizon: int, recorded_at: datetime
) -> pd.DataFrame:
    """Return one row a decided weight: what it stood on, as stored now.

    A row dated t reads rows of other tables dated t only, all known at that close.

    Args:
        evidence: Stored rows.
        forecast_model: Whose forecasts the policies see.
        horizon: Sessions ahead that are forecast.
        recorded_at: Moment of the entries.

    Returns:
        Rows of `monitoring.lineage`, sorted by policy, ticker and date. Null where there is no
        forecast, no row of features, or no delivered bar.
    """
    weights = evidence.weights[evidence.weights["is_decision"].to_numpy(dtype=bool)]
    rows = weights[["policy", *CELL, "target_weight", "model_sha256"]]
    rows = rows.rename(columns={"model_sha256": "policy_sha256"})
    decided = rows[CELL].drop_duplicates()
    features = evidence.features.merge(decided, on=CELL)
    hashes = features[CELL].assign(features_sha256=feature_hashes(features))
    rows = (
        rows.merge(_forecasts(evidence.predictions, forecast_model, horizon), on=CELL, how="left")
        .merge(hashes, on=CELL, how="left")
        .merge(_vintages(evidence.bars, evidence.raw_bars), on=CELL, how="left")
        .sort_values(["policy", *CELL], kind="stable", ignore_index=True)
    )
    moment = recorded_at if recorded_at.tzinfo is None else recorded_at.astimezone(UTC)
    rows["recorded_at"] = np.datetime64(moment.replace(tzinfo=None), "us")
    rows["lineage_sha256"] = _content_hashes(rows)
    return rows[list(LINEAGE.column_names)]


def feature_hashes(features: pd.DataFrame) -> list[str]:
    """Return the SHA-256 of each row of `features.features`, as the module describes it."""
    values = np.array(features[list(FEATURE_NAMES)], dtype="<f8", order="C")
    values[np.isnan(values)] = np.nan
    values += 0.0
    width = values.shape[1] * values.itemsize
    content = values.tobytes()
    cells = zip(features["ticker"], _days(features["date"]), strict=True)
    return [
        sha256(f"{ticker} {day}".encode() + content[at * width : (at + 1) * width]).hexdigest()
        for at, (ticker, day) in enumerate(cells)
    ]


def _forecasts(predictions: pd.DataFrame, model: str, horizon: int) -> pd.DataFrame:
    """Return a forecast a ticker and session; of several windows the newest counts."""
    is_seen = (predictions["model"] == model) & (predictions["horizon"] == horizon)
    seen = predictions[is_seen.to_numpy(dtype=bool)].sort_values("window", kind="stable")
    seen = seen.drop_duplicates(CELL, keep="last")
    return seen[[*CELL, "model", "prediction", "model_sha256", "trained_as_of"]].rename(
        columns={"model": "forecast_model", "model_sha256": "forecast_sha256"}
    )


def _vintages(bars: pd.DataFrame, raw_bars: pd.DataFrame) -> pd.DataFrame:
    """Return the delivered row behind each bar: the newest one of its source for its day.

    A bar that was not filled stands on the newest vintage (`market_data.vintages`), and that one
    is readable: a row with a defect would have made the bar a filled one, or has no day of its own.
    """
    traded = bars.loc[~bars["is_filled"].to_numpy(dtype=bool), [*CELL, "source"]]
    readable = raw_bars[raw_bars["defect"].isna().to_numpy(dtype=bool)]
    newest = readable.sort_values(["ingested_at", "row_sha256"], kind="stable")
    newest = newest.drop_duplicates([*CELL, "source"], keep="last")
    found = traded.merge(newest, on=[*CELL, "source"])
    return found[[*CELL, "row_sha256", "ingested_at", "response_sha256"]].rename(
        columns={"row_sha256": "bar_row_sha256", "ingested_at": "bar_ingested_at"}
    )


def _content_hashes(rows: pd.DataFrame) -> list[str]:
    columns = [_texts(rows[name]) for name in HASHED]
    return [sha256("\n".join(texts).encode()).hexdigest() for texts in zip(*columns, strict=True)]


def _texts(values: pd.Series) -> Iterable[str]:
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return _days(values)
    is_null = values.isna().tolist()
    say = repr if pd.api.types.is_float_dtype(values.dtype) else str
    return [
        "" if absent else say(value) for value, absent in zip(values.tolist(), is_null, strict=True)
    ]


def _days(dates: pd.Series) -> list[str]:
    """Return dates in ISO form, nulls empty."""
    days = dates.to_numpy(dtype="datetime64[D]")
    return np.where(np.isnat(days), "", np.datetime_as_string(days)).tolist()
