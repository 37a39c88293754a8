"""A made-up ticker whose features wander, with folds and forecasts, small enough for a test."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from odyssey_assets.core.sessions import sessions_between
from odyssey_assets.core.windows import Window, windows_between
from odyssey_assets.features.catalog import FEATURES
from odyssey_assets.forecasting.folds import plan_folds
from odyssey_assets.forecasting.tables import CHALLENGERS
from odyssey_assets.settings import Settings, build_settings

START, END = date(2010, 1, 4), date(2018, 12, 31)
NAMES = tuple(spec.name for spec in FEATURES)
WINDOWS = windows_between(START, END)
MODEL = "xgboost"


def small_settings(**drift: object) -> Settings:
    """Return settings of short histories: a year to learn, thresholds from three windows on."""
    return build_settings(
        tickers=("AAA",),
        proxy="AAA",
        forecasting={"min_train_years": 1, "warmup_sessions": 60},
        drift={"min_past_windows": 4, **drift},
    )


@dataclass(frozen=True, eq=False)
class SmallWorld:
    """Tables of some tickers.

    Attributes:
        features: As `features.features`.
        folds: As `forecasting.folds`, the columns that drift reads.
        predictions: As `forecasting.predictions`, likewise.
        challengers: Of `forecasting.challengers`, none.
    """

    features: pd.DataFrame
    folds: pd.DataFrame
    predictions: pd.DataFrame
    challengers: pd.DataFrame


def small_world(
    settings: Settings, tickers: Sequence[str] = ("AAA",), end: date = END, seed: int = 0
) -> SmallWorld:
    """Return features that are autoregressive noise, and what follows from them."""
    days = sessions_between(START, end)
    features = pd.concat(
        [_features(ticker, days, seed + at) for at, ticker in enumerate(tickers)],
        ignore_index=True,
    )
    return world_of(features, settings)


def world_of(features: pd.DataFrame, settings: Settings) -> SmallWorld:
    """Return the folds and forecasts that such features lead to."""
    folds, predictions = [], []
    for ticker, own in features.groupby("ticker"):
        days = own["date"].to_numpy()
        for fold in plan_folds(days, WINDOWS, settings.forecasting):
            is_trained = fold.reason is None
            sha = f"{ticker}-{fold.window.key}"
            folds.append(
                {
                    "ticker": ticker,
                    "window": pd.Timestamp(fold.window.start),
                    "model": MODEL,
                    "status": "trained" if is_trained else "skipped",
                    "reason": fold.reason,
                    "train_start": days[fold.train.start] if is_trained else pd.NaT,
                    "train_end": days[fold.train.stop - 1] if is_trained else pd.NaT,
                    "data_sha256": f"data-{sha}",
                    "model_name": f"{MODEL}/{ticker}/{fold.window.key}/0",
                    "model_sha256": sha,
                }
            )
            made = own.iloc[fold.test.rows]
            predictions.append(
                pd.DataFrame(
                    {
                        "ticker": made["ticker"],
                        "date": made["date"],
                        "model": MODEL,
                        "prediction": made[NAMES[0]].to_numpy() * 0.01,
                        "model_sha256": sha,
                    }
                )
            )
    return SmallWorld(
        features,
        pd.DataFrame(folds),
        pd.concat(predictions, ignore_index=True),
        CHALLENGERS.empty(),
    )


def trained_windows(world: SmallWorld) -> tuple[Window, ...]:
    """Return the windows that a model serves, oldest first."""
    trained = world.folds[world.folds["status"] == "trained"]
    return tuple(Window(day.date()) for day in sorted(trained["window"].unique()))


def _features(ticker: str, days: pd.DatetimeIndex, seed: int) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    noise = generator.normal(size=(len(days), len(NAMES)))
    memory = np.linspace(0.0, 0.95, len(NAMES))
    values = np.empty_like(noise)
    values[0] = noise[0]
    for row in range(1, len(days)):
        values[row] = memory * values[row - 1] + np.sqrt(1 - memory**2) * noise[row]
    frame = pd.DataFrame(values, columns=list(NAMES))
    frame.insert(0, "ticker", pd.Series([ticker] * len(days), dtype="str"))
    frame.insert(1, "date", days.to_numpy())
    return frame
