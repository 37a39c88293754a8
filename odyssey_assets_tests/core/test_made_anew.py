from pathlib import Path

import pytest

from odyssey_assets.core.made_anew import MADE_ANEW, find_whole
from odyssey_assets.errors import ModelError
from odyssey_assets.infrastructure.model_store import PAYLOAD, ModelStore

NAME = ("kind", "model")
ANEW = ("kind", f"model{MADE_ANEW}")


def store_of(folder: Path, *altered: tuple[str, ...], also: tuple[str, ...] = NAME) -> ModelStore:
    """Return a store of `NAME` and another name; some of their files altered afterwards."""
    store = ModelStore(folder)
    for name in (NAME, also):
        store.save(name, b"payload", {"is": "model"}, {})
    for name in altered:
        folder.joinpath(*name, PAYLOAD).write_bytes(b"another")
    return store


def test_whole_model_is_found_under_its_name(tmp_path: Path) -> None:
    store = store_of(tmp_path, also=ANEW)
    assert find_whole(store, list(NAME)) == (NAME, store.load(NAME))


def test_model_that_is_not_there_is_to_be_kept_under_its_name(tmp_path: Path) -> None:
    assert find_whole(ModelStore(tmp_path), NAME) == (NAME, None)


def test_altered_model_is_to_be_kept_anew_beside_it(tmp_path: Path) -> None:
    assert find_whole(store_of(tmp_path, NAME), NAME) == (ANEW, None)


def test_altered_model_is_stood_in_for_by_the_one_made_anew(tmp_path: Path) -> None:
    store = store_of(tmp_path, NAME, also=ANEW)
    assert find_whole(store, NAME) == (ANEW, store.load(ANEW))


@pytest.mark.parametrize("asked", [NAME, ANEW])
def test_model_that_was_altered_twice_is_refused(asked: tuple[str, ...], tmp_path: Path) -> None:
    store = store_of(tmp_path, NAME, ANEW, also=ANEW)
    with pytest.raises(ModelError, match=f"model{MADE_ANEW} does not carry this home's signature"):
        find_whole(store, asked)
