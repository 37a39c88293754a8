"""One fold, one model: fit it or recall it, and forecast what is left of its window.

Runs inside worker processes: what comes in and goes out can be pickled, nothing here is stored or
logged. How folds are spread over processes belongs to `core.parallel`.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from odyssey_assets.core.collaborators import StoredModel
from odyssey_assets.core.forecast_scores import information_coefficient
from odyssey_assets.core.hashing import hash_mapping
from odyssey_assets.forecasting.conformal import conformal_width
from odyssey_assets.forecasting.folds import Fold, Span
from odyssey_assets.forecasting.history import TickerHistory
from odyssey_assets.forecasting.importance import strongest
from odyssey_assets.forecasting.models.forecaster import FittedForecaster, Forecaster
from odyssey_assets.settings_sections import ForecastingSettings

FORMAT = 2

Role = Literal["fold", "challenger", "stand_in"]


@dataclass(frozen=True)
class FoldTask:
    """One model to fit.

    Attributes:
        ticker: The ticker.
        fold: Its plan; not a skipped one.
        forecaster: The way to learn.
        identity: What decides the model: data, configuration, fold. The same identity gives the
            same model.
    """

    ticker: str
    fold: Fold
    forecaster: Forecaster
    identity: Mapping[str, Any]

    @property
    def name_parts(self) -> tuple[str, ...]:
        """Name of the model in the store; ends with a hash of the identity."""
        key = hash_mapping(self.identity)[:16]
        return (self.forecaster.name, self.ticker, self.fold.key, key)


@dataclass(frozen=True)
class FoldForecast:
    """What a fold's model says about its window.

    Attributes:
        content: What the model is: identity, interval width, rank correlation on validation,
            importance (JSON-like).
        prediction: Forecast return of each session of the fold's test part, float64, (rows,).
    """

    content: Mapping[str, Any]
    prediction: np.ndarray


def plan_task(
    history: TickerHistory,
    fold: Fold,
    forecaster: Forecaster,
    settings: ForecastingSettings,
    data_sha256: str,
    role: Role = "fold",
) -> FoldTask:
    """Return the task of fitting `forecaster` on `fold`, with its identity."""
    identity = {
        "format": FORMAT,
        "model": forecaster.name,
        "configuration": dict(forecaster.configuration),
        "ticker": history.ticker,
        "window": fold.window.key,
        "role": role,
        "horizon_sessions": settings.horizon_sessions,
        "interval_coverage": settings.interval_coverage,
        "importance_features": settings.importance_features,
        "input_features": list(history.features),
        **_boundary(history, "train", fold.train),
        **_boundary(history, "valid", fold.valid),
        "trained_as_of": str(fold.trained_as_of),
        "data_sha256": data_sha256,
    }
    return FoldTask(history.ticker, fold, forecaster, identity)


def fit_fold(histories: Mapping[str, TickerHistory], task: FoldTask) -> tuple[FoldForecast, bytes]:
    """Fit the task's model inside its fold; return its forecasts of the window and its bytes."""
    history = histories[task.ticker]
    train, valid = history.sample(task.fold.train), history.sample(task.fold.valid)
    model = task.forecaster.fit(train, valid)
    said = model.predict(valid.features, valid.values)
    promised = information_coefficient(said, valid.target)
    weights = strongest(model.importance(valid), task.identity["importance_features"])
    content = {
        **task.identity,
        "features": list(model.features),
        "best_iteration": model.best_iteration,
        "conformal_width": conformal_width(valid.target - said, task.identity["interval_coverage"]),
        "valid_information_coefficient": None if math.isnan(promised) else promised,
        "importance": [asdict(weight) for weight in weights],
    }
    return FoldForecast(content, _forecast(model, history, task.fold)), model.to_bytes()


def recall_fold(history: TickerHistory, task: FoldTask, stored: StoredModel) -> FoldForecast:
    """Forecast the window with a model that was fitted before on the same data.

    Raises:
        ModelError: The stored payload is no model of the task's kind.
    """
    model = task.forecaster.load(stored.payload)
    return FoldForecast(stored.content, _forecast(model, history, task.fold))


def _forecast(model: FittedForecaster, history: TickerHistory, fold: Fold) -> np.ndarray:
    return model.predict(history.features, history.values[fold.test.rows])


def _boundary(history: TickerHistory, part: str, span: Span) -> dict[str, object]:
    days = history.sessions[span.rows].astype("datetime64[D]")
    return {f"{part}_start": str(days[0]), f"{part}_end": str(days[-1]), f"{part}_rows": len(span)}
