import json
import random
from typing import Any

import numpy as np
import pytest
import torch
from stable_baselines3 import PPO

from odyssey_assets.errors import ModelError
from odyssey_assets.portfolio.checkpoints import Measured, capture, restore
from odyssey_assets.portfolio.training_curve import CurvePoint
from odyssey_assets.portfolio.training_ground import TrainingGround
from odyssey_assets_tests.portfolio.small_learner import learner
from odyssey_assets_tests.portfolio.small_training import (
    STEPS_A_ROLLOUT,
    small_market,
    tiny_settings,
)

MEASURED = Measured((CurvePoint(64, 1 / 3, None, -0.1, 0.2),), b"best")
State = tuple[dict[str, np.ndarray], dict[str, Any]]


def fresh(tickers: int = 2, **ppo: Any) -> tuple[TrainingGround, PPO]:
    return learner(small_market(tickers), tiny_settings(tickers, **ppo))


def captured_after(steps: int) -> tuple[TrainingGround, PPO, State]:
    """Learn, and return the state with its content as JSON gives it back."""
    ground, model = learner(small_market(), tiny_settings(), steps)
    arrays, content = capture(model, ground.env, MEASURED)
    return ground, model, (arrays, json.loads(json.dumps(content)))


def assert_equal_states(one: State, two: State) -> None:
    assert one[1] == two[1]
    assert set(one[0]) == set(two[0])
    for name, array in one[0].items():
        np.testing.assert_array_equal(array, two[0][name], err_msg=name)
        assert array.dtype == two[0][name].dtype, name


def learned_on(ground: TrainingGround, model: PPO) -> State:
    """Return the state after three more rollouts."""
    model.learn(3 * STEPS_A_ROLLOUT, reset_num_timesteps=False)
    return capture(model, ground.env, MEASURED)


def test_restored_state_is_the_captured_one() -> None:
    _, _, state = captured_after(4 * STEPS_A_ROLLOUT)
    ground, model = fresh()
    assert restore(model, ground.env, *state) == MEASURED
    assert_equal_states(capture(model, ground.env, MEASURED), state)


def test_restored_training_goes_on_bit_for_bit() -> None:
    ground, model, state = captured_after(4 * STEPS_A_ROLLOUT)
    expected = learned_on(ground, model)
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002 (stable-baselines3 draws from it)
    torch.manual_seed(1)
    again_ground, again = fresh()
    restore(again, again_ground.env, *state)
    assert_equal_states(learned_on(again_ground, again), expected)


@pytest.mark.parametrize(
    "lost", ["torch_generator", "numpy_generator", "adam", "env", "network", "last_observation"]
)
def test_every_part_of_the_state_matters(lost: str) -> None:
    ground, model, (arrays, content) = captured_after(4 * STEPS_A_ROLLOUT)
    expected = learned_on(ground, model)
    new_ground, new = fresh()
    new.learn(STEPS_A_ROLLOUT)
    others, _ = capture(new, new_ground.env, MEASURED)
    mixed = {
        name: others[name] if name.split("/")[0] == lost else array
        for name, array in arrays.items()
    }
    restore(new, new_ground.env, mixed, content)
    found = learned_on(new_ground, new)
    weights = [name for name in expected[0] if name.startswith("network/")]
    assert any(not np.array_equal(found[0][name], expected[0][name]) for name in weights)


def test_arrays_of_a_state_are_copies() -> None:
    ground, model, (arrays, _) = captured_after(STEPS_A_ROLLOUT)
    before = {name: array.copy() for name, array in arrays.items()}
    learned_on(ground, model)
    for name, array in arrays.items():
        np.testing.assert_array_equal(array, before[name], err_msg=name)


@pytest.mark.parametrize(
    ("tickers", "ppo", "message"),
    [
        (3, {}, "checkpoint has another shape"),
        (2, {"hidden_units": (9, 8)}, "checkpoint has another shape"),
        (2, {"copies": 8}, "checkpoint's environment has"),
    ],
)
def test_state_of_another_shape_is_refused_and_changes_nothing(
    tickers: int, ppo: dict[str, Any], message: str
) -> None:
    _, _, state = captured_after(STEPS_A_ROLLOUT)
    ground, model = fresh(tickers, **ppo)
    model.learn(STEPS_A_ROLLOUT)
    before = capture(model, ground.env, Measured())
    with pytest.raises(ModelError, match=message):
        restore(model, ground.env, *state)
    assert_equal_states(capture(model, ground.env, Measured()), before)


def test_optimiser_of_another_shape_is_refused() -> None:
    _, _, (arrays, content) = captured_after(STEPS_A_ROLLOUT)
    arrays["adam/0.exp_avg"] = np.zeros(7, dtype=np.float32)
    ground, model = fresh()
    with pytest.raises(ModelError, match=r"state has another shape: 0\.exp_avg is .*\[7\]"):
        restore(model, ground.env, arrays, content)
