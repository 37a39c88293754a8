from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from odyssey_assets.errors import ModelError
from odyssey_assets.infrastructure.model_store import PAYLOAD, ModelStore, StoredModel
from odyssey_assets.portfolio.checkpoint_store import FOLDER, CheckpointStore
from odyssey_assets_tests.portfolio.small_training import (
    NEWEST,
    first_training,
    small_market,
    tiny_settings,
)

TRAINING = first_training(small_market(), tiny_settings())
ARRAYS: dict[str, np.ndarray] = {
    "network/a.b": np.arange(6, dtype=np.float32).reshape(2, 3),
    "empty": np.zeros(0),
}


def shelf(folder: Path, start: str | None = None, **changes: Any) -> CheckpointStore:
    return CheckpointStore(ModelStore(folder), replace(TRAINING, **changes), start)


def saved(folder: Path, *steps: int) -> CheckpointStore:
    own = shelf(folder)
    for step in steps:
        own.save(step, ARRAYS, {"step": step})
    return own


def folders(path: Path) -> list[Path]:
    return sorted((path / FOLDER).iterdir())


def test_checkpoint_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    found = saved(tmp_path, 128).newest()
    assert found is not None
    arrays, content = found
    assert {name: array.dtype for name, array in arrays.items()} == {
        name: array.dtype for name, array in ARRAYS.items()
    }
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(arrays[name], array)
    assert content["step"] == 128


def test_newest_checkpoint_counts_and_is_the_only_one_kept(tmp_path: Path) -> None:
    own = saved(tmp_path, 512, 1024, 100_000)
    found = own.newest()
    assert found is not None
    assert found[1]["step"] == 100_000
    assert len(folders(tmp_path)) == 1


def test_checkpoint_left_by_a_process_killed_before_tidying_up_loses_to_a_newer_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ModelStore, "remove", lambda *_: None)
    found = saved(tmp_path, 9_984, 10_112).newest()
    assert len(folders(tmp_path)) == 2
    assert found is not None
    assert found[1]["step"] == 10_112


@pytest.mark.parametrize(
    "changes",
    [{"seed": 4}, {"seed": 420}, {"window": NEWEST}, {"identity": {"data_sha256": "other"}}],
)
def test_checkpoint_of_another_training_is_not_found(
    tmp_path: Path, changes: Mapping[str, Any]
) -> None:
    saved(tmp_path, 128)
    assert shelf(tmp_path, **changes).newest() is None
    assert shelf(tmp_path, "started elsewhere").newest() is None


def test_discarding_takes_all_of_the_window_and_seed_and_leaves_others(tmp_path: Path) -> None:
    shelf(tmp_path, seed=4).save(1, ARRAYS, {})
    shelf(tmp_path, identity={"data_sha256": "restated"}).save(1, ARRAYS, {})
    own = saved(tmp_path, 128)
    own.discard()
    assert own.newest() is None
    (left,) = folders(tmp_path)
    assert "-seed-4-" in left.name
    own.discard()  # once more does nothing


def test_tampered_checkpoint_is_refused_and_its_folder_named(tmp_path: Path) -> None:
    own = saved(tmp_path, 128)
    (folder,) = folders(tmp_path)
    payload = folder / PAYLOAD
    changed = bytearray(payload.read_bytes())
    changed[len(changed) // 2] ^= 1
    payload.write_bytes(changed)
    with pytest.raises(ModelError, match=rf"{folder.name} does not carry this home's signature"):
        own.newest()
    assert folder.exists()


def test_checkpoint_that_lacks_a_file_is_refused(tmp_path: Path) -> None:
    own = saved(tmp_path, 128)
    (folder,) = folders(tmp_path)
    (folder / "manifest.json").unlink()
    with pytest.raises(ModelError, match=f"{folder.name} cannot be read"):
        own.newest()


def test_rightly_signed_checkpoint_of_another_training_is_refused(tmp_path: Path) -> None:
    own = saved(tmp_path, 128)
    (folder,) = folders(tmp_path)
    store = ModelStore(tmp_path)
    name = (FOLDER, folder.name)
    stored = store.load(name)
    store.remove(name)
    store.save(name, stored.payload, {**stored.content, "identity": {"window": "another"}}, {})
    with pytest.raises(ModelError, match=rf"training than 2016-01-01 seed 42.*{FOLDER}/"):
        own.newest()


@pytest.mark.parametrize("payload", [b"", b"no archive", np.arange(3).tobytes()])
def test_rightly_signed_payload_that_is_no_archive_is_refused(
    tmp_path: Path, payload: bytes
) -> None:
    own = saved(tmp_path, 128)
    (folder,) = folders(tmp_path)
    store, name = ModelStore(tmp_path), (FOLDER, folder.name)
    content = store.load(name).content
    store.remove(name)
    store.save(name, payload, content, {})
    with pytest.raises(ModelError, match=r"checkpoint cannot be read.*begins anew"):
        own.newest()


def test_pickled_objects_are_not_loaded(tmp_path: Path) -> None:
    own = shelf(tmp_path)
    own.save(128, {"objects": np.array([{"a": 1}], dtype=object)}, {})
    with pytest.raises(ModelError, match=r"cannot be read: .*allow_pickle=False"):
        own.newest()


def test_full_disk_keeps_the_checkpoint_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = saved(tmp_path, 128)

    def full(*_args: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        with pytest.raises(ModelError, match=r"cannot be written .* No space left .* disk space"):
            own.save(256, ARRAYS, {"step": 256})
    found = own.newest()
    assert found is not None
    assert found[1]["step"] == 128


def test_checkpoint_removed_meanwhile_by_another_process_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Vanishing(ModelStore):
        """A store from which another process takes the newest checkpoint at the first look."""

        def find(self, name_parts: Sequence[str]) -> StoredModel | None:
            return None if name_parts[1].endswith("256") else super().find(name_parts)

    monkeypatch.setattr(ModelStore, "remove", lambda *_: None)
    saved(tmp_path, 128, 256)
    found = CheckpointStore(Vanishing(tmp_path), TRAINING, None).newest()
    assert found is not None
    assert found[1]["step"] == 128
