"""Walk-forward training: from stored features and labels to out-of-sample forecasts.

Plans the folds of each ticker, has their models made, and turns what they say into rows. Making
models belongs to `forecasting.making`, who serves which session to `forecasting.serving`, rows to
`forecasting.tabulation`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pandas as pd

from odyssey_assets.core.collaborators import ModelStore, Tracker
from odyssey_assets.core.reigns import Reign
from odyssey_assets.core.windows import Window
from odyssey_assets.features.catalog import MODEL_FEATURES
from odyssey_assets.forecasting.catalog import build_forecasters
from odyssey_assets.forecasting.fitting import FoldTask, plan_task
from odyssey_assets.forecasting.folds import plan_folds
from odyssey_assets.forecasting.history import TickerHistory, build_histories
from odyssey_assets.forecasting.making import Progress, make_models
from odyssey_assets.forecasting.run_log import RunLog
from odyssey_assets.forecasting.serving import serve
from odyssey_assets.forecasting.tables import PREDICTIONS
from odyssey_assets.forecasting.tabulation import Forecasts, SkippedFold, tabulate
from odyssey_assets.settings import Settings


def forecast_windows(
    features: pd.DataFrame,
    labels: pd.DataFrame,
    bars: pd.DataFrame,
    windows_by_ticker: Mapping[str, Sequence[Window]],
    settings: Settings,
    store: ModelStore,
    tracker: Tracker | None,
    progress: Progress | None = None,
    *,
    reigns: Sequence[Reign] = (),
    stored: pd.DataFrame | None = None,
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
        reigns: Who serves in the place of a window's own model, in the order of decision.
        stored: Rows of `forecasting.predictions` as they were made; those of a reigning model
            that can no longer be loaded are kept.

    Returns:
        Rows for the windows asked for only, as the contracts of `forecasting` want them. Folds
        describe each window's own model; forecasts are those of whoever served.

    Raises:
        ContractError: The tables do not belong together.
        ModelError: A model cannot be stored, or was altered again after it was made anew.
        SettingsError: An unknown model is configured.
        TrainingError: A process that fits models died.
    """
    tickers = sorted(windows_by_ticker)
    horizon = settings.forecasting.horizon_sessions
    histories = build_histories(features, labels, bars, tickers, MODEL_FEATURES, horizon)
    tasks, skipped = _plan(histories, windows_by_ticker, settings)
    with RunLog(tracker, settings, bars) as log:
        done = make_models(tasks, histories, settings.workers, store, log, progress)
    own = tabulate(done, skipped, horizon, settings.costs.proportional)
    kept = PREDICTIONS.empty() if stored is None else stored
    forecasters = build_forecasters(settings)
    served = serve(own.predictions, done, reigns, forecasters, store, kept)
    return replace(own, predictions=served)


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
