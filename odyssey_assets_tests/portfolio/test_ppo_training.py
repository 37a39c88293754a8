import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import (  # type: ignore[import-untyped]  # has no stubs
    EventAccumulator,
)

from odyssey_assets.errors import ModelError, TrainingError
from odyssey_assets.infrastructure.model_store import ModelStore
from odyssey_assets.portfolio.checkpoint_store import CheckpointStore
from odyssey_assets.portfolio.market import PortfolioMarket
from odyssey_assets.portfolio.policies.ppo import PPOPolicy
from odyssey_assets.portfolio.ppo_training import TrainedPolicy, train_policy
from odyssey_assets.settings import Settings
from odyssey_assets_tests.portfolio.small_learner import learner
from odyssey_assets_tests.portfolio.small_training import (
    first_training,
    small_market,
    tiny_settings,
)

MARKET = small_market()
SETTINGS = tiny_settings()
# One message a point of the curve: of a first training, and of one with a warm start.
FIRST_STEPS, LATER_STEPS = [128, 256, 384, 512], [0, 128, 256]


class Messages(list[str]):
    """Collects messages; raises Ctrl-C instead of taking in number `stop`."""

    def __init__(self, stop: int | None = None) -> None:
        self._stop = stop

    def __call__(self, message: str) -> None:
        if len(self) == self._stop:
            raise KeyboardInterrupt
        self.append(message)


def run(
    folder: Path,
    warm_start: tuple[str, bytes] | None = None,
    say: Messages | None = None,
    *,
    market: PortfolioMarket = MARKET,
    settings: Settings = SETTINGS,
    log_dir: Path | None = None,
) -> TrainedPolicy:
    training = first_training(market, settings, 0 if warm_start is None else 1)
    start = None if warm_start is None else warm_start[0]
    checkpoints = CheckpointStore(ModelStore(folder), training, start)
    seen = training.spans.cut(market)
    return train_policy(seen, training, settings, warm_start, checkpoints, log_dir, say)


def steps_of(trained: TrainedPolicy) -> list[int]:
    return [point["steps"] for point in trained.content["curve"]]


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> TrainedPolicy:
    return run(tmp_path_factory.mktemp("first"))


@pytest.fixture(scope="module")
def later(first: TrainedPolicy, tmp_path_factory: pytest.TempPathFactory) -> TrainedPolicy:
    return run(tmp_path_factory.mktemp("later"), ("sha", first.payload))


def test_first_training_is_measured_at_every_checkpoint_and_a_later_one_before_it_too(
    first: TrainedPolicy, later: TrainedPolicy
) -> None:
    assert steps_of(first) == FIRST_STEPS
    assert steps_of(later) == LATER_STEPS
    assert [point["mean_reward"] is None for point in later.content["curve"]] == [
        True,
        False,
        False,
    ]
    assert first.content["warm_start_sha256"] is None
    assert later.content["warm_start_sha256"] == "sha"


def test_warm_start_itself_is_the_chosen_policy_of_the_training_before(
    first: TrainedPolicy, later: TrainedPolicy, tmp_path: Path
) -> None:
    settings = tiny_settings(steps_per_window=64, learning_rate=1e-12)
    still = run(tmp_path, ("sha", first.payload), settings=settings)
    start, end = still.content["curve"]
    assert start["validation_sharpe"] == later.content["curve"][0]["validation_sharpe"]
    assert end["validation_return"] == pytest.approx(start["validation_return"], abs=1e-6)


def test_steps_are_whole_rollouts_and_checkpoints_come_at_their_ends(tmp_path: Path) -> None:
    trained = run(tmp_path, settings=tiny_settings(first_steps=500, checkpoint_steps=100))
    assert steps_of(trained) == [128, 256, 320, 448, 512]
    assert trained.content["steps_taken"] == 512


def test_best_checkpoint_on_validation_comes_out(first: TrainedPolicy, tmp_path: Path) -> None:
    curve = first.content["curve"]
    best = max(curve, key=lambda point: point["validation_sharpe"])
    assert first.content["selected_steps"] == best["steps"]
    # A training that ends there has the same weights.
    alone = run(tmp_path, settings=tiny_settings(first_steps=best["steps"]))
    assert alone.content["curve"][-1] == best
    if alone.content["selected_steps"] == best["steps"]:
        assert alone.payload == first.payload
    PPOPolicy(first.payload, 2, 0.2)


def test_mean_reward_is_that_of_the_steps_since_the_point_before(
    first: TrainedPolicy, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    rewards: list[np.ndarray] = []
    environment = type(learner(MARKET, SETTINGS)[0].env)
    step = environment.step_wait

    def noted(self: object) -> object:
        answer = step(self)  # type: ignore[arg-type]
        rewards.append(np.array(answer[1], dtype=np.float64))
        return answer

    monkeypatch.setattr(environment, "step_wait", noted)
    run(tmp_path)
    means = np.array(rewards).reshape(4, -1).mean(axis=1)
    found = [point["mean_reward"] for point in first.content["curve"]]
    np.testing.assert_allclose(found, means, rtol=1e-12)


def test_same_training_gives_the_same_bytes_and_another_seed_others(
    first: TrainedPolicy, tmp_path: Path
) -> None:
    assert run(tmp_path / "again") == first
    other = run(tmp_path / "other", settings=SETTINGS.model_copy(update={"seed": 43}))
    assert other.payload != first.payload


@pytest.mark.parametrize("stop", range(len(FIRST_STEPS)))
def test_interrupted_training_goes_on_from_its_last_checkpoint_and_ends_the_same(
    first: TrainedPolicy, tmp_path: Path, stop: int
) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, say=Messages(stop))
    rest = Messages()
    assert run(tmp_path, say=rest) == first
    assert len(rest) == len(FIRST_STEPS) - stop


