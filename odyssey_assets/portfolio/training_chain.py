"""Carries out chains of trainings: recalls the models there are, trains the others, keeps each.

Runs inside worker processes; what is shared and what comes in can be pickled. Each model is stored
as soon as it is there, and each training goes on from its last checkpoint, so a chain that was cut
short loses little. Which chains there are belongs to `portfolio.training_plan`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from odyssey_assets.core.collaborators import ModelStore, StoredModel
from odyssey_assets.core.windows import Window
from odyssey_assets.errors import TrainingError
from odyssey_assets.portfolio.checkpoint_store import CheckpointStore
from odyssey_assets.portfolio.market import PortfolioMarket
from odyssey_assets.portfolio.training_log import Listener
from odyssey_assets.portfolio.training_plan import Chain, Training
from odyssey_assets.settings import Settings

EarlierModels = Mapping[tuple[Window, int], Sequence[str]]
"""Names of models that runs before this one selected, by window and seed."""


@dataclass(frozen=True, eq=False)
class Workshop:
    """What all chains share.

    Attributes:
        market: Prices and forecasts of all sessions; each training sees its own rows only.
        settings: Hyperparameters, limits and costs.
        store: Keeps models and checkpoints.
        earlier: Models of windows before the run, to start from.
        tensorboard_dir: Where TensorBoard finds scalars; None: nowhere.
        listeners: Who hears of each chain, by its seed; empty where nobody does.
    """

    market: PortfolioMarket
    settings: Settings
    store: ModelStore
    earlier: EarlierModels
    tensorboard_dir: Path | None
    listeners: Mapping[int, Listener]


def recall_chain(workshop: Workshop, chain: Chain) -> list[tuple[Training, StoredModel]]:
    """Return the models of the chain that are in the store, up to the first that is not.

    Raises:
        ModelError: A stored model has been altered.
        TrainingError: The model to start from is not known.
    """
    found: list[tuple[Training, StoredModel]] = []
    for training in chain.trainings:
        warm_start = _warm_start(workshop, training, found)
        stored = workshop.store.find(training.name_parts(_sha256(warm_start)))
        if stored is None:
            break
        found.append((training, stored))
    return found


def train_chain(workshop: Workshop, chain: Chain) -> int:
    """Train what is missing of the chain, in its order; return how many models that were.

    Raises:
        ModelError: A stored model or checkpoint was altered or has another shape, or one cannot
            be written.
        TrainingError: The model to start from is not known, or a training met numbers that are
            not finite.
    """
    done = recall_chain(workshop, chain)
    missing = chain.trainings[len(done) :]
    for training in missing:
        warm_start = _warm_start(workshop, training, done)
        stored = workshop.store.find(training.name_parts(_sha256(warm_start)))
        if stored is None:
            stored = _train(workshop, training, warm_start)
        done.append((training, stored))
    return len(missing)


def _train(workshop: Workshop, training: Training, warm_start: StoredModel | None) -> StoredModel:
    # Loads for seconds, and is not needed where every model is recalled.
    from odyssey_assets.portfolio.ppo_training import train_policy

    listener = workshop.listeners[training.seed]
    run_id = listener.begin(training)
    name = training.name_parts(_sha256(warm_start))
    checkpoints = CheckpointStore(workshop.store, training, _sha256(warm_start))
    log_dir = workshop.tensorboard_dir
    trained = train_policy(
        training.spans.cut(workshop.market),
        training,
        workshop.settings,
        None if warm_start is None else (warm_start.model_sha256, warm_start.payload),
        checkpoints,
        None if log_dir is None else log_dir / training.window.key / f"seed-{training.seed}",
        listener.say,
    )
    stored = workshop.store.save(name, trained.payload, trained.content, {"mlflow_run_id": run_id})
    checkpoints.discard()
    listener.end(training, name)
    return stored


def _warm_start(
    workshop: Workshop, training: Training, done: Sequence[tuple[Training, StoredModel]]
) -> StoredModel | None:
    """Return the model that the training starts from; None: it starts from nothing."""
    before = training.starts_from
    if before is None:
        return None
    for earlier, stored in done:
        if earlier.window == before:
            return stored
    name = workshop.earlier.get((before, training.seed))
    stored_before = None if name is None else workshop.store.find(name)
    if stored_before is None:
        raise TrainingError(
            f"The policy of {training.label} goes on from that of {before.key}, which is not "
            f"stored. Materialize portfolio.policies for {before.key} first, or for both in one "
            "run."
        )
    return stored_before


def _sha256(model: StoredModel | None) -> str | None:
    return None if model is None else model.model_sha256
