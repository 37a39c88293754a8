import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from odyssey_assets.core.made_anew import MADE_ANEW
from odyssey_assets.core.windows import Window
from odyssey_assets.errors import ModelError, TrainingError
from odyssey_assets.infrastructure.model_store import PAYLOAD, ModelStore
from odyssey_assets.portfolio.checkpoint_store import FOLDER
from odyssey_assets.portfolio.training_chain import (
    EarlierModel,
    EarlierModels,
    Workshop,
    recall_chain,
    train_chain,
)
from odyssey_assets.portfolio.training_log import Listener
from odyssey_assets.portfolio.training_plan import Chain, Training, plan_chains
from odyssey_assets.portfolio.window_plans import plan_windows
from odyssey_assets_tests.portfolio.small_training import (
    NEWEST,
    WINDOWS,
    small_market,
    tiny_settings,
)

MARKET, SETTINGS = small_market(), tiny_settings()
CHAIN = plan_chains(MARKET, plan_windows(MARKET, WINDOWS, 1), NEWEST, SETTINGS)[0]


@dataclass
class Ear:
    """Hears everything and keeps it."""

    heard: list[str] = field(default_factory=list)

    def begin(self, training: Training) -> str:
        self.heard.append(f"begin {training.label}")
        return f"run of {training.label}"

    def say(self, message: str) -> None:
        self.heard.append(f"say {message}")

    def end(self, training: Training, name_parts: Sequence[str]) -> None:
        self.heard.append(f"end {training.label} as {name_parts[-2]}")


def workshop(
    folder: Path, earlier: EarlierModels | None = None, ear: Ear | None = None
) -> Workshop:
    listeners: Mapping[int, Listener] = {} if ear is None else {42: ear}
    return Workshop(MARKET, SETTINGS, ModelStore(folder), earlier or {}, None, listeners)


def part(start: int, stop: int) -> Chain:
    return replace(CHAIN, trainings=CHAIN.trainings[start:stop])


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Ear]:
    """Return a store in which the chain has been trained, and who heard of it."""
    folder, ear = tmp_path_factory.mktemp("chain"), Ear()
    assert recall_chain(workshop(folder), CHAIN) == []
    assert train_chain(workshop(folder, ear=ear), CHAIN) == 3
    return folder, ear


def test_each_training_starts_from_the_model_before(trained: tuple[Path, Ear]) -> None:
    found = recall_chain(workshop(trained[0]), CHAIN)
    assert [training for training, _ in found] == list(CHAIN.trainings)
    starts = [stored.content["warm_start_sha256"] for _, stored in found]
    assert starts == [None, *(stored.model_sha256 for _, stored in found[:-1])]


def test_listener_hears_begin_and_end_of_each_training_and_names_its_run(
    trained: tuple[Path, Ear],
) -> None:
    folder, ear = trained
    labels = [training.label for training in CHAIN.trainings]
    told = [line for line in ear.heard if not line.startswith("say ")]
    assert told == [
        line for label in labels for line in (f"begin {label}", f"end {label} as seed-42")
    ]
    for training, stored in recall_chain(workshop(folder), CHAIN):
        assert stored.provenance["mlflow_run_id"] == f"run of {training.label}"


def test_finished_training_leaves_no_checkpoints(trained: tuple[Path, Ear]) -> None:
    assert list((trained[0] / FOLDER).iterdir()) == []


def test_trained_chain_is_recalled_without_training(trained: tuple[Path, Ear]) -> None:
    assert train_chain(workshop(trained[0]), CHAIN) == 0  # nobody listens: a training would fail


def test_chain_in_parts_equals_the_chain_at_once(trained: tuple[Path, Ear], tmp_path: Path) -> None:
    names: dict[tuple[Window, int], EarlierModel] = {}
    for number, training in enumerate(CHAIN.trainings):
        alone = workshop(tmp_path, names, Ear())
        assert train_chain(alone, part(number, number + 1)) == 1
        ((_, stored),) = recall_chain(alone, part(number, number + 1))
        start = stored.content["warm_start_sha256"]
        name = training.name_parts(None if start is None else str(start))
        names[training.window, 42] = EarlierModel(name, stored.model_sha256)
    for model in names.values():
        one, two = (ModelStore(folder).load(model.name_parts) for folder in (tmp_path, trained[0]))
        assert one.model_sha256 == two.model_sha256
        assert one.payload == two.payload


