import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from odyssey_assets.core.hashing import hash_frame
from odyssey_assets.core.made_anew import MADE_ANEW
from odyssey_assets.errors import TrainingError
from odyssey_assets.infrastructure.model_store import PAYLOAD, ModelStore
from odyssey_assets.portfolio.checkpoint_store import FOLDER
from odyssey_assets.portfolio.learned import learned_contenders
from odyssey_assets.portfolio.tables import POLICIES, TRAINING_CURVES
from odyssey_assets.portfolio.training import train_windows
from odyssey_assets.portfolio.training_table import Trained
from odyssey_assets.settings import build_settings
from odyssey_assets_tests.portfolio.small_training import (
    NEWEST,
    WINDOWS,
    small_market,
    tiny_settings,
    train,
)
from odyssey_assets_tests.recording_tracker import RecordingTracker

MARKET, SETTINGS = small_market(), tiny_settings()
ROOT = Path(__file__).resolve().parents[2]


def hashes(trained: Trained) -> tuple[str, str]:
    """Return what the rows say but for when and where."""
    return (
        hash_frame(trained.policies, POLICIES.content_columns),
        hash_frame(trained.training_curves, TRAINING_CURVES.content_columns),
    )


def together(parts: Sequence[Trained]) -> Trained:
    return Trained(
        POLICIES.conform(pd.concat([part.policies for part in parts])),
        TRAINING_CURVES.conform(pd.concat([part.training_curves for part in parts])),
    )


