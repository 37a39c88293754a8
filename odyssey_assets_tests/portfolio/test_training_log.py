import multiprocessing
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from odyssey_assets.infrastructure.model_store import ModelStore
from odyssey_assets.portfolio.training_log import DistantListener, TrainingLog, answer
from odyssey_assets_tests.portfolio.small_training import (
    first_training,
    small_market,
    tiny_settings,
)
from odyssey_assets_tests.recording_tracker import RecordingTracker

SETTINGS = tiny_settings()
TRAINING = first_training(small_market(), SETTINGS)
NAME = ("policies", "ppo", "a")
CONTENT: Mapping[str, Any] = {
    **TRAINING.full_identity(None),
    "steps_taken": 128,
    "selected_steps": 128,
    "threads": 1,
    "curve": [
        {
            "steps": 0,
            "mean_reward": None,
            "validation_sharpe": 0.5,
            "validation_return": 0.1,
            "validation_turnover": 0.2,
        },
        {
            "steps": 128,
            "mean_reward": -0.25,
            "validation_sharpe": None,
            "validation_return": 0.0,
            "validation_turnover": 0.0,
        },
    ],
}


def log_of(folder: Path, tracker: RecordingTracker | None, said: list[str]) -> TrainingLog:
    store = ModelStore(folder)
    store.save(NAME, b"graph", CONTENT, {})
    return TrainingLog(tracker, store, SETTINGS, said.append)


def test_run_of_a_training_holds_its_curve_by_step(tmp_path: Path) -> None:
    tracker = RecordingTracker()
    with log_of(tmp_path, tracker, []) as log:
        run_id = log.begin(TRAINING)
        log.end(TRAINING, NAME)
    assert run_id is not None
    assert tracker.tags[run_id] == {
        "policy": "ppo",
        "window": "2016-01-01",
        "seed": "42",
        "source": "simulated",
        "simulated": "true",
    }
    assert sorted(tracker.metrics[run_id]) == [
        ("mean_reward", -0.25, 128),
        ("validation_return", 0.0, 128),
        ("validation_return", 0.1, 0),
        ("validation_sharpe", 0.5, 0),
        ("validation_turnover", 0.0, 128),
        ("validation_turnover", 0.2, 0),
    ]
    parameters = tracker.parameters[run_id]
    assert parameters["learning_rate"] == SETTINGS.portfolio.ppo.learning_rate
    assert parameters["costs.commission_bps"] == 10.0
    assert parameters["data_sha256"] == TRAINING.identity["data_sha256"]
    assert tracker.failed == []


def test_run_that_is_open_at_an_error_is_closed_as_failed(tmp_path: Path) -> None:
    tracker = RecordingTracker()

    def begin_and_stop() -> None:
        with log_of(tmp_path, tracker, []) as log:
            log.begin(TRAINING)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        begin_and_stop()
    assert tracker.failed == list(tracker.tags)
    assert len(tracker.failed) == 1


def test_nothing_is_recorded_without_a_tracker(tmp_path: Path) -> None:
    said: list[str] = []
    with log_of(tmp_path, None, said) as log:
        assert log.begin(TRAINING) is None
        log.say("half way")
        log.end(TRAINING, NAME)
    assert said == ["half way"]


def test_nobody_needs_to_wait(tmp_path: Path) -> None:
    TrainingLog(None, ModelStore(tmp_path), SETTINGS, None).say("half way")


def test_distant_listeners_are_heard_in_the_order_of_each_line(tmp_path: Path) -> None:
    tracker = RecordingTracker()
    said: list[str] = []
    pipes = [multiprocessing.Pipe() for _ in range(2)]
    near = [here for here, _ in pipes]
    found: dict[int, str | None] = {}

    def trains(number: int) -> None:
        listener = DistantListener(pipes[number][1])
        found[number] = listener.begin(TRAINING)
        listener.say(f"{number} half way")
        listener.say(f"{number} there")
        listener.end(TRAINING, NAME)

    threads = [threading.Thread(target=trains, args=(number,)) for number in range(2)]
    with log_of(tmp_path, tracker, said) as log:
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            answer(near, log)
        answer(near, log)
    assert sorted(found) == [0, 1]
    assert set(found.values()) == set(tracker.tags)
    for number in range(2):
        own = [message for message in said if message.startswith(str(number))]
        assert own == [f"{number} half way", f"{number} there"]
    for pipe in pipes:
        for end in pipe:
            end.close()


def test_listener_without_a_tracker_gets_no_run(tmp_path: Path) -> None:
    here, there = multiprocessing.Pipe()
    log = log_of(tmp_path, None, [])
    found: list[str | None] = ["not answered"]
    thread = threading.Thread(
        target=lambda: found.__setitem__(0, DistantListener(there).begin(TRAINING))
    )
    thread.start()
    while thread.is_alive():
        answer([here], log)
    assert found == [None]
    here.close()
    there.close()
