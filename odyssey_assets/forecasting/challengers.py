"""Challengers: models fitted inside a window, from everything known at the close of a session.

Beside each challenger a stand-in can be made by the same recipe from less, so that there are
sessions, their outcome known, which neither it nor the incumbent has seen. What the versions say is
written down by `forecasting.trials`, who serves is decided in `monitoring.promotion`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
import pandas as pd

from odyssey_assets.core.collaborators import ModelStore, Tracker
from odyssey_assets.core.reigns import Reign, reign_at, reigns_in
from odyssey_assets.core.windows import Window, window_of
from odyssey_assets.errors import ModelError
from odyssey_assets.features.catalog import MODEL_FEATURES
from odyssey_assets.forecasting.catalog import default_forecaster
from odyssey_assets.forecasting.fitting import FoldTask, Role, plan_task
from odyssey_assets.forecasting.folds import Fold, plan_challenger, plan_folds
from odyssey_assets.forecasting.history import TickerHistory, build_histories
from odyssey_assets.forecasting.making import make_models
from odyssey_assets.forecasting.models.forecaster import Forecaster
from odyssey_assets.forecasting.run_log import RunLog
from odyssey_assets.forecasting.tables import CHALLENGERS
from odyssey_assets.forecasting.tabulation import DoneFold
from odyssey_assets.settings import Settings

_BOUNDARIES = ("train_start", "train_end", "valid_start", "valid_end", "trained_as_of")
_COUNTS = ("horizon_sessions", "train_rows", "valid_rows")


@dataclass(frozen=True)
class FittedChallengers:
    """What came of a request.

    Attributes:
        challengers: Rows of `forecasting.challengers`, stand-ins included.
        skipped: Why a ticker has no challenger, by ticker.
        without_stand_in: Why a challenger has no stand-in, by ticker.
    """

    challengers: pd.DataFrame
    skipped: Mapping[str, str]
    without_stand_in: Mapping[str, str]


@dataclass(frozen=True)
class _Plan:
    """One ticker's plans; a skipped fold says why there is none."""

    challenger: Fold
    stand_in: Fold


def fit_challengers(
    features: pd.DataFrame,
    labels: pd.DataFrame,
    bars: pd.DataFrame,
    tickers: Sequence[str],
    as_of: date | None,
    reigns: Sequence[Reign],
    settings: Settings,
    store: ModelStore,
    tracker: Tracker | None,
    recorded_at: datetime,
) -> FittedChallengers:
    """Fit a challenger of the default forecaster for each ticker, and a stand-in where it helps.

    Nothing after `as_of` is learned from. The same data give the same models; one that is stored
    already is used again. Stand-ins are made unless challengers are to prove themselves
    (`promotion.mode` shadow).

    Args:
        features: Rows of `features.features` from each ticker's first session on.
        labels: Rows of `features.labels` of the same sessions.
        bars: Rows of `market_data.bars` of the same sessions.
        tickers: Whose model is made anew.
        as_of: Newest day whose data may be seen; None for each ticker's last session.
        reigns: Who serves in the place of a window's own model.
        settings: Forecaster, folds, promotion, seed and number of processes.
        store: Keeps the models.
        tracker: Keeps a record of the runs; None for no record.
        recorded_at: Moment that the rows carry, UTC without time zone.

    Raises:
        ContractError: The tables do not belong together.
        ModelError: A model cannot be stored.
        TrainingError: A process that fits models died.
    """
    asked = sorted(set(tickers))
    horizon = settings.forecasting.horizon_sessions
    histories = build_histories(features, labels, bars, asked, MODEL_FEATURES, horizon)
    forecaster = default_forecaster(settings)
    plans = {
        ticker: _plan(history, as_of, reigns, forecaster.name, settings, store)
        for ticker, history in histories.items()
    }
    tasks = [
        task
        for ticker, plan in plans.items()
        for task in _tasks(histories[ticker], plan, forecaster, settings)
    ]
    with RunLog(tracker, settings, bars) as log:
        done = make_models(tasks, histories, settings.workers, store, log)
    days = {ticker: plan.challenger.trained_as_of for ticker, plan in plans.items()}
    rows = [_row(one, days[one.history.ticker], recorded_at) for one in done]
    return FittedChallengers(
        CHALLENGERS.conform(pd.DataFrame(rows)) if rows else CHALLENGERS.empty(),
        _reasons({ticker: plan.challenger for ticker, plan in plans.items()}),
        _reasons({ticker: plan.stand_in for ticker, plan in plans.items()}),
    )


