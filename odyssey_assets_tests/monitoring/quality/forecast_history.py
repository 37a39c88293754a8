"""Forecasts, outcomes and prices of made-up tickers, without models: what quality measures."""

from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pandas as pd

from odyssey_assets.core.sessions import sessions_between
from odyssey_assets.core.windows import window_starts
from odyssey_assets.features.labels import compute_labels
from odyssey_assets.settings import Settings, build_settings

HORIZON = 5
FIRST_FORECAST = pd.Timestamp("2015-07-01")


@dataclass(frozen=True)
class History:
    """Rows of the tables that quality is measured on."""

    predictions: pd.DataFrame
    labels: pd.DataFrame
    bars: pd.DataFrame
    folds: pd.DataFrame
    challengers: pd.DataFrame


def settings() -> Settings:
    """Return settings whose source and home nobody looks at."""
    return build_settings(source="simulated")


def history(
    tickers: tuple[str, ...] = ("AAA", "BBB"),
    end: date = date(2019, 3, 15),
    seed: int = 0,
    skill: float = 0.2,
) -> History:
    """Return forecasts from July 2015 on that know a little of what happens.

    Args:
        tickers: Their names.
        end: Last session.
        seed: Of prices and forecasts.
        skill: Weight of the outcome in the forecast.
    """
    generator = np.random.default_rng(seed)
    days = sessions_between(date(2015, 1, 2), end)
    bars = pd.concat([_bars(ticker, days, generator) for ticker in tickers], ignore_index=True)
    labels = compute_labels(bars, settings().labels)
    outcome = labels[f"forward_return_{HORIZON}d"].fillna(0.0).to_numpy()
    noise = generator.normal(0.0, 0.02, len(outcome))
    made = labels.loc[:, ["ticker", "date"]].assign(
        prediction=skill * outcome + (1 - skill) * noise,
        window=window_starts(labels["date"]),
        horizon=HORIZON,
    )
    made = made[made["date"] >= FIRST_FORECAST]
    rows = [
        made.assign(model="xgboost", model_sha256=_hashes(made)),
        made.assign(model="historical_mean", prediction=0.001, model_sha256="mean"),
    ]
    predictions = pd.concat(rows, ignore_index=True)
    predictions["lower"] = predictions["prediction"] - 0.05
    predictions["upper"] = predictions["prediction"] + 0.05
    return History(predictions, labels, bars, _folds(rows[0], generator), _no_challengers())


def until(known: History, day: pd.Timestamp) -> History:
    """Return what was known at the close of `day`."""
    bars = known.bars[known.bars["date"] <= day]
    predictions = known.predictions[known.predictions["date"] <= day]
    folds = known.folds[known.folds["window"] <= day]
    labels = compute_labels(bars, settings().labels)
    return replace(known, predictions=predictions, bars=bars, labels=labels, folds=folds)


def _bars(ticker: str, days: pd.DatetimeIndex, generator: np.random.Generator) -> pd.DataFrame:
    close = 50.0 * np.exp(np.cumsum(generator.normal(0.0003, 0.015, len(days))))
    opened = close * np.exp(generator.normal(0.0, 0.004, len(days)))
    return pd.DataFrame({"ticker": ticker, "date": days, "open": opened, "close": close}).assign(
        high=np.maximum(opened, close),
        low=np.minimum(opened, close),
        volume=1e6,
        split_factor=1.0,
        total_return_factor=np.linspace(1.0, 1.2, len(days)),
    )


def _hashes(rows: pd.DataFrame) -> pd.Series:
    return rows["ticker"] + rows["window"].dt.strftime(" %Y-%m-%d")


def _folds(forecasts: pd.DataFrame, generator: np.random.Generator) -> pd.DataFrame:
    cells = forecasts[["ticker", "window", "model", "model_sha256"]].drop_duplicates()
    promised = generator.uniform(-0.1, 0.4, len(cells))
    return cells.assign(valid_information_coefficient=promised).reset_index(drop=True)


def _no_challengers() -> pd.DataFrame:
    columns = {"ticker": "str", "model_sha256": "str", "valid_information_coefficient": "float64"}
    return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in columns.items()})
