"""Turns folds and their forecasts into the rows of the `forecasting` tables."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from odyssey_assets.contracts import TableContract
from odyssey_assets.core.costs import ProportionalCosts
from odyssey_assets.core.forecast_scores import Scores, score_forecasts
from odyssey_assets.errors import ModelError
from odyssey_assets.forecasting.fitting import FoldForecast
from odyssey_assets.forecasting.folds import Fold
from odyssey_assets.forecasting.history import TickerHistory
from odyssey_assets.forecasting.tables import FEATURE_IMPORTANCE, FOLDS, PREDICTIONS

_BOUNDARIES = ("train_start", "train_end", "valid_start", "valid_end")


@dataclass(frozen=True)
class Forecasts:
    """The rows of the three tables, as their contracts want them."""

    folds: pd.DataFrame
    predictions: pd.DataFrame
    feature_importance: pd.DataFrame


@dataclass(frozen=True)
class SkippedFold:
    """A fold for which no model can be fitted."""

    ticker: str
    model: str
    fold: Fold


@dataclass(frozen=True)
class DoneFold:
    """A fold whose model is stored and has forecast its window.

    Attributes:
        history: The ticker's history.
        fold: The plan.
        forecast: What the model is and says.
        model_name: Parts of the model's name in the store.
        model_sha256: SHA-256 of the stored model.
        mlflow_run_id: Run that fitted the model; None where runs are not tracked.
    """

    history: TickerHistory
    fold: Fold
    forecast: FoldForecast
    model_name: tuple[str, ...]
    model_sha256: str
    mlflow_run_id: str | None

    @property
    def content(self) -> Mapping[str, Any]:
        """What the model is."""
        return self.forecast.content

    @property
    def key(self) -> dict[str, object]:
        """Ticker, window and model: the columns that every table has."""
        return {
            "ticker": self.history.ticker,
            "window": pd.Timestamp(self.fold.window.start),
            "model": self.content["model"],
        }

    def scores(self, costs: ProportionalCosts) -> Scores:
        """Score the forecasts on the sessions whose outcome is known."""
        return score_forecasts(
            self.forecast.prediction,
            self.history.target[self.fold.test.rows],
            self.content["conformal_width"],
            self.history.opens[self.fold.test.rows],
            costs,
        )


def tabulate(
    done: Sequence[DoneFold],
    skipped: Iterable[SkippedFold],
    horizon_sessions: int,
    costs: ProportionalCosts,
) -> Forecasts:
    """Return the rows of all tables, scores included.

    Args:
        done: Folds with a model.
        skipped: Folds without.
        horizon_sessions: Sessions ahead that are forecast.
        costs: Costs of the sign strategy.
    """
    folds = [_fold_row(one, one.scores(costs)) for one in done]
    folds += [_skipped_row(one) for one in skipped]
    predictions = [_own_predictions(one) for one in done]
    importance = [row for one in done for row in _importance_rows(one)]
    return Forecasts(
        folds=_conform(FOLDS, pd.DataFrame(folds).assign(horizon_sessions=horizon_sessions)),
        predictions=_conform(PREDICTIONS, pd.concat([PREDICTIONS.empty(), *predictions])),
        feature_importance=_conform(FEATURE_IMPORTANCE, pd.DataFrame(importance)),
    )


def prediction_rows(
    key: Mapping[str, object],
    dates: np.ndarray,
    prediction: np.ndarray,
    content: Mapping[str, Any],
    model_sha256: str,
) -> pd.DataFrame:
    """Return a model's forecasts as rows, with its interval and the day it had learned up to.

    Args:
        key: Ticker, window and forecaster.
        dates: Sessions forecast, datetime64[us], increasing, shape (rows,).
        prediction: Forecast return of each, float64, same shape.
        content: What the model is.
        model_sha256: SHA-256 of the stored model.

    Raises:
        ModelError: The model has seen data of a session that it forecasts.
    """
    trained_as_of = np.datetime64(content["trained_as_of"], "us")
    if not (trained_as_of < dates).all():
        raise ModelError(
            f"The {content['model']} model of {key['ticker']}, window {content['window']}, has "
            f"seen data up to {content['trained_as_of']} and was asked to forecast "
            f"{dates[0].astype('datetime64[D]')}. Fit the fold anew."
        )
    width = content["conformal_width"]
    return pd.DataFrame({"date": dates}).assign(
        **key,
        horizon=content["horizon_sessions"],
        prediction=prediction,
        lower=prediction - width,
        upper=prediction + width,
        model_sha256=model_sha256,
        trained_as_of=trained_as_of,
    )


def _conform(contract: TableContract, rows: pd.DataFrame) -> pd.DataFrame:
    return contract.conform(rows) if len(rows) else contract.empty()


def _fold_row(one: DoneFold, scores: Scores) -> dict[str, object]:
    content, test = one.content, one.history.sessions[one.fold.test.rows]
    return {
        **one.key,
        "status": "trained",
        "reason": None,
        **{name: pd.Timestamp(content[name]) for name in _BOUNDARIES},
        "test_start": pd.Timestamp(test[0]),
        "test_end": pd.Timestamp(test[-1]),
        "train_rows": content["train_rows"],
        "valid_rows": content["valid_rows"],
        "test_rows": len(test),
        "best_iteration": content["best_iteration"],
        "feature_count": len(content["features"]),
        **asdict(scores),
        "valid_information_coefficient": content["valid_information_coefficient"],
        "data_sha256": content["data_sha256"],
        "model_name": "/".join(one.model_name),
        "model_sha256": one.model_sha256,
        "mlflow_run_id": one.mlflow_run_id,
    }


def _skipped_row(one: SkippedFold) -> dict[str, object]:
    absent = (column.name for column in FOLDS.columns if column.is_nullable)
    counts = ("train_rows", "valid_rows", "test_rows", "scored_rows", "feature_count")
    return {
        **dict.fromkeys(absent),
        **dict.fromkeys(counts, 0),
        "ticker": one.ticker,
        "window": pd.Timestamp(one.fold.window.start),
        "model": one.model,
        "status": "skipped",
        "reason": one.fold.reason,
    }


def _own_predictions(one: DoneFold) -> pd.DataFrame:
    dates = one.history.sessions[one.fold.test.rows]
    return prediction_rows(one.key, dates, one.forecast.prediction, one.content, one.model_sha256)


def _importance_rows(one: DoneFold) -> list[dict[str, object]]:
    return [
        {**one.key, **weight, "rank": rank}
        for rank, weight in enumerate(one.content["importance"], start=1)
    ]