def _plan(
    history: TickerHistory,
    as_of: date | None,
    reigns: Sequence[Reign],
    model: str,
    settings: Settings,
    store: ModelStore,
) -> _Plan:
    days = history.sessions.astype("datetime64[D]")
    if len(days) == 0:
        return _no_plan(window_of(as_of or date.min), "no session of this ticker is stored")
    challenger = plan_challenger(days, as_of or days[-1].item(), settings.forecasting)
    if challenger.trained_as_of is None:
        return _no_plan(challenger.window, str(challenger.reason))
    [own] = plan_folds(days, [challenger.window], settings.forecasting)
    if own.trained_as_of is None:
        reason = f"its window has no model to challenge: {own.reason}"
        return _no_plan(challenger.window, reason)
    if settings.promotion.mode == "shadow":
        return _Plan(challenger, Fold(challenger.window, reason="the challenger proves itself"))
    of_model = [reign for reign in reigns if reign.model_name[0] == model]
    day = challenger.trained_as_of + timedelta(days=1)
    reign = reign_at(reigns_in(of_model, history.ticker, own.window), day)
    learned = own.trained_as_of if reign is None else _learned_up_to(reign, store)
    return _Plan(challenger, _plan_stand_in(days, challenger, learned, settings))


def _no_plan(window: Window, reason: str) -> _Plan:
    return _Plan(Fold(window, reason=reason), Fold(window, reason="there is no challenger"))


def _plan_stand_in(
    days: np.ndarray, challenger: Fold, incumbent_day: date, settings: Settings
) -> Fold:
    """Plan the newest version that leaves enough sessions, outcomes known, which nobody saw."""
    unseen = settings.promotion.min_unseen_sessions
    # An incumbent of an older window has seen less; a version of this window is fitted inside it.
    seen = max(incumbent_day, challenger.window.start - timedelta(days=1))
    first = int(np.searchsorted(days, np.datetime64(seen, "D"), side="right"))
    last = challenger.test.start - 1 - settings.forecasting.horizon_sessions - unseen
    if last < first:
        return Fold(
            challenger.window,
            reason=(
                f"the incumbent has seen {incumbent_day}, and {unseen} sessions with a known "
                f"outcome after a later one have not passed by {challenger.trained_as_of}"
            ),
        )
    return plan_challenger(days, days[last].item(), settings.forecasting)


def _learned_up_to(reign: Reign, store: ModelStore) -> date:
    """Return the last session that a reigning model has seen.

    One that cannot be read has seen nothing after its reign began.
    """
    try:
        stored = store.find(reign.model_name)
    except ModelError:
        stored = None
    if stored is None:
        return reign.serves_after
    return date.fromisoformat(str(stored.content["trained_as_of"]))


def _tasks(
    history: TickerHistory, plan: _Plan, forecaster: Forecaster, settings: Settings
) -> list[FoldTask]:
    folds: dict[Role, Fold] = {"challenger": plan.challenger, "stand_in": plan.stand_in}
    return [
        plan_task(history, fold, forecaster, settings.forecasting, history.data_sha256(fold), role)
        for role, fold in folds.items()
        if fold.reason is None
    ]


def _row(one: DoneFold, requested: date | None, recorded_at: datetime) -> dict[str, object]:
    content = one.content
    return {
        **one.key,
        "role": content["role"],
        "requested_as_of": pd.Timestamp(str(requested)),
        **{name: pd.Timestamp(content[name]) for name in _BOUNDARIES},
        **{name: content[name] for name in _COUNTS},
        "feature_count": len(content["features"]),
        "valid_information_coefficient": content["valid_information_coefficient"],
        "interval_coverage": content["interval_coverage"],
        "data_sha256": content["data_sha256"],
        "model_name": "/".join(one.model_name),
        "model_sha256": one.model_sha256,
        "mlflow_run_id": one.mlflow_run_id,
        "recorded_at": recorded_at,
    }


def _reasons(folds: Mapping[str, Fold]) -> dict[str, str]:
    return {ticker: fold.reason for ticker, fold in folds.items() if fold.reason is not None}
