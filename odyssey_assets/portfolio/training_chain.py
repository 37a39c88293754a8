"""Carries out chains of trainings: recalls the models there are, trains the others, keeps each.

Runs inside worker processes; what is shared and what comes in can be pickled. Each model is stored
as soon as it is there, and each training goes on from its last checkpoint, so a chain that was cut
short loses little. Which chains there are belongs to `portfolio.training_plan`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from odyssey_assets.core.collaborators import ModelStore, StoredModel
from odyssey_assets.core.made_anew import find_whole
from odyssey_assets.core.windows import Window
from odyssey_assets.errors import TrainingError
from odyssey_assets.portfolio.checkpoint_store import CheckpointStore
from odyssey_assets.portfolio.market import PortfolioMarket
from odyssey_assets.portfolio.training_log import Listener
from odyssey_assets.portfolio.training_plan import Chain, Training
from odyssey_assets.settings import Settings


@dataclass(frozen=True)
class EarlierModel:
    """A model that a run before this one selected.

    Attributes:
        name_parts: Its name in the store.
        model_sha256: Its SHA-256, which is known even where its file was lost.
    """

    name_parts: Sequence[str]
    model_sha256: str


EarlierModels = Mapping[tuple[Window, int], EarlierModel]
"""By window and seed."""


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

    An altered model is never loaded: the training whose model was made anew in its place says so.

    Raises:
        ModelError: A model that was made anew has been altered too.
        TrainingError: The model to start from is not known.
    """
    found: list[tuple[Training, StoredModel]] = []
    for training in chain.trainings:
        kept, stored = _find(workshop, training, _start_of(workshop, training, found))
        if stored is None:
            break
        found.append((kept, stored))
    return found


def train_chain(workshop: Workshop, chain: Chain) -> int:
    """Train what is missing of the chain, in its order; return how many models that were.

    Raises:
        ModelError: A model that was made anew or a checkpoint was altered, a model has another
            shape, or one cannot be written.
        TrainingError: The model to start from is not known or not stored, or a training met
            numbers that are not finite.
    """
    done = recall_chain(workshop, chain)
    missing = chain.trainings[len(done) :]
    for training in missing:
        start = _start_of(workshop, training, done)
        kept, stored = _find(workshop, training, start)
        if stored is None:
            stored = _train(workshop, kept, _warm_start(workshop, kept, start))
        done.append((kept, stored))
    return len(missing)


def _find(
    workshop: Workshop, training: Training, start: EarlierModel | None
) -> tuple[Training, StoredModel | None]:
    """Return the training as its model is kept, or is to be kept, and the model."""
    planned = training.name_parts(_sha256(start))
    name, stored = find_whole(workshop.store, planned)
    return replace(training, is_made_anew=name != planned), stored


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
        None if log_dir is None else log_dir.joinpath(*training.log_parts),
        listener.say,
    )
    stored = workshop.store.save(name, trained.payload, trained.content, {"mlflow_run_id": run_id})
    checkpoints.discard()
    listener.end(training, name)
    return stored


def _start_of(
    workshop: Workshop, training: Training, done: Sequence[tuple[Training, StoredModel]]
) -> EarlierModel | None:
    """Return which model the training starts from; None: it starts from nothing."""
    before = training.starts_from
    if before is None:
        return None
    for earlier, stored in done:
        if earlier.window == before:
            start = stored.content["warm_start_sha256"]
            name = earlier.name_parts(None if start is None else str(start))
            return EarlierModel(name, stored.model_sha256)
    known = workshop.earlier.get((before, training.seed))
    if known is None:
        raise _not_stored(training, before)
    return known


def _warm_start(
    workshop: Workshop, training: Training, start: EarlierModel | None
) -> StoredModel | None:
    """Return the model that the training starts from, whole; None: it starts from nothing."""
    if start is None or training.starts_from is None:
        return None
    _, stored = find_whole(workshop.store, start.name_parts)
    if stored is None or stored.model_sha256 != start.model_sha256:
        raise _not_stored(training, training.starts_from)
    return stored


def _not_stored(training: Training, before: Window) -> TrainingError:
    return TrainingError(
        f"The policy of {training.label} goes on from that of {before.key}, which is not stored. "
        f"Materialize portfolio.policies for {before.key} first, or for both in one run."
    )


def _sha256(model: EarlierModel | StoredModel | None) -> str | None:
    return None if model is None else model.model_sha256