def checkpoints(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / FOLDER).iterdir())


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> ModelStore:
    return ModelStore(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def tracker() -> RecordingTracker:
    return RecordingTracker()


@pytest.fixture(scope="module")
def trained(store: ModelStore, tracker: RecordingTracker) -> Trained:
    """Return the rows of all windows, trained at once in this process."""
    return train(store, MARKET, SETTINGS, tracker=tracker)


def test_every_window_has_a_row_and_the_newest_one_a_seed(trained: Trained) -> None:
    found = trained.policies[["window", "seed", "status", "is_main_seed"]]
    keys = found["window"].dt.strftime("%Y-%m-%d")
    assert list(zip(keys, *(found[name] for name in found.columns[1:]), strict=True)) == [
        ("2015-01-01", 42, "skipped", True),
        ("2015-07-01", 42, "skipped", True),
        ("2016-01-01", 42, "trained", True),
        ("2016-07-01", 42, "trained", True),
        ("2017-01-01", 42, "trained", True),
        ("2017-01-01", 43, "trained", False),
    ]
    assert POLICIES.conform(trained.policies).equals(trained.policies)
    assert TRAINING_CURVES.conform(trained.training_curves).equals(trained.training_curves)


def test_steps_and_warm_starts_follow_the_chain(trained: Trained) -> None:
    rows = trained.policies[trained.policies["status"] == "trained"]
    main, other = rows[rows["is_main_seed"]], rows[~rows["is_main_seed"]]
    assert main["steps"].tolist() == [512, 256, 256]
    assert main["warm_start_sha256"].tolist()[1:] == main["model_sha256"].tolist()[:-1]
    assert pd.isna(main["warm_start_sha256"].iloc[0])
    assert other["steps"].tolist() == [512]
    assert other["warm_start_sha256"].isna().all()
    assert (rows["threads"] == 1).all()


def test_each_training_has_its_run_in_the_tracker(
    trained: Trained, tracker: RecordingTracker
) -> None:
    runs = trained.policies["mlflow_run_id"].dropna()
    assert set(runs) == set(tracker.tags) == set(tracker.metrics)
    assert len(runs) == 4
    assert tracker.failed == []


def test_windows_one_run_at_a_time_give_the_same_as_all_at_once(
    trained: Trained, tmp_path: Path
) -> None:
    store, parts, earlier = ModelStore(tmp_path), [], POLICIES.empty()
    for window in WINDOWS:
        parts.append(train(store, MARKET, SETTINGS, (window,), earlier))
        earlier = together(parts).policies
    assert hashes(together(parts)) == hashes(trained)


def test_two_processes_give_the_same_as_one(trained: Trained, tmp_path: Path) -> None:
    said: list[str] = []
    settings = SETTINGS.model_copy(update={"workers": 2})
    tracker = RecordingTracker()
    both = train(ModelStore(tmp_path), MARKET, settings, tracker=tracker, progress=said.append)
    assert hashes(both) == hashes(trained)
    assert len(said) == len(trained.training_curves)
    assert set(both.policies["mlflow_run_id"].dropna()) == set(tracker.tags)
    assert all(tracker.metrics[run] for run in tracker.tags)
    assert checkpoints(tmp_path) == []


def test_stored_models_are_verified_and_used_again(
    trained: Trained, store: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_args: object, **_options: object) -> None:
        pytest.fail("a stored model was trained again")

    monkeypatch.setattr("odyssey_assets.portfolio.training.run_tasks", refuse)
    again = train(store, MARKET, SETTINGS)
    pd.testing.assert_frame_equal(again.policies, trained.policies)
    pd.testing.assert_frame_equal(again.training_curves, trained.training_curves)


def test_altered_models_are_trained_anew_and_the_rows_name_those(
    trained: Trained, store: ModelStore, tmp_path: Path
) -> None:
    copy = ModelStore(Path(shutil.copytree(store.folder, tmp_path / "models")))
    tracker, rows = RecordingTracker(), trained.policies
    altered = rows[rows["is_main_seed"]].dropna(subset="model_name")["model_name"].iloc[[0, 2]]
    for name in altered:
        (copy.folder / name / PAYLOAD).write_bytes(b"another")
    again = train(copy, MARKET, SETTINGS, tracker=tracker)
    is_altered = rows["model_name"].isin(altered)
    named = rows["model_name"].where(~is_altered, rows["model_name"] + MADE_ANEW)
    assert again.policies["model_name"].equals(named)
    same = [name for name in POLICIES.content_columns if name != "model_name"]
    pd.testing.assert_frame_equal(again.policies[same], rows[same])
    pd.testing.assert_frame_equal(again.training_curves, trained.training_curves)
    assert set(again.policies.loc[is_altered, "mlflow_run_id"]) == set(tracker.tags)
    assert tracker.failed == []
    assert all((copy.folder / name / PAYLOAD).read_bytes() == b"another" for name in altered)
    pd.testing.assert_frame_equal(train(copy, MARKET, SETTINGS).policies, again.policies)


def test_newest_window_is_recalled_where_the_model_before_was_altered(
    trained: Trained, store: ModelStore, tmp_path: Path
) -> None:
    copy = ModelStore(Path(shutil.copytree(store.folder, tmp_path / "models")))
    rows = trained.policies
    before = rows[rows["window"] == "2016-07-01"]["model_name"].item()
    (copy.folder / before / PAYLOAD).write_bytes(b"another")
    newest = train(copy, MARKET, SETTINGS, (NEWEST,), rows).policies
    own = rows[rows["window"] == "2017-01-01"].reset_index(drop=True)
    pd.testing.assert_frame_equal(newest, own)


def test_restated_history_is_learned_anew_and_an_equal_one_is_not(
    trained: Trained, store: ModelStore
) -> None:
    before = len(list(store.folder.rglob(PAYLOAD)))
    close = MARKET.panel.close.copy()
    close[300, 0] *= 1.01  # in the half year that validates 2016-07-01
    restated = replace(MARKET, panel=replace(MARKET.panel, close=close))
    rows = train(store, restated, SETTINGS).policies
    same = rows["data_sha256"].eq(trained.policies["data_sha256"])
    assert rows.loc[same, "window"].dt.strftime("%Y-%m-%d").tolist() == ["2016-01-01"]
    assert rows.loc[same, "model_sha256"].equals(trained.policies.loc[same, "model_sha256"])
    assert len(list(store.folder.rglob(PAYLOAD))) == before + 3


def test_closed_window_keeps_the_seeds_that_an_older_window_has(
    trained: Trained, store: ModelStore
) -> None:
    rows = train(store, MARKET, SETTINGS, (WINDOWS[3],), trained.policies).policies
    assert rows["seed"].tolist() == [42]
    later = NEWEST.shift(1)
    closed = train_windows(MARKET, (NEWEST,), later, trained.policies, SETTINGS, store, None)
    assert closed.policies["seed"].tolist() == [42]


def test_trained_rows_become_contenders(trained: Trained, store: ModelStore) -> None:
    main, other = learned_contenders(trained.policies, store, SETTINGS)
    assert (main.seed, other.seed) == (42, 43)


@pytest.mark.parametrize("chosen", [("equal_weight",), ("buy_and_hold", "momentum")])
def test_no_learned_policy_gives_empty_tables(tmp_path: Path, chosen: tuple[str, ...]) -> None:
    settings = build_settings(tickers=("T00", "T01"), proxy="T00", portfolio={"policies": chosen})
    trained = train(ModelStore(tmp_path), MARKET, settings)
    assert trained.policies.equals(POLICIES.empty())
    assert trained.training_curves.equals(TRAINING_CURVES.empty())


def test_market_without_forecasts_gives_skipped_windows(tmp_path: Path) -> None:
    trained = train(ModelStore(tmp_path), small_market(first_forecast=10_000), SETTINGS)
    assert trained.policies["status"].eq("skipped").all()
    assert trained.policies["reason"].str.startswith("no forecasts before").all()
    assert len(trained.policies) == len(WINDOWS)
    assert trained.training_curves.empty
    assert not (tmp_path / "policies").exists()


def test_missing_window_before_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        TrainingError, match=r"Materialize portfolio\.policies for 2016-01-01 first"
    ):
        train(ModelStore(tmp_path), MARKET, SETTINGS, WINDOWS[3:4])


