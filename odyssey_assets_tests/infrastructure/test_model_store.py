import json
import multiprocessing
import os
import shutil
import stat
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from odyssey_assets.errors import ModelError
from odyssey_assets.infrastructure.model_store import (
    KEY_FILE,
    KEY_VARIABLE,
    MANIFEST,
    PAYLOAD,
    SIGNATURE,
    ModelStore,
    StoredModel,
)

NAME = ("xgboost", "^GSPC", "2024-01-01", "0123456789abcdef")
PAYLOAD_BYTES = bytes(range(256))
CONTENT = {"seed": 42, "width": 0.1, "importance": [{"feature": "f", "gain": 1.5}], "none": None}


@pytest.fixture(autouse=True)
def _no_key_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(KEY_VARIABLE, raising=False)


def _save(store: ModelStore, run: str | None = "run-1") -> StoredModel:
    return store.save(NAME, PAYLOAD_BYTES, CONTENT, {"mlflow_run_id": run})


def _save_in_a_process(folder: Path, start: "multiprocessing.synchronize.Barrier") -> str:
    start.wait()
    return _save(ModelStore(folder), str(os.getpid())).model_sha256


def test_model_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    saved = _save(ModelStore(tmp_path))
    loaded = ModelStore(tmp_path).load(NAME)
    assert loaded == saved == ModelStore(tmp_path).find(NAME)
    assert loaded.payload == PAYLOAD_BYTES
    assert loaded.content == CONTENT
    assert loaded.provenance["mlflow_run_id"] == "run-1"
    assert loaded.provenance["library_versions"]["xgboost"]
    assert {"created_at", "git_commit"} <= set(loaded.provenance)


def test_hash_says_what_the_model_is_and_not_where_or_when(tmp_path: Path) -> None:
    one = _save(ModelStore(tmp_path / "one"), "run-1")
    two = _save(ModelStore(tmp_path / "two"), None)
    assert one.model_sha256 == two.model_sha256
    assert one.provenance != two.provenance
    store = ModelStore(tmp_path / "three")
    other_content = store.save(("a",), PAYLOAD_BYTES, {**CONTENT, "seed": 43}, {})
    other_payload = store.save(("b",), PAYLOAD_BYTES + b"!", CONTENT, {})
    assert len({one.model_sha256, other_content.model_sha256, other_payload.model_sha256}) == 3


def test_model_that_was_never_saved_is_not_found(tmp_path: Path) -> None:
    assert ModelStore(tmp_path).find(NAME) is None
    with pytest.raises(ModelError, match="cannot be read"):
        ModelStore(tmp_path).load(NAME)


@pytest.mark.parametrize("file", [PAYLOAD, MANIFEST, SIGNATURE])
def test_any_changed_byte_is_refused(tmp_path: Path, file: str) -> None:
    path = _save(ModelStore(tmp_path)).folder / file
    original = path.read_bytes()
    for position in (0, len(original) // 2, len(original) - 1):
        changed = bytearray(original)
        changed[position] ^= 1
        path.write_bytes(changed)
        for read in (ModelStore(tmp_path).load, ModelStore(tmp_path).find):
            with pytest.raises(ModelError, match="does not carry this home's signature"):
                read(NAME)


@pytest.mark.parametrize(
    "alter", [lambda data: data[:-1], lambda data: data[:0], lambda data: data * 2]
)
def test_half_written_model_is_refused(tmp_path: Path, alter: Callable[[bytes], bytes]) -> None:
    path = _save(ModelStore(tmp_path)).folder / PAYLOAD
    path.write_bytes(alter(path.read_bytes()))
    with pytest.raises(ModelError, match="has been altered"):
        ModelStore(tmp_path).load(NAME)


@pytest.mark.parametrize("file", [PAYLOAD, MANIFEST, SIGNATURE])
def test_missing_file_is_refused(tmp_path: Path, file: str) -> None:
    (_save(ModelStore(tmp_path)).folder / file).unlink()
    with pytest.raises(ModelError, match=rf"cannot be read.*{file}.*Delete the folder"):
        ModelStore(tmp_path).find(NAME)


def test_bytes_moved_between_manifest_and_payload_are_refused(tmp_path: Path) -> None:
    folder = _save(ModelStore(tmp_path)).folder
    manifest, payload = (folder / name for name in (MANIFEST, PAYLOAD))
    whole = manifest.read_bytes() + payload.read_bytes()
    cut = len(manifest.read_bytes()) - 1
    manifest.write_bytes(whole[:cut])
    payload.write_bytes(whole[cut:])
    with pytest.raises(ModelError, match="signature"):
        ModelStore(tmp_path).load(NAME)


def test_rightly_signed_model_in_the_place_of_another_is_refused(tmp_path: Path) -> None:
    store = ModelStore(tmp_path)
    moved = _save(store).folder
    moved.rename(tmp_path / "moved")
    with pytest.raises(ModelError, match=r"holds the model xgboost/\^GSPC"):
        store.load(("moved",))


def test_model_signed_with_another_key_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEY_VARIABLE, "a key of some length")
    _save(ModelStore(tmp_path))
    assert not (tmp_path / KEY_FILE).exists()
    assert ModelStore(tmp_path).find(NAME) is not None
    monkeypatch.setenv(KEY_VARIABLE, "another key of length")
    with pytest.raises(ModelError, match="another key"):
        ModelStore(tmp_path).load(NAME)


