"""Models for tasks: recalled where the store holds them, fitted and kept where it does not.

Fitting one fold belongs to `forecasting.fitting`, processes to `core.parallel`.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing

from odyssey_assets.core.collaborators import ModelStore, StoredModel
from odyssey_assets.core.made_anew import find_whole
from odyssey_assets.core.parallel import run_tasks
from odyssey_assets.forecasting.fitting import FoldForecast, FoldTask, fit_fold, recall_fold
from odyssey_assets.forecasting.history import TickerHistory
from odyssey_assets.forecasting.run_log import RunLog
from odyssey_assets.forecasting.tabulation import DoneFold

Progress = Callable[[int, int], None]
Name = tuple[str, ...]


def make_models(
    tasks: Sequence[FoldTask],
    histories: Mapping[str, TickerHistory],
    workers: int | None,
    store: ModelStore,
    log: RunLog,
    progress: Progress | None = None,
) -> list[DoneFold]:
    """Return each task's model and what it says of its test part, in no particular order.

    A stored model is verified and used again. One that has been altered is never loaded and never
    removed: the same model is fitted anew and kept beside it, under a name that says so. The
    models are the same whatever the number of processes and the order in which fits end.

    Args:
        tasks: What to make.
        histories: By ticker, of every ticker among the tasks.
        workers: Processes at most; None for one a core.
        store: Keeps the models.
        log: Takes in what is fitted.
        progress: Called with (models fitted, models to fit) after each fit.

    Raises:
        ModelError: A model cannot be stored, or one made anew has been altered too.
        TrainingError: A process that fits models died.
    """
    done: list[DoneFold] = []
    missing: list[tuple[FoldTask, Name]] = []
    for task in tasks:
        name, stored = find_whole(store, task.name_parts)
        if stored is None:
            missing.append((task, name))
        else:
            history = histories[task.ticker]
            said = recall_fold(history, task, stored)
            done.append(_done(task, history, said, name, stored))
    return done + _fit(missing, histories, workers, store, log, progress)


def _fit(
    missing: Sequence[tuple[FoldTask, Name]],
    histories: Mapping[str, TickerHistory],
    workers: int | None,
    store: ModelStore,
    log: RunLog,
    progress: Progress | None,
) -> list[DoneFold]:
    ordered = sorted(missing, key=lambda one: _longest_first(one[0]))
    tasks = [task for task, _ in ordered]
    done: list[DoneFold] = []
    with closing(run_tasks(fit_fold, histories, tasks, workers)) as results:
        for position, (forecast, payload) in results:
            task, name = ordered[position]
            run_id = log.run_id(task.ticker)
            stored = store.save(name, payload, forecast.content, {"mlflow_run_id": run_id})
            done.append(_done(task, histories[task.ticker], forecast, name, stored))
            log.add(done[-1])
            if progress is not None:
                progress(len(done), len(ordered))
    return done


def _longest_first(task: FoldTask) -> tuple[float, Name]:
    return -task.forecaster.relative_cost * len(task.fold.train), task.name_parts


def _done(
    task: FoldTask, history: TickerHistory, forecast: FoldForecast, name: Name, stored: StoredModel
) -> DoneFold:
    run_id = stored.provenance["mlflow_run_id"]
    return DoneFold(
        history,
        task.fold,
        forecast,
        name,
        stored.model_sha256,
        None if run_id is None else str(run_id),
    )
