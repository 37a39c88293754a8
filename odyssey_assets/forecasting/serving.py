"""Whose forecast counts at which session of a window: its own model's, or a reigning one's.

A reign is followed for the forecaster that its model is of; other forecasters go on as they are.
Who reigns is decided in `monitoring.promotion`; the window's own forecasts come from
`forecasting.training`.
"""

from collections.abc import Collection, Sequence
from datetime import date

import numpy as np
import pandas as pd

from odyssey_assets.core.collaborators import ModelStore, StoredModel
from odyssey_assets.core.reigns import Reign, reigns_in
from odyssey_assets.errors import ModelError
from odyssey_assets.features.catalog import MODEL_FEATURES
from odyssey_assets.forecasting.catalog import build_forecasters
from odyssey_assets.forecasting.models.forecaster import FittedForecaster, Forecaster
from odyssey_assets.forecasting.tables import PREDICTIONS
from odyssey_assets.forecasting.tabulation import DoneFold, prediction_rows
from odyssey_assets.settings import Settings


def serve(
    own: pd.DataFrame,
    done: Sequence[DoneFold],
    reigns: Sequence[Reign],
    forecasters: Sequence[Forecaster],
    store: ModelStore,
    stored: pd.DataFrame,
) -> pd.DataFrame:
    """Return the windows' forecasts, each made by whoever served the session.

    A reigning model brings its own interval width and the day it had learned up to. Where it
    cannot be loaded, the forecasts it made are kept as they are stored, and the others are left to
    the last model before it that can. The rows depend on the reigns, the models and the sessions'
    features alone: a rebuild of all windows gives what was forecast night by night.

    Args:
        own: Rows of `forecasting.predictions` by the windows' own models.
        done: The windows' own models.
        reigns: In the order of decision; those of other tickers and windows are passed over.
        forecasters: The configured ones.
        store: Holds the models that reign.
        stored: Rows of `forecasting.predictions` as they were made.
    """
    by_name = {forecaster.name: forecaster for forecaster in forecasters}
    served: list[pd.DataFrame] = []
    is_replaced = np.zeros(len(own), dtype=bool)
    for one in done:
        model = str(one.content["model"])
        ruling = ruling_reigns(reigns, model, one)
        if not ruling:
            continue
        is_own = _is_of(own, one)
        served.append(_follow(own[is_own], one, ruling, by_name[model], store, stored))
        is_replaced |= is_own
    if not served:
        return own
    return PREDICTIONS.conform(pd.concat([own[~is_replaced], *served]))


def ruling_reigns(reigns: Sequence[Reign], model: str, one: DoneFold) -> tuple[Reign, ...]:
    """Return the reigns of models of the forecaster `model` in the window of `one`, in order."""
    of_model = [reign for reign in reigns if reign.model_name[0] == model]
    return reigns_in(of_model, one.history.ticker, one.fold.window)


def load_reigning(
    reign: Reign,
    features: Collection[str],
    horizon_sessions: int,
    forecaster: Forecaster,
    store: ModelStore,
) -> tuple[FittedForecaster, StoredModel]:
    """Return the model that a reign names, verified to be what it must be.

    Args:
        reign: Who serves.
        features: Names of the features that are known.
        horizon_sessions: Sessions ahead that are forecast.
        forecaster: The kind of model.
        store: Holds the model.

    Raises:
        ModelError: It is missing, was altered, is another one than was promoted, or cannot
            forecast these sessions.
    """
    name = "/".join(reign.model_name)
    stored = store.find(reign.model_name)
    if stored is None:
        raise ModelError(
            f"The model {name} that serves {reign.subject} after {reign.serves_after} is not in "
            "the model store. Put it back, or roll back to another one."
        )
    if stored.model_sha256 != reign.model_sha256:
        raise ModelError(
            f"The model {name} has SHA-256 {stored.model_sha256}, expected {reign.model_sha256} "
            "as it was promoted: it is another one. Find out who changed it."
        )
    content = stored.content
    expected = {"ticker": reign.subject, "horizon_sessions": horizon_sessions}
    found = {key: content[key] for key in expected}
    if found != expected:
        raise ModelError(f"The model {name} is for {found}, expected {expected}. Retrain {name}.")
    if date.fromisoformat(str(content["trained_as_of"])) > reign.serves_after:
        raise ModelError(
            f"The model {name} has seen data up to {content['trained_as_of']} and cannot serve "
            f"every session after {reign.serves_after}."
        )
    unknown = sorted(set(_names(content["features"])) - set(features))
    if unknown:
        raise ModelError(f"The model {name} uses {unknown}, which are no features any more.")
    return forecaster.load(stored.payload), stored


def unusable_reigns(
    reigns: Sequence[Reign], settings: Settings, store: ModelStore
) -> list[dict[str, str]]:
    """Return ticker, window, model and reason of every reign that cannot be followed.

    Reigns of models of a forecaster that is not configured are passed over: nothing of it serves.
    """
    horizon = settings.forecasting.horizon_sessions
    by_name = {forecaster.name: forecaster for forecaster in build_forecasters(settings)}
    failed = []
    for reign in reigns:
        if reign.model_name[0] not in by_name:
            continue
        try:
            load_reigning(reign, MODEL_FEATURES, horizon, by_name[reign.model_name[0]], store)
        except ModelError as error:
            failed.append(
                {
                    "ticker": reign.subject,
                    "window": reign.window.key,
                    "model": "/".join(reign.model_name),
                    "reason": str(error),
                }
            )
    return failed


def _follow(
    own: pd.DataFrame,
    one: DoneFold,
    ruling: Sequence[Reign],
    forecaster: Forecaster,
    store: ModelStore,
    stored: pd.DataFrame,
) -> pd.DataFrame:
    """Return one window's rows: each reign, in order, takes the sessions after its beginning."""
    rows = own
    for reign in ruling:
        if reign.model_sha256 == one.model_sha256:
            taken = own[own["date"] > pd.Timestamp(reign.serves_after)]
        else:
            taken = _taken(one, reign, forecaster, store, stored)
        rows = pd.concat([rows[~rows["date"].isin(taken["date"])], taken])
    return rows


def _taken(
    one: DoneFold, reign: Reign, forecaster: Forecaster, store: ModelStore, stored: pd.DataFrame
) -> pd.DataFrame:
    history, test = one.history, one.fold.test
    horizon = int(one.content["horizon_sessions"])
    try:
        model, kept = load_reigning(reign, history.features, horizon, forecaster, store)
    except ModelError:
        is_its = _is_of(stored, one) & (stored["model_sha256"] == reign.model_sha256)
        dates = history.sessions[test.rows]
        is_served = (stored["date"] > pd.Timestamp(reign.serves_after)) & stored["date"].isin(dates)
        return stored[is_its & is_served]
    first = np.searchsorted(history.sessions, np.datetime64(reign.serves_after, "us"), side="right")
    served = slice(max(int(first), test.start), test.stop)
    return prediction_rows(
        one.key,
        history.sessions[served],
        model.predict(history.features, history.values[served]),  # noqa: PD011 (no pandas)
        kept.content,
        kept.model_sha256,
    )


def _is_of(predictions: pd.DataFrame, one: DoneFold) -> np.ndarray:
    is_of = np.ones(len(predictions), dtype=bool)
    for column, value in one.key.items():
        is_of &= (predictions[column] == value).to_numpy()
    return is_of & (predictions["horizon"] == one.content["horizon_sessions"]).to_numpy()


def _names(value: object) -> tuple[str, ...]:
    return tuple(value) if isinstance(value, list | tuple) else ()
