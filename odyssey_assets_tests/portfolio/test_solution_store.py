"""Solutions between runs: exact, bounded to what was asked for, and refused when altered."""

from pathlib import Path

import numpy as np
import pytest

from odyssey_assets.errors import ModelError
from odyssey_assets.infrastructure.model_store import PAYLOAD, ModelStore
from odyssey_assets.portfolio.policies.solutions import Solutions
from odyssey_assets.portfolio.solution_store import FOLDER, load_solutions, save_solutions

RETURNS = np.random.default_rng(1).normal(size=(20, 3))
AWKWARD = np.array([0.1 + 0.2, 5e-324, 1 / 3])


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path)


def ask(solutions: Solutions, *names: str) -> list[np.ndarray]:
    return [solutions.weights({"kind": name}, RETURNS, lambda: AWKWARD.copy()) for name in names]


def never() -> np.ndarray:
    raise AssertionError("solved again")


def test_what_was_solved_is_recalled_to_the_bit(store: ModelStore) -> None:
    solutions = load_solutions(store)
    ask(solutions, "a")
    save_solutions(store, solutions)
    recalled = load_solutions(store).weights({"kind": "a"}, RETURNS, never)
    assert recalled.tobytes() == AWKWARD.tobytes()


def test_run_that_asks_the_same_writes_nothing(store: ModelStore) -> None:
    moments = []
    for _ in range(2):
        solutions = load_solutions(store)
        ask(solutions, "a", "b")
        save_solutions(store, solutions)
        (name,) = store.names((FOLDER,))
        moments.append((store.folder.joinpath(*name) / PAYLOAD).stat().st_mtime_ns)
    assert moments[0] == moments[1]


def test_what_is_no_longer_asked_for_is_let_go(store: ModelStore) -> None:
    for names in (("a", "b"), ("b", "c")):
        solutions = load_solutions(store)
        ask(solutions, *names)
        save_solutions(store, solutions)
    assert len(store.names((FOLDER,))) == 1
    left = load_solutions(store)
    left.weights({"kind": "b"}, RETURNS, never)
    left.weights({"kind": "c"}, RETURNS, never)
    with pytest.raises(AssertionError, match="solved again"):
        left.weights({"kind": "a"}, RETURNS, never)


def test_run_without_questions_leaves_no_entry(store: ModelStore) -> None:
    save_solutions(store, load_solutions(store))
    assert store.names((FOLDER,)) == ()


def test_altered_solutions_are_refused(store: ModelStore) -> None:
    solutions = load_solutions(store)
    ask(solutions, "a")
    save_solutions(store, solutions)
    (name,) = store.names((FOLDER,))
    file = store.folder.joinpath(*name) / PAYLOAD
    file.write_bytes(file.read_bytes().replace(b"0.3", b"0.9"))
    with pytest.raises(ModelError, match="altered"):
        load_solutions(store)
