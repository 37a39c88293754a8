"""One ticker's history as arrays: what folds cut their samples from.

Joins the stored tables of a ticker by session and refuses tables that do not belong together.
Which rows a fold may use belongs to `forecasting.folds`.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from odyssey_assets.core.adjustment import adjusted_bars
from odyssey_assets.errors import ContractError
from odyssey_assets.forecasting.folds import Fold, Span
from odyssey_assets.forecasting.models.forecaster import Sample


@dataclass(frozen=True)
class TickerHistory:
    """All sessions of one ticker, oldest first.

    Attributes:
        ticker: The ticker.
        features: Names of the columns of `values`.
        sessions: datetime64[us], shape (rows,).
        values: Features known at each close, float32, shape (rows, features).
        target: Forward return over the horizon, float64, shape (rows,); NaN until known.
        opens: Adjusted opening prices, float64, shape (rows,).
    """

    ticker: str
    features: tuple[str, ...]
    sessions: np.ndarray
    values: np.ndarray
    target: np.ndarray
    opens: np.ndarray

    def sample(self, span: Span) -> Sample:
        """Return the rows of `span`.

        Raises:
            ContractError: A label of these rows is null although later sessions are stored.
        """
        target = self.target[span.rows]
        is_unknown = np.isnan(target)
        if is_unknown.any():
            first = self.sessions[span.rows][is_unknown][0].astype("datetime64[D]")
            raise ContractError(
                f"features.labels: {self.ticker} has {int(is_unknown.sum())} null labels among "
                f"sessions to learn from, first on {first}, although their outcome is stored. "
                "Materialize the labels of those windows again."
            )
        return Sample(self.features, self.values[span.rows], target)

    def data_sha256(self, fold: Fold) -> str:
        """Return the SHA-256 (hex) of what a fold's models learn from: names, dates, values."""
        header = [self.ticker, self.features, len(fold.train), len(fold.valid)]
        digest = hashlib.sha256(json.dumps(header).encode())
        for span in (fold.train, fold.valid):
            for array in (self.sessions, self.values, self.target):
                digest.update(array[span.rows].tobytes())
        return digest.hexdigest()


def build_histories(
    features: pd.DataFrame,
    labels: pd.DataFrame,
    bars: pd.DataFrame,
    tickers: Sequence[str],
    feature_names: Sequence[str],
    horizon_sessions: int,
) -> dict[str, TickerHistory]:
    """Return the history of each ticker.

    Args:
        features: Rows of `features.features`.
        labels: Rows of `features.labels` for the same sessions, or more.
        bars: Rows of `market_data.bars` for the same sessions, or more.
        tickers: The tickers wanted; one without any row has an empty history.
        feature_names: The features models may use, in the order of the columns of `values`.
        horizon_sessions: The label's horizon.

    Raises:
        ContractError: A session with features has no label row or no bar, or a feature is
            infinite.
    """
    label = f"forward_return_{horizon_sessions}d"
    outcomes_by_ticker, bars_by_ticker = _by_ticker(labels), _by_ticker(bars)
    features_by_ticker = _by_ticker(features)
    histories = {}
    for ticker in tickers:
        known = features_by_ticker.get(ticker, features.iloc[:0])
        sessions = pd.Index(known["date"])
        outcomes = _at(sessions, outcomes_by_ticker.get(ticker, labels.iloc[:0]), "features.labels")
        prices = _at(sessions, bars_by_ticker.get(ticker, bars.iloc[:0]), "market_data.bars")
        histories[ticker] = TickerHistory(
            ticker=ticker,
            features=tuple(feature_names),
            sessions=sessions.to_numpy(dtype="datetime64[us]"),
            values=feature_values(ticker, known[list(feature_names)]),
            target=_one_bit_pattern(outcomes[label].to_numpy(dtype=np.float64)),
            opens=adjusted_bars(prices)["open"].to_numpy(dtype=np.float64),
        )
    return histories


def _by_ticker(frame: pd.DataFrame) -> dict[str, pd.DataFrame]:
    return {
        str(ticker): rows.sort_values("date")
        for ticker, rows in frame.groupby("ticker", sort=False)
    }


def _at(sessions: pd.Index, rows: pd.DataFrame, table: str) -> pd.DataFrame:
    """Return the rows of one ticker at `sessions`, in their order."""
    missing = sessions.difference(rows["date"])
    if len(missing):
        ticker = rows["ticker"].iloc[0] if len(rows) else "the ticker"
        raise ContractError(
            f"{table}: {ticker} has no row for {len(missing)} of the {len(sessions)} sessions in "
            f"features.features, first {missing[0]:%Y-%m-%d}. Materialize {table} for the same "
            "windows."
        )
    return rows.set_index("date").loc[sessions]


def feature_values(ticker: str, frame: pd.DataFrame) -> np.ndarray:
    """Return feature columns as models take them: float32, one kind of NaN, shape (rows, columns).

    Raises:
        ContractError: A value is infinite in single precision.
    """
    values = np.ascontiguousarray(frame.to_numpy(dtype=np.float32))
    is_infinite = np.isinf(values).any(axis=0)
    if is_infinite.any():
        names = [name for name, bad in zip(frame.columns, is_infinite, strict=True) if bad]
        raise ContractError(
            f"{ticker}: features {names} hold infinite values in single precision, which no "
            "model can use. Mend their formula: an unknown value is null."
        )
    return _one_bit_pattern(values)


def _one_bit_pattern(values: np.ndarray) -> np.ndarray:
    """Return `values` with one kind of NaN and one kind of zero, so that equal data hash equal."""
    return np.where(np.isnan(values), values.dtype.type(np.nan), values + values.dtype.type(0))
