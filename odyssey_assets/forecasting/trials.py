"""Trials: what every version of a ticker's model says of the same sessions, side by side.

The window's own model, its challengers and their stand-ins each forecast the sessions after their
training; none is fitted here and none serves by it. Versions come from `forecasting.challengers`;
judging them on these rows belongs to `monitoring.promotion`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from odyssey_assets.core.collaborators import ModelStore
from odyssey_assets.core.reigns import Reign
from odyssey_assets.core.windows import Window
from odyssey_assets.errors import ModelError
from odyssey_assets.features.catalog import MODEL_FEATURES
from odyssey_assets.forecasting.catalog import default_forecaster
from odyssey_assets.forecasting.history import feature_values
from odyssey_assets.forecasting.models.forecaster import Forecaster
from odyssey_assets.forecasting.serving import load_reigning
from odyssey_assets.forecasting.tables import TRIALS
from odyssey_assets.forecasting.tabulation import prediction_rows
from odyssey_assets.settings import Settings


@dataclass(frozen=True)
class Trials:
    """What was tried.

    Attributes:
        rows: Rows of `forecasting.trials`.
        unreadable: Why a version could not forecast, by its name in the store.
    """

    rows: pd.DataFrame
    unreadable: Mapping[str, str]


@dataclass(frozen=True)
class _Version:
    role: str
    reign: Reign


def tried_windows(folds: pd.DataFrame, challengers: pd.DataFrame) -> dict[str, Window]:
    """Return the newest window of each ticker that has a challenger in it.

    Args:
        folds: Rows of `forecasting.folds`: ticker, window, status.
        challengers: Rows of `forecasting.challengers`: ticker, window.
    """
    trained = folds[folds["status"] == "trained"]
    newest = trained.groupby("ticker")["window"].max()
    own = challengers.groupby("ticker")["window"].max()
    tickers = [ticker for ticker in own.index if own[ticker] == newest.get(ticker)]
    return {str(ticker): Window(own[ticker].date()) for ticker in tickers}


def run_trials(
    features: pd.DataFrame,
    folds: pd.DataFrame,
    challengers: pd.DataFrame,
    settings: Settings,
    store: ModelStore,
    recorded_at: datetime,
) -> Trials:
    """Let every version of the default forecaster forecast the sessions after its training.

    Only tickers with a challenger in their newest window are tried, and only in that window. A
    version that cannot be loaded is passed over and named.

    Args:
        features: Rows of `features.features` of those tickers and windows, or more.
        folds: Rows of `forecasting.folds`.
        challengers: Rows of `forecasting.challengers`.
        settings: Forecaster and horizon.
        store: Holds the models.
        recorded_at: Moment that the rows carry, UTC without time zone.
    """
    forecaster = default_forecaster(settings)
    folds, challengers = (
        frame[frame["model"] == forecaster.name] for frame in (folds, challengers)
    )
    parts: list[pd.DataFrame] = []
    unreadable: dict[str, str] = {}
    for ticker, window in tried_windows(folds, challengers).items():
        known = features[(features["ticker"] == ticker) & _is_in(features["date"], window)]
        known = known.sort_values("date")
        done: set[str] = set()
        for version in _versions(folds, challengers, ticker, window):
            if version.reign.model_sha256 in done:
                continue
            try:
                parts.append(_forecast(known, version, forecaster, settings, store))
                done.add(version.reign.model_sha256)
            except ModelError as error:
                unreadable["/".join(version.reign.model_name)] = str(error)
    if not parts:
        return Trials(TRIALS.empty(), unreadable)
    rows = pd.concat(parts).assign(recorded_at=recorded_at)
    return Trials(TRIALS.conform(rows) if len(rows) else TRIALS.empty(), unreadable)


def _versions(
    folds: pd.DataFrame, challengers: pd.DataFrame, ticker: str, window: Window
) -> Iterator[_Version]:
    start = pd.Timestamp(window.start)
    before = window.start - timedelta(days=1)
    for row in folds[(folds["ticker"] == ticker) & (folds["window"] == start)].to_dict("records"):
        name = tuple(str(row["model_name"]).split("/"))
        yield _Version("fold", Reign(ticker, window, before, name, str(row["model_sha256"])))
    own = challengers[(challengers["ticker"] == ticker) & (challengers["window"] == start)]
    for row in own.sort_values("model_name").to_dict("records"):
        name = tuple(str(row["model_name"]).split("/"))
        learned = row["trained_as_of"].date()
        yield _Version(row["role"], Reign(ticker, window, learned, name, str(row["model_sha256"])))


def _forecast(
    known: pd.DataFrame,
    version: _Version,
    forecaster: Forecaster,
    settings: Settings,
    store: ModelStore,
) -> pd.DataFrame:
    reign, horizon = version.reign, settings.forecasting.horizon_sessions
    model, stored = load_reigning(reign, MODEL_FEATURES, horizon, forecaster, store)
    rows = known[known["date"] > pd.Timestamp(str(stored.content["trained_as_of"]))]
    values = feature_values(reign.subject, rows[list(MODEL_FEATURES)])
    key = {
        "ticker": reign.subject,
        "window": pd.Timestamp(reign.window.start),
        "model": forecaster.name,
    }
    return prediction_rows(
        key,
        rows["date"].to_numpy(dtype="datetime64[us]"),
        model.predict(MODEL_FEATURES, values),
        stored.content,
        stored.model_sha256,
    ).assign(role=version.role)


def _is_in(dates: pd.Series, window: Window) -> np.ndarray:
    return ((dates >= pd.Timestamp(window.start)) & (dates < pd.Timestamp(window.end))).to_numpy()
