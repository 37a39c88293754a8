import numpy as np
import pytest
import torch
from stable_baselines3 import PPO

from odyssey_assets.portfolio.observations import wanted_weights
from odyssey_assets.portfolio.ppo import build_ppo, greedy_returns
from odyssey_assets.settings_sections import PPOSettings
from odyssey_assets_tests.portfolio.markets import random_market
from odyssey_assets_tests.portfolio.problems import CAPITAL, Problem

SETTINGS = PPOSettings(
    copies=4, rollout_steps=16, batch_size=32, epochs=2, episode_sessions=30, hidden_units=(8, 6)
)
MARKET = random_market(120, 3, 5, halt_share=0.05, listed_from={2: 40})
PROBLEM = Problem(MARKET, 0, 80, SETTINGS)


def _trained(seed: int, steps: int = 192) -> PPO:
    model = build_ppo(PROBLEM.vec_env(SETTINGS.copies, seed=99), SETTINGS, seed)
    return model.learn(steps)


def _weights(model: PPO) -> bytes:
    return b"".join(one.numpy().tobytes() for one in model.policy.state_dict().values())


def test_learner_has_the_hyperparameters_and_layers_of_the_settings() -> None:
    settings = PPOSettings(
        copies=4, rollout_steps=16, batch_size=32, epochs=3, hidden_units=(8, 6), gamma=0.7,
        gae_lambda=0.6, clip_range=0.3, entropy_coefficient=0.02, learning_rate=0.004,
    )  # fmt: skip
    model = build_ppo(PROBLEM.vec_env(4), settings, 0)
    assert (model.n_steps, model.batch_size, model.n_epochs) == (16, 32, 3)
    assert (model.gamma, model.gae_lambda, model.ent_coef) == (0.7, 0.6, 0.02)
    assert model.clip_range(1.0) == 0.3  # type: ignore[operator]  # made a schedule by the library
    assert model.lr_schedule(0.0) == 0.004
    towers = model.policy.mlp_extractor.policy_net, model.policy.mlp_extractor.value_net
    for tower in towers:
        assert [type(one).__name__ for one in tower] == ["Linear", "Tanh"] * 2
        assert [one.out_features for one in tower if hasattr(one, "out_features")] == [8, 6]
    assert torch.get_num_threads() == 1


def test_learner_of_fewer_steps_than_a_batch_learns_from_all_of_them() -> None:
    settings = PPOSettings(copies=2, rollout_steps=4, batch_size=512, epochs=1)
    assert build_ppo(PROBLEM.vec_env(2), settings, 0).batch_size == 8


def test_same_seed_learns_the_same_weights_to_the_bit_and_another_does_not() -> None:
    first, second, other = _trained(1), _trained(1), _trained(2)
    assert _weights(first) == _weights(second)
    assert _weights(first) != _weights(other)


def test_learning_changes_both_networks_and_the_noise() -> None:
    before = build_ppo(PROBLEM.vec_env(4), SETTINGS, 1).policy.state_dict()
    after = _trained(1).policy.state_dict()
    unchanged = [name for name, value in before.items() if torch.equal(value, after[name])]
    assert unchanged == []


def test_greedy_run_equals_the_simulator_on_the_same_targets_to_the_bit() -> None:
    policy = _trained(1).policy
    run = greedy_returns(policy, MARKET, 20, 110, PROBLEM.scale, PROBLEM.simulator, 0.4, CAPITAL)
    whole = PPOSettings(episode_sessions=100_000)
    env = Problem(MARKET, 20, 110, whole, given_scale=PROBLEM.scale).gym_env()
    seen, _ = env.reset()
    targets = np.zeros((1, len(MARKET.panel), 3))
    for session in range(20, 110):
        assert env.episodes.sessions == session
        action, _ = policy.predict(seen, deterministic=True)
        targets[0, session] = wanted_weights(env.episodes.held[0], action, 0.4)
        seen = env.step(action)[0]
    decides = np.ones(targets.shape[:2], dtype=bool)
    fills = PROBLEM.simulator.simulate(targets, decides, np.array([20]), CAPITAL)
    assert run.returns.tobytes() == fills.returns[0, 21:111].tobytes()
    assert run.turnover.tobytes() == fills.turnover[0, 21:111].tobytes()
    assert run.turnover.sum() > 0
    np.testing.assert_allclose(run.weights[-1], env.episodes.held[0], rtol=1e-12)


@pytest.mark.parametrize("kind", ["nan", "inf"])
def test_greedy_run_without_usable_forecasts_is_finite(kind: str) -> None:
    market = random_market(60, 3, first_forecast=60)
    market.forecasts[:] = float(kind)
    problem = Problem(market, 0, 50, SETTINGS)
    run = greedy_returns(
        _trained(1).policy, market, 0, 59, problem.scale, problem.simulator, 0.4, CAPITAL
    )
    assert np.isfinite(run.returns).all()
    assert np.isfinite(run.turnover).all()
