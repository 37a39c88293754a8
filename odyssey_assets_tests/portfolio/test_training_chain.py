from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from odyssey_assets.core.windows import Window
from odyssey_assets.errors import ModelError, TrainingError
from odyssey_assets.infrastructure.model_store import PAYLOAD, ModelStore
from odyssey_assets.portfolio.checkpoint_store import FOLDER
from odyssey_assets.portfolio.training_chain import (
    EarlierModels,
    Workshop,
    recall_chain,
    train_chain,
)
from odyssey_assets.portfolio.training_log import Listener
from odyssey_assets.portfolio.training_plan import Chain, Training, plan_chains, plan_windows
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
    names: dict[tuple[Window, int], tuple[str, ...]] = {}
    for number, training in enumerate(CHAIN.trainings):
        alone = workshop(tmp_path, names, Ear())
        assert train_chain(alone, part(number, number + 1)) == 1
        ((_, stored),) = recall_chain(alone, part(number, number + 1))
        start = stored.content["warm_start_sha256"]
        names[training.window, 42] = training.name_parts(None if start is None else str(start))
    for name in names.values():
        one, two = ModelStore(tmp_path).load(name), ModelStore(trained[0]).load(name)
        assert one.model_sha256 == two.model_sha256
        assert one.payload == two.payload


def test_window_whose_predecessor_is_not_stored_says_what_to_do(tmp_path: Path) -> None:
    expected = (
        r"2016-07-01 seed 42 goes on from that of 2016-01-01, which is not stored\. Materialize "
        r"portfolio\.policies for 2016-01-01 first"
    )
    with pytest.raises(TrainingError, match=expected):
        recall_chain(workshop(tmp_path), part(1, 3))
    gone = {(CHAIN.trainings[0].window, 42): ("policies", "removed")}
    with pytest.raises(TrainingError, match=expected):
        train_chain(workshop(tmp_path, gone), part(1, 3))


def test_altered_model_is_refused_and_not_trained_again(tmp_path: Path) -> None:
    ear = Ear()
    train_chain(workshop(tmp_path, ear=ear), part(0, 1))
    (payload,) = (tmp_path / "policies").rglob(PAYLOAD)
    payload.write_bytes(payload.read_bytes() + b"!")
    with pytest.raises(ModelError, match="does not carry this home's signature"):
        train_chain(workshop(tmp_path, ear=ear), CHAIN)
