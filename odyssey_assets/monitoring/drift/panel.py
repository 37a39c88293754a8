"""One ticker's rows as an array: its features and its forecasts, session by session.

Which rows make a sample or a reference belongs to `looks` and `references`.
"""

import hashlib
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from odyssey_assets.features.catalog import FEATURES
from odyssey_assets.monitoring.tables import PREDICTION

COLUMNS: tuple[str, ...] = (*(spec.name for spec in FEATURES), PREDICTION)


@dataclass(frozen=True, eq=False)
class TickerPanel:
    """All sessions of one ticker, oldest first.

    Attributes:
        ticker: The ticker.
        days: Sessions, datetime64[D], shape (rows,).
        table: Float64, shape (rows, columns); the columns are `COLUMNS`, forecasts last, NaN
            where nothing was forecast.
        forecast_by: SHA-256 of the model that forecast each session, "" for none; shape (rows,).
    """

    ticker: str
    days: np.ndarray
    table: np.ndarray
    forecast_by: np.ndarray

    def position(self, day: date) -> int:
        """Return the row of the first session at or after `day`."""
        return int(np.searchsorted(self.days, np.datetime64(day, "D"), side="left"))

    def rows_between(self, first: date, last: date) -> range:
        """Return the rows of the sessions from `first` to `last`, both included."""
        end = int(np.searchsorted(self.days, np.datetime64(last, "D"), side="right"))
        return range(self.position(first), end)

    def forecasts_before(self, day: date) -> np.ndarray:
        """Return the forecasts of the sessions before `day`, float64."""
        forecasts = self.table[: self.position(day), -1]
        return forecasts[np.isfinite(forecasts)]

    def sample(self, first: int, stop: int, model_sha256: str) -> np.ndarray:
        """Return the rows [first, stop) with the forecasts of one model only."""
        rows = self.table[first:stop].copy()
        rows[self.forecast_by[first:stop] != model_sha256, -1] = np.nan
        return rows

    def forecasts_sha256(self, day: date) -> str:
        """Return the SHA-256 (hex) of the forecasts of the sessions before `day`."""
        return hashlib.sha256(self.forecasts_before(day).tobytes()).hexdigest()


def build_panels(
    features: pd.DataFrame, predictions: pd.DataFrame, tickers: list[str], model: str
) -> dict[str, TickerPanel]:
    """Return the panel of each ticker.

    Args:
        features: Rows of `features.features`.
        predictions: Rows of `forecasting.predictions`.
        tickers: The tickers wanted; one without any row has an empty panel.
        model: Forecaster whose forecasts are looked at.
    """
    of_model = predictions[predictions["model"] == model]
    rows_by_ticker = {str(ticker): rows for ticker, rows in features.groupby("ticker", sort=False)}
    forecasts_by_ticker = {
        str(ticker): rows for ticker, rows in of_model.groupby("ticker", sort=False)
    }
    return {
        ticker: _panel(
            ticker,
            rows_by_ticker.get(ticker, features.iloc[:0]).sort_values("date"),
            forecasts_by_ticker.get(ticker, of_model.iloc[:0]),
        )
        for ticker in tickers
    }


def _panel(ticker: str, rows: pd.DataFrame, forecasts: pd.DataFrame) -> TickerPanel:
    days = rows["date"].to_numpy(dtype="datetime64[D]")
    values = np.full((len(rows), len(COLUMNS)), np.nan)
    values[:, :-1] = rows[list(COLUMNS[:-1])].to_numpy(dtype=np.float64)
    forecast_by = np.full(len(rows), "", dtype=object)
    made_on = forecasts["date"].to_numpy(dtype="datetime64[D]")
    at = np.searchsorted(days, made_on)
    is_known = at < len(days)
    is_known[is_known] = days[at[is_known]] == made_on[is_known]
    values[at[is_known], -1] = forecasts["prediction"].to_numpy(dtype=np.float64)[is_known]
    forecast_by[at[is_known]] = forecasts["model_sha256"].to_numpy(dtype=object)[is_known]
    return TickerPanel(ticker, days, values, forecast_by)