def test_window_whose_predecessor_is_not_stored_says_what_to_do(tmp_path: Path) -> None:
    expected = (
        r"2016-07-01 seed 42 goes on from that of 2016-01-01, which is not stored\. Materialize "
        r"portfolio\.policies for 2016-01-01 first"
    )
    with pytest.raises(TrainingError, match=expected):
        recall_chain(workshop(tmp_path), part(1, 3))
    gone = {(CHAIN.trainings[0].window, 42): EarlierModel(("policies", "removed"), "0" * 64)}
    with pytest.raises(TrainingError, match=expected):
        train_chain(workshop(tmp_path, gone), part(1, 3))


def alter(folder: Path, name: Sequence[str]) -> None:
    payload = folder.joinpath(*name, PAYLOAD)
    payload.write_bytes(payload.read_bytes() + b"!")


def names_of(folder: Path) -> list[tuple[str, ...]]:
    return [
        training.name_parts(_text(stored.content["warm_start_sha256"]))
        for training, stored in recall_chain(workshop(folder), CHAIN)
    ]


def _text(value: object) -> str | None:
    return None if value is None else str(value)


@pytest.mark.parametrize("number", range(3))
def test_altered_model_is_never_loaded_and_the_same_one_is_trained_anew_beside_it(
    number: int, trained: tuple[Path, Ear], tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(trained[0], tmp_path / "copy"))
    before = names_of(folder)
    alter(folder, before[number])
    assert len(recall_chain(workshop(folder), CHAIN)) == number
    assert train_chain(workshop(folder, ear=Ear()), CHAIN) == 3 - number
    after = names_of(folder)
    anew = (*before[number][:-1], before[number][-1] + MADE_ANEW)
    assert after == [*before[:number], anew, *before[number + 1 :]]
    with pytest.raises(ModelError, match="does not carry this home's signature"):
        ModelStore(folder).load(before[number])
    for name, old in zip(after, before, strict=True):
        one, two = ModelStore(folder).load(name), ModelStore(trained[0]).load(old)
        assert (one.model_sha256, one.payload) == (two.model_sha256, two.payload)
    assert train_chain(workshop(folder), CHAIN) == 0


def test_model_that_was_altered_a_second_time_is_refused(
    trained: tuple[Path, Ear], tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(trained[0], tmp_path / "copy"))
    alter(folder, CHAIN.trainings[0].name_parts(None))
    train_chain(workshop(folder, ear=Ear()), CHAIN)
    alter(folder, names_of(folder)[0])
    with pytest.raises(ModelError, match=f"{MADE_ANEW} does not carry this home's signature"):
        train_chain(workshop(folder, ear=Ear()), CHAIN)


def earlier_of(folder: Path) -> EarlierModels:
    """Return what the chain before its newest window left, as the table names it."""
    before = recall_chain(workshop(folder), part(0, 2))
    return {
        (training.window, 42): EarlierModel(name, stored.model_sha256)
        for (training, stored), name in zip(before, names_of(folder)[:2], strict=True)
    }


def test_window_is_recalled_whatever_became_of_the_model_it_went_on_from(
    trained: tuple[Path, Ear], tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(trained[0], tmp_path / "copy"))
    earlier = earlier_of(folder)
    newest = recall_chain(workshop(folder, earlier), part(2, 3))
    name = earlier[CHAIN.trainings[1].window, 42].name_parts
    alter(folder, name)
    assert recall_chain(workshop(folder, earlier), part(2, 3)) == newest
    ModelStore(folder).remove(name)
    assert recall_chain(workshop(folder, earlier), part(2, 3)) == newest


def test_training_goes_on_from_the_one_made_anew_and_from_no_other(
    trained: tuple[Path, Ear], tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(trained[0], tmp_path / "copy"))
    earlier, store = earlier_of(folder), ModelStore(folder)
    (_, before), name = recall_chain(workshop(folder), CHAIN)[2], names_of(folder)[2]
    start = earlier[CHAIN.trainings[1].window, 42]
    whole = store.load(start.name_parts)
    alter(folder, start.name_parts)
    store.remove(name)
    lost = r"goes on from that of 2016-07-01, which is not stored"
    with pytest.raises(TrainingError, match=lost):
        train_chain(workshop(folder, earlier, Ear()), part(2, 3))
    anew = (*start.name_parts[:-1], start.name_parts[-1] + MADE_ANEW)
    store.save(anew, b"another", whole.content, {})
    with pytest.raises(TrainingError, match=lost):
        train_chain(workshop(folder, earlier, Ear()), part(2, 3))
    store.remove(anew)
    store.save(anew, whole.payload, whole.content, {})
    assert train_chain(workshop(folder, earlier, Ear()), part(2, 3)) == 1
    assert store.load(name).model_sha256 == before.model_sha256
