"""Turns folds and their forecasts into the rows of the `forecasting` tables."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from odyssey_assets.core.costs import ProportionalCosts
from odyssey_assets.forecasting.fitting import FoldForecast
from odyssey_assets.forecasting.folds import Fold
from odyssey_assets.forecasting.history import TickerHistory
from odyssey_assets.forecasting.scoring import Scores, score_forecasts
from odyssey_assets.forecasting.tables import FEATURE_IMPORTANCE, FOLDS, PREDICTIONS


@dataclass(frozen=True)
class Forecasts:
    """The rows of the three tables, as their contracts want them."""

    folds: pd.DataFrame
    predictions: pd.DataFrame
    feature_importance: pd.DataFrame


@dataclass(frozen=True)
class ForecastFold:
    """A fold whose model is stored and has forecast its window.

    Attributes:
        history: The ticker's history.
        fold: The plan.
        forecast: What the model is and says.
        scores: How good that was.
        model_sha256: SHA-256 of the stored model.
        mlflow_run_id: Run that fitted the model; None where runs are not tracked.
    """

    history: TickerHistory
    fold: Fold
    forecast: FoldForecast
    scores: Scores
    model_sha256: str
    mlflow_run_id: str | None

    @property
    def model(self) -> str:
        """Name of the forecaster."""
        return str(self.forecast.content["model"])


def score_fold(
    history: TickerHistory, fold: Fold, forecast: FoldForecast, costs: ProportionalCosts
) -> Scores:
    """Score the forecasts of one fold on the sessions whose outcome is known."""
    return score_forecasts(
        forecast.prediction,
        history.target[fold.test.rows],
        _width(forecast),
        history.opens[fold.test.rows],
        costs,
    )


def tabulate(
    done: Sequence[ForecastFold],
    skipped: Iterable[tuple[str, str, Fold]],
    horizon_sessions: int,
) -> Forecasts:
    """Return the rows of all tables.

    Args:
        done: Folds with a model.
        skipped: Ticker, model and plan of the folds without.
        horizon_sessions: Sessions ahead that are forecast.
    """
    folds = [_fold_row(one, horizon_sessions) for one in done]
    folds += [
        _skipped_row(ticker, model, fold, horizon_sessions) for ticker, model, fold in skipped
    ]
    return Forecasts(
        folds=FOLDS.conform(pd.DataFrame(folds, columns=list(FOLDS.column_names))),
        predictions=_frame(PREDICTIONS.empty(), [_predictions(one) for one in done], PREDICTIONS),
        feature_importance=_frame(
            FEATURE_IMPORTANCE.empty(), [_importance(one) for one in done], FEATURE_IMPORTANCE
        ),
    )