def test_short_key_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY_VARIABLE, "short")
    with pytest.raises(ModelError, match=f"{KEY_VARIABLE} has 5 bytes; at least 16"):
        _save(ModelStore(tmp_path))


def test_key_file_is_random_and_for_its_owner_only(tmp_path: Path) -> None:
    for name in ("one", "two"):
        _save(ModelStore(tmp_path / name))
        mode = stat.S_IMODE((tmp_path / name / KEY_FILE).stat().st_mode)
        assert mode == 0o600
    assert (tmp_path / "one" / KEY_FILE).read_bytes() != (tmp_path / "two" / KEY_FILE).read_bytes()


def test_saving_again_keeps_the_first_model(tmp_path: Path) -> None:
    store = ModelStore(tmp_path)
    _save(store, "first")
    assert _save(store, "second").provenance["mlflow_run_id"] == "first"


def test_processes_that_save_at_once_agree_on_one_model_and_one_key(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    with context.Manager() as manager, ProcessPoolExecutor(2, context) as pool:
        start = manager.Barrier(2)
        hashes = list(pool.map(_save_in_a_process, [tmp_path] * 2, [start] * 2))
    assert hashes == [ModelStore(tmp_path).load(NAME).model_sha256] * 2
    assert sorted(path.name for path in tmp_path.iterdir()) == [KEY_FILE, "xgboost"]


def test_rename_that_loses_the_race_keeps_the_winner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = ModelStore(tmp_path)
    _save(store, "winner")
    is_there, target = Path.is_dir, tmp_path.joinpath(*NAME)
    answers = [False]
    monkeypatch.setattr(
        Path, "is_dir", lambda path: answers.pop() if path == target and answers else is_there(path)
    )
    assert _save(store, "loser").provenance["mlflow_run_id"] == "winner"


def test_failed_save_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_args: object) -> None:
        raise OSError(28, "No space left on device")

    store = ModelStore(tmp_path)
    _save(store)
    monkeypatch.setattr(Path, "rename", full)
    with pytest.raises(ModelError, match=r"a/b cannot be written .* No space left .* disk space"):
        store.save(("a", "b"), PAYLOAD_BYTES, CONTENT, {})
    assert not list(tmp_path.glob(".saving-*"))
    assert store.find(("a", "b")) is None


@pytest.mark.parametrize("name", [(), ("..",), ("a", "b/c"), ("",), ("a", "."), ("x\n",)])
def test_name_that_is_no_path_is_refused(tmp_path: Path, name: tuple[str, ...]) -> None:
    with pytest.raises(ModelError, match="is no name of a model"):
        ModelStore(tmp_path).find(name)


def test_names_are_listed_in_order_below_a_prefix(tmp_path: Path) -> None:
    store = ModelStore(tmp_path)
    assert store.names(("a",)) == ()
    for name in (("a", "c"), ("a", "b"), ("ab", "c"), ("d",)):
        store.save(name, PAYLOAD_BYTES, CONTENT, {})
    assert store.names(("a",)) == (("a", "b"), ("a", "c"))
    assert store.names(("d",)) == (("d",),)


@pytest.mark.parametrize("file", [PAYLOAD, MANIFEST, SIGNATURE])
def test_name_of_a_model_that_lacks_a_file_is_listed_so_that_reading_it_is_refused(
    tmp_path: Path, file: str
) -> None:
    store = ModelStore(tmp_path)
    (_save(store).folder / file).unlink()
    assert store.names(NAME[:1]) == (NAME,)


def test_removed_model_is_gone_and_others_stay(tmp_path: Path) -> None:
    store = ModelStore(tmp_path)
    _save(store)
    other = store.save(("xgboost", "other"), PAYLOAD_BYTES, CONTENT, {})
    for _ in range(2):  # removing what is not there does nothing
        store.remove(NAME)
        assert store.find(NAME) is None
        assert store.names(("xgboost",)) == (("xgboost", "other"),)
    assert store.find(("xgboost", "other")) == other
    assert sorted(path.name for path in tmp_path.iterdir()) == [KEY_FILE, "xgboost"]
    _save(store)
    assert store.find(NAME) is not None


def test_model_removed_by_another_process_during_a_search_is_not_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = ModelStore(tmp_path)
    folder = _save(store).folder
    is_there, removing = Path.is_dir, [True]

    def look(path: Path) -> bool:
        answer = is_there(path)
        if path == folder and removing:
            removing.clear()
            shutil.rmtree(folder)
        return answer

    monkeypatch.setattr(Path, "is_dir", look)
    assert store.find(NAME) is None


def test_removal_that_fails_names_the_folder_and_keeps_the_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = ModelStore(tmp_path)
    _save(store)

    def refuse(*_args: object) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", refuse)
        with pytest.raises(ModelError, match=r"cannot be removed .* Permission denied"):
            store.remove(NAME)
    assert store.find(NAME) is not None
    assert not list(tmp_path.glob(".removing-*"))


def test_manifest_is_canonical_json(tmp_path: Path) -> None:
    manifest = (_save(ModelStore(tmp_path)).folder / MANIFEST).read_bytes()
    read = json.loads(manifest)
    assert json.dumps(read, sort_keys=True, separators=(",", ":")).encode() == manifest
    assert read["name"] == list(NAME)