@pytest.mark.parametrize("workers", [1, 2])
def test_training_that_fails_stores_nothing_and_its_run_is_marked(
    tmp_path: Path, workers: int
) -> None:
    tracker = RecordingTracker()
    settings = tiny_settings(learning_rate=1e30).model_copy(update={"workers": workers})
    with pytest.raises(TrainingError, match=r"Lower portfolio\.ppo\.learning_rate"):
        train(ModelStore(tmp_path), MARKET, settings, tracker=tracker)
    assert not (tmp_path / "policies").exists()
    assert set(tracker.failed) == set(tracker.tags) != set()


def test_interrupted_run_keeps_what_was_trained_and_goes_on(
    trained: Trained, tmp_path: Path
) -> None:
    tracker, said = RecordingTracker(), []

    def stop(message: str) -> None:
        said.append(message)
        if message.startswith("2016-07-01 seed 42: 256"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(ModelStore(tmp_path), MARKET, SETTINGS, tracker=tracker, progress=stop)
    first, second = tracker.tags
    assert tracker.failed == [second]
    rest: list[str] = []
    again = train(ModelStore(tmp_path), MARKET, SETTINGS, tracker=tracker, progress=rest.append)
    assert rest[0].startswith("2016-07-01 seed 42: 256 of 256")
    assert hashes(again) == hashes(trained)
    assert first in set(again.policies["mlflow_run_id"])


TRAIN = """
import os, signal, sys
from pathlib import Path
from odyssey_assets.core.hashing import hash_frame
from odyssey_assets.infrastructure.model_store import ModelStore
from odyssey_assets.portfolio.tables import POLICIES, TRAINING_CURVES
from odyssey_assets_tests.portfolio.small_training import small_market, tiny_settings, train

folder, workers, end = sys.argv[1:]

def say(message):
    print(message, flush=True)
    if end and end in message:
        os.kill(os.getpid(), signal.SIGKILL)

settings = tiny_settings().model_copy(update={"workers": int(workers)})
done = train(ModelStore(Path(folder)), small_market(), settings, progress=say)
print([name for name in ("torch", "stable_baselines3", "onnx") if name in sys.modules])
print(hash_frame(done.policies, POLICIES.content_columns))
print(hash_frame(done.training_curves, TRAINING_CURVES.content_columns))
"""


def process(folder: Path, workers: int, end: str = "") -> subprocess.Popen[str]:
    """Start training all windows in another process, which kills itself at a message."""
    return subprocess.Popen(
        [sys.executable, "-c", TRAIN, str(folder), str(workers), end],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


def lines_of(ended: subprocess.Popen[str], code: int = 0) -> list[str]:
    """Return what a process said until its end."""
    said, errors = ended.communicate(timeout=120)
    assert ended.returncode == code, errors
    return said.splitlines()


def test_nothing_slow_is_imported_where_every_model_is_recalled(
    trained: Trained, store: ModelStore
) -> None:
    assert lines_of(process(store.folder, 2)) == ["[]", *hashes(trained)]


@pytest.mark.parametrize(("workers", "end"), [(1, " 256 of 512"), (2, "42: 128 of 256")])
def test_killed_run_goes_on_from_its_last_checkpoint_and_ends_with_the_same_bytes(
    trained: Trained, tmp_path: Path, workers: int, end: str
) -> None:
    killed = lines_of(process(tmp_path, workers, end), -signal.SIGKILL)
    assert end in killed[-1]
    assert len(killed) < len(trained.training_curves)
    again = lines_of(process(tmp_path, workers))
    assert again[-2:] == list(hashes(trained))
    if workers == 1:
        assert again[0] == killed[-1]
    assert checkpoints(tmp_path) == []


def test_two_runs_at_once_do_not_disturb_each_other(trained: Trained, tmp_path: Path) -> None:
    both = [process(tmp_path, 1) for _ in range(2)]
    for one in both:
        assert lines_of(one)[-2:] == list(hashes(trained))
    assert checkpoints(tmp_path) == []