@pytest.mark.parametrize("stop", range(len(LATER_STEPS)))
def test_interrupted_warm_started_training_ends_the_same(
    first: TrainedPolicy, later: TrainedPolicy, tmp_path: Path, stop: int
) -> None:
    start = ("sha", first.payload)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, start, Messages(stop))
    assert run(tmp_path, start) == later


def test_training_interrupted_again_and_again_ends_the_same(
    first: TrainedPolicy, tmp_path: Path
) -> None:
    for _ in FIRST_STEPS[:-1]:
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path, say=Messages(1))
    assert run(tmp_path) == first


def test_messages_say_how_far_and_how_good(tmp_path: Path) -> None:
    said = Messages()
    trained = run(tmp_path, settings=tiny_settings(first_steps=500), say=said)
    point = trained.content["curve"][1]
    assert said[1] == (
        f"2016-01-01 seed 42: 256 of 500 steps, reward {point['mean_reward']:.3f}, "
        f"validation Sharpe {point['validation_sharpe']:.2f}"
    )
    assert said[-1].startswith("2016-01-01 seed 42: 512 of 512 steps")


def test_generators_and_threads_of_the_process_stay_as_they_were(tmp_path: Path) -> None:
    random.seed(5)
    np.random.seed(5)  # noqa: NPY002 (stable-baselines3 seeds this one)
    torch.manual_seed(5)
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    before = random.random(), np.random.random(), torch.rand(1)  # noqa: NPY002
    random.seed(5)
    np.random.seed(5)  # noqa: NPY002
    torch.manual_seed(5)
    trained = run(tmp_path, settings=tiny_settings(first_steps=64))
    assert (random.random(), np.random.random(), torch.rand(1)) == before  # noqa: NPY002
    assert torch.get_num_threads() == 2
    assert trained.content["threads"] == 1
    torch.set_num_threads(threads)


def test_policy_that_never_trades_has_no_sharpe_ratio_and_is_still_a_policy(
    tmp_path: Path,
) -> None:
    market = small_market(1, listed_from={0: 599})
    market = replace(market, forecasts=MARKET.forecasts[:, :1])
    said = Messages()
    trained = run(tmp_path, settings=tiny_settings(1), market=market, say=said)
    assert [point["validation_sharpe"] for point in trained.content["curve"]] == [None] * 4
    assert trained.content["selected_steps"] == 128
    assert said[0].endswith("validation Sharpe none")


@pytest.mark.parametrize("forecast", [0.0, 0.01])
def test_one_ticker_with_forecasts_that_are_all_equal_is_learned_from(
    tmp_path: Path, forecast: float
) -> None:
    market = small_market(1)
    market = replace(market, forecasts=np.full_like(market.forecasts, forecast))
    trained = run(tmp_path, settings=tiny_settings(1), market=market)
    assert np.isfinite([point["validation_return"] for point in trained.content["curve"]]).all()


def _with_broken_interest(row: int) -> PortfolioMarket:
    cash_return = MARKET.panel.cash_return.copy()
    cash_return[row] = np.nan
    return replace(MARKET, panel=replace(MARKET.panel, cash_return=cash_return))


@pytest.mark.parametrize(
    ("market", "settings"),
    [
        (_with_broken_interest(50), SETTINGS),
        (_with_broken_interest(150), SETTINGS),
        (MARKET, tiny_settings(learning_rate=1e30)),
    ],
    ids=["broken_row_to_learn_from", "broken_row_to_validate_on", "absurd_learning_rate"],
)
def test_numbers_that_are_not_finite_stop_the_training_with_advice(
    tmp_path: Path, market: PortfolioMarket, settings: Settings
) -> None:
    with pytest.raises(
        TrainingError,
        match=r"2016-01-01 seed 42 met .*No model was stored\. Lower portfolio\.ppo\.learning_rate",
    ):
        run(tmp_path, market=market, settings=settings)


def test_full_disk_at_a_checkpoint_is_a_clear_error_and_the_training_can_go_on(
    first: TrainedPolicy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_args: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        with pytest.raises(ModelError, match=r"checkpoints/.* No space left .* free disk space"):
            run(tmp_path)
    assert run(tmp_path) == first


def test_warm_start_of_another_shape_is_refused(first: TrainedPolicy, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="has another shape"):
        run(tmp_path, ("sha", first.payload), settings=tiny_settings(hidden_units=(9, 9)))


@pytest.fixture(scope="module")
def scalars(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EventAccumulator]:
    """Return what TensorBoard reads after an interrupted training has come to its end."""
    folder = tmp_path_factory.mktemp("tensorboard")
    with pytest.raises(KeyboardInterrupt):
        run(folder / "store", say=Messages(2), log_dir=folder / "logs")
    run(folder / "store", log_dir=folder / "logs")
    events = EventAccumulator(str(folder / "logs"))
    events.Reload()
    return events


def test_tensorboard_shows_reward_validation_and_losses_by_step(
    scalars: EventAccumulator, first: TrainedPolicy
) -> None:
    tags = scalars.Tags()["scalars"]
    assert {"reward/mean", "validation/sharpe", "train/loss", "train/approx_kl"} <= set(tags)
    found = {event.step: event.value for event in scalars.Scalars("validation/sharpe")}
    expected = {point["steps"]: point["validation_sharpe"] for point in first.content["curve"]}
    assert found.keys() == expected.keys()
    assert list(found.values()) == pytest.approx(list(expected.values()), rel=1e-6)


def test_log_folder_that_cannot_be_made_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(TrainingError, match=r"TensorBoard logs cannot be written to .*file"):
        run(tmp_path / "store", log_dir=tmp_path / "file" / "logs")
