"""Walk-forward training: from stored features and labels to out-of-sample forecasts.

Plans the folds of each ticker, recalls the models that were fitted on the same data before, fits
the others over several processes, and keeps each model as soon as it is there. Fitting one fold
belongs to `forecasting.fitting`, processes to `core.parallel`, rows to
`forecasting.tabulation`.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing

import pandas as pd

from odyssey_assets.core.collaborators import ModelStore, StoredModel, Tracker
from odyssey_assets.core.parallel import run_tasks
from odyssey_assets.core.windows import Window
from odyssey_assets.features.catalog import MODEL_FEATURES
from odyssey_assets.forecasting.catalog import build_forecasters
from odyssey_assets.forecasting.fitting import (
    FoldForecast,
    FoldTask,
    fit_fold,
    plan_task,
    recall_fold,
)
from odyssey_assets.forecasting.folds import plan_folds
from odyssey_assets.forecasting.history import TickerHistory, build_histories
from odyssey_assets.forecasting.run_log import RunLog
from odyssey_assets.forecasting.tabulation import DoneFold, Forecasts, SkippedFold, tabulate
from odyssey_assets.settings import Settings

Progress = Callable[[int, int], None]


def forecast_windows(
    features: pd.DataFrame,
    labels: pd.DataFrame,
    bars: pd.DataFrame,
    windows_by_ticker: Mapping[str, Sequence[Window]],
    settings: Settings,
    store: ModelStore,
    tracker: Tracker | None,
    progress: Progress | None = None,
) -> Forecasts:
    """Forecast windows out of sample with every configured model.

    A model that the store holds for the same data and configuration is verified and used again;
    the others are fitted, stored and tracked. The rows are the same whatever the number of
    processes, the order in which fits end, and which models were there before.

    Args:
        features: Rows of `features.features` from each ticker's first session on.
        labels: Rows of `features.labels` of the same sessions.
        bars: Rows of `market_data.bars` of the same sessions.
        windows_by_ticker: The windows to forecast, by ticker.
        settings: Models, folds, costs, seed and number of processes.
        store: Keeps the models.
        tracker: Keeps a record of the runs; None for no record.
        progress: Called with (models fitted, models to fit) after each fit.

    Returns:
        Rows for the windows asked for only, as the contracts of `forecasting` want them.

    Raises:
        ContractError: The tables do not belong together.
        ModelError: A stored model has been altered.
        SettingsError: An unknown model is configured.
        TrainingError: A process that fits models died.
    """
    tickers = sorted(windows_by_ticker)
    horizon = settings.forecasting.horizon_sessions
    histories = build_histories(features, labels, bars, tickers, MODEL_FEATURES, horizon)
    tasks, skipped = _plan(histories, windows_by_ticker, settings)
    done: list[DoneFold] = []
    missing: list[FoldTask] = []
    for task in tasks:
        stored = store.find(task.name_parts)
        if stored is None:
            missing.append(task)
        else:
            history = histories[task.ticker]
            done.append(_done(task, history, recall_fold(history, task, stored), stored))
    with RunLog(tracker, settings, bars) as log:
        done += _fit(missing, histories, settings.workers, store, log, progress)
    return tabulate(done, skipped, horizon, settings.costs.proportional)


def _plan(
    histories: Mapping[str, TickerHistory],
    windows_by_ticker: Mapping[str, Sequence[Window]],
    settings: Settings,
) -> tuple[list[FoldTask], list[SkippedFold]]:
    forecasters = build_forecasters(settings)
    tasks: list[FoldTask] = []
    skipped: list[SkippedFold] = []
    for ticker, history in histories.items():
        folds = plan_folds(history.sessions, windows_by_ticker[ticker], settings.forecasting)
        for fold in folds:
            if fold.reason is not None:
                skipped += [SkippedFold(ticker, model.name, fold) for model in forecasters]
                continue
            data = history.data_sha256(fold)
            tasks += [
                plan_task(history, fold, model, settings.forecasting, data) for model in forecasters
            ]
    return tasks, skipped


def _fit(
    tasks: Sequence[FoldTask],
    histories: Mapping[str, TickerHistory],
    workers: int | None,
    store: ModelStore,
    log: RunLog,
    progress: Progress | None,
) -> list[DoneFold]:
    ordered = sorted(tasks, key=_longest_first)
    done: list[DoneFold] = []
    with closing(run_tasks(fit_fold, histories, ordered, workers)) as results:
        for position, (forecast, payload) in results:
            task = ordered[position]
            stored = store.save(
                task.name_parts,
                payload,
                forecast.content,
                {"mlflow_run_id": log.run_id(task.ticker)},
            )
            done.append(_done(task, histories[task.ticker], forecast, stored))
            log.add(done[-1])
            if progress is not None:
                progress(len(done), len(ordered))
    return done


def _longest_first(task: FoldTask) -> tuple[float, tuple[str, ...]]:
    return -task.forecaster.relative_cost * len(task.fold.train), task.name_parts


def _done(
    task: FoldTask, history: TickerHistory, forecast: FoldForecast, stored: StoredModel
) -> DoneFold:
    run_id = stored.provenance["mlflow_run_id"]
    return DoneFold(
        history, task.fold, forecast, stored.model_sha256, None if run_id is None else str(run_id)
    )
