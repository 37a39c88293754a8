import numpy as np
import onnx
import pytest
import torch
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from stable_baselines3 import PPO

from odyssey_assets.errors import ModelError
from odyssey_assets.portfolio.observations import observation_scale, scaled_observation
from odyssey_assets.portfolio.onnx_export import (
    export_policy,
    load_network,
    network_arrays,
    refuse_other_shapes,
)
from odyssey_assets.portfolio.policies.ppo import ACTION, NOISE, OBSERVATION, VALUE, PPOPolicy
from odyssey_assets.portfolio.training_ground import TrainingGround
from odyssey_assets_tests.portfolio.small_learner import learner
from odyssey_assets_tests.portfolio.small_training import small_market, tiny_settings

Learner = tuple[TrainingGround, PPO]
PARITY = 1e-6


@pytest.fixture(scope="module", params=[1, 3], ids=["one_ticker", "three_tickers"])
def trained(request: pytest.FixtureRequest) -> Learner:
    """Return a network of the usual size after some learning."""
    settings = tiny_settings(request.param, hidden_units=(64, 64))
    return learner(small_market(request.param), settings, steps=256)


def scale_of(trained: Learner) -> np.ndarray:
    return observation_scale(trained[0].forecast_scale, 0.2)


def raw_observations(trained: Learner, seed: int, size: float) -> np.ndarray:
    generator = np.random.default_rng(seed)
    scale = scale_of(trained)
    return (size * generator.normal(size=(200, len(scale))) * scale).astype(np.float32)


def sharpened(model: PPO) -> None:
    """Make the network say loud things, so that actions reach their limits."""
    with torch.no_grad():
        for parameter in model.policy.action_net.parameters():
            parameter.mul_(300)


@given(seed=st.integers(0, 10_000), size=st.sampled_from([0.1, 1.0, 10.0]))
@hypothesis_settings(max_examples=30, deadline=None)
def test_exported_actions_equal_those_of_the_network(
    trained: Learner, seed: int, size: float
) -> None:
    raw = raw_observations(trained, seed, size)
    _, model = trained
    seen = scaled_observation(raw, scale_of(trained))
    expected, _ = model.policy.predict(seen, deterministic=True)
    policy = PPOPolicy(export_policy(model.policy, scale_of(trained)), raw.shape[1] // 2, 0.2)
    found = policy.act(raw)
    assert found.dtype == np.float32
    assert np.abs(found - expected).max() < PARITY


def test_loud_network_is_cut_to_the_limits_of_an_action() -> None:
    trained = learner(small_market(), tiny_settings(), steps=256)
    sharpened(trained[1])
    raw = raw_observations(trained, 1, 1.0)
    found = PPOPolicy(export_policy(trained[1].policy, scale_of(trained)), 2, 0.2).act(raw)
    expected, _ = trained[1].policy.predict(
        scaled_observation(raw, scale_of(trained)), deterministic=True
    )
    assert (np.abs(found) == 1.0).mean() > 0.1
    assert np.abs(found - expected).max() < 300 * PARITY


def test_same_weights_give_the_same_bytes_and_others_do_not(trained: Learner) -> None:
    _, model = trained
    one = export_policy(model.policy, scale_of(trained))
    assert export_policy(model.policy, scale_of(trained)) == one
    assert export_policy(model.policy, 2 * scale_of(trained)) != one


def test_graph_says_what_it_takes_and_gives(trained: Learner) -> None:
    payload = export_policy(trained[1].policy, scale_of(trained))
    graph = onnx.load_model_from_string(payload).graph
    assert [one.name for one in graph.input] == [OBSERVATION]
    assert [one.name for one in graph.output] == [ACTION, VALUE, NOISE]


def test_network_comes_back_whole(trained: Learner) -> None:
    ground, model = trained
    tickers = len(ground.forecast_scale)
    payload = export_policy(model.policy, scale_of(trained))
    _, other = learner(small_market(tickers, seed=5), tiny_settings(tickers, hidden_units=(64, 64)))
    before = network_arrays(other.policy)
    load_network(other.policy, payload)
    after, expected = network_arrays(other.policy), network_arrays(model.policy)
    assert set(after) == set(expected)
    for name, array in expected.items():
        np.testing.assert_array_equal(after[name], array)
    assert not np.array_equal(
        before["value_net.weight"], after["value_net.weight"]
    )  # the critic too
    assert export_policy(other.policy, scale_of(trained)) == payload


def test_network_of_another_shape_is_refused_and_changes_nothing() -> None:
    ground, model = learner(small_market(3), tiny_settings(3))
    payload = export_policy(model.policy, observation_scale(ground.forecast_scale, 0.2))
    for tickers, hidden in ((2, (8, 8)), (3, (8, 9)), (3, (8,)), (3, (8, 8, 8))):
        _, other = learner(small_market(tickers), tiny_settings(tickers, hidden_units=hidden))
        before = network_arrays(other.policy)
        with pytest.raises(ModelError, match=r"start from has another shape: .* expected .*anew"):
            load_network(other.policy, payload)
        after = network_arrays(other.policy)
        assert all(np.array_equal(before[name], after[name]) for name in before)


@pytest.mark.parametrize("payload", [b"", b"no graph at all", b"\x00" * 50])
def test_payload_that_is_no_graph_is_refused(payload: bytes) -> None:
    _, model = learner(small_market(), tiny_settings())
    with pytest.raises(ModelError, match=r"another shape|no ONNX graph"):
        load_network(model.policy, payload)


def test_layers_that_the_graph_does_not_know_are_refused() -> None:
    ground, model = learner(small_market(), tiny_settings())
    model.policy.mlp_extractor.policy_net[1] = torch.nn.ReLU()
    with pytest.raises(ModelError, match="is a ReLU; only linear and tanh"):
        export_policy(model.policy, observation_scale(ground.forecast_scale, 0.2))


def test_arrays_of_equal_names_and_shapes_are_accepted() -> None:
    refuse_other_shapes({"a": np.zeros(3)}, {"a": np.ones(3)}, "It")
    with pytest.raises(ModelError, match=r"It has another shape: b is float64\[2\], expected none"):
        refuse_other_shapes({"a": np.zeros(3), "b": np.zeros(2)}, {"a": np.ones(3)}, "It")
