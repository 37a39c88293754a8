"""Training of the learned policy for a run of windows: from a market to signed models and rows.

Plans the trainings, recalls the models that were trained on the same data before, trains the
others over several processes, and tells whoever waits how it goes. The trainings of one seed
follow each other in one process, seeds run beside each other. One training belongs to
`portfolio.ppo_training`, the plan to `portfolio.training_plan`.
"""

import multiprocessing
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from functools import partial
from pathlib import Path

import pandas as pd

from odyssey_assets.core.collaborators import ModelStore, StoredModel, Tracker
from odyssey_assets.core.parallel import available_cores, run_tasks
from odyssey_assets.core.windows import Window, window_of
from odyssey_assets.portfolio.catalog import chosen_policies
from odyssey_assets.portfolio.checkpoint_store import CheckpointStore
from odyssey_assets.portfolio.market import PortfolioMarket
from odyssey_assets.portfolio.training_chain import (
    EarlierModel,
    EarlierModels,
    Workshop,
    recall_chain,
    train_chain,
)
from odyssey_assets.portfolio.training_log import DistantListener, TrainingLog, answer
from odyssey_assets.portfolio.training_plan import POLICY, Chain, Training, plan_chains
from odyssey_assets.portfolio.training_table import Trained, tabulate
from odyssey_assets.portfolio.window_plans import plan_windows
from odyssey_assets.settings import Settings


def train_windows(
    market: PortfolioMarket,
    windows: Sequence[Window],
    newest: Window,
    earlier: pd.DataFrame,
    settings: Settings,
    store: ModelStore,
    tracker: Tracker | None,
    tensorboard_dir: Path | None = None,
    progress: Callable[[str], None] | None = None,
) -> Trained:
    """Train the policies that decide in these windows.

    A model that the store holds for the same data, settings and start is verified and used again.
    One that has been altered is never loaded and never removed: the same one is trained anew and
    kept beside it, under a name that says so.
    The rows are the same whatever the number of processes, and whether windows are trained in one
    call or one after another. When a call is cut short, what was trained is kept and the next one
    goes on from the last checkpoint.

    Args:
        market: Prices and forecasts of all sessions from the beginning.
        windows: The windows to train for.
        newest: The newest window there is; it gets further seeds.
        earlier: Rows of `portfolio.policies` of windows before; the models they name are gone on
            from.
        settings: Hyperparameters, limits, costs, seed and number of processes.
        store: Keeps models and checkpoints.
        tracker: Keeps a record of the runs; None for no record.
        tensorboard_dir: Folder of TensorBoard logs, one below it a training; None: no logs.
        progress: Called here with a line for people at each checkpoint.

    Returns:
        Rows for these windows only; none where no learned policy competes.

    Raises:
        ModelError: A model that was made anew or a checkpoint was altered, a model has another
            shape, or one cannot be written.
        SettingsError: An unknown policy is configured.
        TrainingError: A window before is not stored, a training met numbers that are not finite,
            or a process died.
    """
    if POLICY not in [entry.name for entry in chosen_policies(settings)]:
        return tabulate([], [], settings.seed)
    plans = plan_windows(market, windows, settings.portfolio.ppo.min_train_windows)
    chains = plan_chains(market, plans, newest, settings)
    workshop = Workshop(market, settings, store, models_of(earlier), tensorboard_dir, {})
    done = carry_out(workshop, chains, tracker, progress)
    return tabulate(done, [plan for plan in plans if plan.spans is None], settings.seed)


def models_of(earlier: pd.DataFrame) -> EarlierModels:
    """Return the models that rows of `portfolio.policies` name."""
    own = earlier[(earlier["policy"] == POLICY) & (earlier["status"] == "trained")]
    return {
        (window_of(row.window.date()), int(row.seed)): EarlierModel(
            tuple(row.model_name.split("/")), row.model_sha256
        )
        for row in own.itertuples()
    }


def carry_out(
    workshop: Workshop,
    chains: Sequence[Chain],
    tracker: Tracker | None,
    progress: Callable[[str], None] | None,
) -> list[tuple[Training, StoredModel]]:
    """Return the model of every training of the chains: recalled, or trained and kept.

    Args:
        workshop: What the chains share; who listens is decided here.
        chains: One a seed.
        tracker: Keeps a record of what is trained; None for no record.
        progress: Called here with a line for people at each checkpoint.

    Raises:
        ModelError, TrainingError: As `train_windows`.
    """
    missing = [
        chain for chain in chains if len(recall_chain(workshop, chain)) < len(chain.trainings)
    ]
    if missing:
        with TrainingLog(tracker, workshop.store, workshop.settings, progress) as log:
            _train(workshop, missing, log)
    done = [one for chain in chains for one in recall_chain(workshop, chain)]
    for training, _ in done:  # a process killed between storing and discarding leaves some
        CheckpointStore(workshop.store, training, None).discard()
    return done


def _train(workshop: Workshop, chains: Sequence[Chain], log: TrainingLog) -> None:
    """Train the chains beside each other, the longest first, as far as there are processes."""
    ordered = sorted(chains, key=lambda chain: -sum(one.steps for one in chain.trainings))
    workers = min(workshop.settings.workers or available_cores(), len(ordered))
    if workers == 1:
        shared = replace(workshop, listeners={chain.seed: log for chain in ordered})
        _run(shared, ordered, workers, lambda: None)
        return
    with ExitStack() as stack:
        pipes = {chain.seed: multiprocessing.Pipe() for chain in ordered}
        for end in (end for pipe in pipes.values() for end in pipe):
            stack.enter_context(end)
        listeners = {seed: DistantListener(far) for seed, (_, far) in pipes.items()}
        shared = replace(workshop, listeners=listeners)
        near = [here for here, _ in pipes.values()]
        _run(shared, ordered, workers, partial(answer, near, log))


def _run(
    workshop: Workshop, chains: Sequence[Chain], workers: int, while_waiting: Callable[[], None]
) -> None:
    results = run_tasks(
        train_chain,
        workshop,
        chains,
        workers,
        min_tasks_a_worker=1,
        is_resumable=True,
        while_waiting=while_waiting,
    )
    with closing(results):
        for _ in results:
            pass
