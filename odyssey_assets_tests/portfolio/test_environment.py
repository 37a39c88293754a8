import numpy as np
import pytest
from stable_baselines3 import PPO
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.vec_env import VecCheckNan, VecMonitor

from odyssey_assets.portfolio.environment import PortfolioVecEnv
from odyssey_assets.portfolio.ppo import build_ppo
from odyssey_assets.settings_sections import PPOSettings
from odyssey_assets_tests.portfolio.markets import random_market
from odyssey_assets_tests.portfolio.problems import Problem, random_actions

MARKET = random_market(120, 4, 3, halt_share=0.05, listed_from={2: 40})
PROBLEM = Problem(MARKET, 5, 110)
COPIES = 5


def _play(env: PortfolioVecEnv, actions: np.ndarray) -> list[bytes]:
    """Return all that a learner sees, step by step, as bytes."""
    seen = []
    for action in actions:
        observations, rewards, dones, infos = env.step(action)
        assert isinstance(observations, np.ndarray)
        ends = [one["terminal_observation"].tobytes() for one in infos if one]
        seen.append(b"".join([observations.tobytes(), rewards.tobytes(), dones.tobytes(), *ends]))
    return seen


def test_copies_equal_single_gym_environments_to_the_bit() -> None:
    env = PROBLEM.vec_env(COPIES, seed=4)
    singles = [PROBLEM.gym_env(copy=copy) for copy in range(COPIES)]
    together = env.reset()
    alone = [single.reset(seed=4)[0] for single in singles]
    assert together.tobytes() == np.stack(alone).tobytes()
    ends = 0
    for action in random_actions(80, COPIES, 4):
        observations, rewards, dones, infos = env.step(action)
        assert isinstance(observations, np.ndarray)
        for copy, single in enumerate(singles):
            seen, reward, is_terminated, is_truncated, _ = single.step(action[copy])
            assert rewards[copy] == np.float32(reward)
            assert (is_terminated, is_truncated) == (False, dones[copy])
            if is_truncated:
                ends += 1
                assert infos[copy]["terminal_observation"].tobytes() == seen.tobytes()
                seen, _ = single.reset()
            assert observations[copy].tobytes() == seen.tobytes()
    assert ends > COPIES


def test_end_of_an_episode_is_a_truncation_with_a_terminal_observation() -> None:
    env = PROBLEM.vec_env(COPIES)
    env.reset()
    before = env.episodes.sessions
    total = np.zeros(COPIES)
    while True:
        observations, rewards, dones, infos = env.step(np.ones((COPIES, 4), dtype=np.float32))
        total += rewards
        if dones.any():
            break
    assert isinstance(observations, np.ndarray)
    copy = int(np.flatnonzero(dones)[0])
    info = infos[copy]
    assert info["TimeLimit.truncated"]
    # It ends holding something and goes on in cash.
    assert info["terminal_observation"][4:].any()
    assert not observations[copy, 4:].any()
    assert info["episode"]["r"] == pytest.approx(total[copy], rel=1e-4)
    assert 1 <= info["episode"]["l"] <= 20
    assert before[copy] + info["episode"]["l"] <= 110
    assert not any(infos[other] for other in np.flatnonzero(~dones))


def test_rollouts_value_what_follows_a_truncation() -> None:
    settings = PPOSettings(episode_sessions=5, rollout_steps=8, batch_size=20, epochs=1, gamma=0.9)
    env = Problem(MARKET, 5, 110, settings).vec_env(COPIES)
    paid: list[np.ndarray] = []
    step = env.step_wait

    def recorded() -> tuple:
        answer = step()
        paid.append(np.asarray(answer[1]).copy())
        return answer

    env.step_wait = recorded  # type: ignore[method-assign]  # only listens
    model = build_ppo(env, settings, 0)
    model.learn(1)
    added = model.rollout_buffer.rewards - np.stack(paid)
    assert (added != 0).sum() >= COPIES


@pytest.mark.parametrize("steps", [0, 1, 33])
def test_state_set_in_a_new_environment_goes_on_to_the_bit(steps: int) -> None:
    actions = random_actions(90, COPIES, 4)
    env = PROBLEM.vec_env(COPIES, seed=1)
    env.reset()
    _play(env, actions[:steps])
    state = {name: value.copy() for name, value in env.get_state().items()}
    expected = _play(env, actions[steps:])
    # A new one, somewhere else, under another seed.
    other = PROBLEM.vec_env(COPIES, seed=2)
    other.reset()
    _play(other, actions[:7])
    other.set_state(state)
    assert _play(other, actions[steps:]) == expected


def test_state_is_arrays_that_later_steps_leave_alone() -> None:
    env = PROBLEM.vec_env(COPIES)
    env.reset()
    _play(env, random_actions(3, COPIES, 4))
    state = env.get_state()
    before = {name: value.tobytes() for name, value in state.items()}
    assert all(value.dtype.kind in "fi" for value in state.values())
    _play(env, random_actions(30, COPIES, 4))
    assert {name: value.tobytes() for name, value in state.items()} == before


def test_reset_under_the_same_seed_begins_anew_and_without_one_goes_on() -> None:
    env = PROBLEM.vec_env(COPIES, seed=3)
    env.reset()
    first = env.episodes.sessions
    env.reset()
    assert env.episodes.sessions.tolist() != first.tolist()
    env.seed(3)
    env.reset()
    assert env.episodes.sessions.tolist() == first.tolist()
    env.seed(None)
    env.reset()
    assert env.episodes.sessions.tolist() != first.tolist()


def test_observations_and_rewards_are_finite_and_inside_their_spaces() -> None:
    env = VecCheckNan(PROBLEM.vec_env(COPIES), raise_exception=True)
    observations = env.reset()
    for action in 3 * random_actions(60, COPIES, 4):
        assert isinstance(observations, np.ndarray)
        assert all(env.observation_space.contains(one) for one in observations)
        observations, rewards, dones, _ = env.step(action)
        assert (rewards.dtype, dones.dtype) == (np.dtype(np.float32), np.dtype(np.bool_))


def test_rewards_handed_out_do_not_change_the_environment() -> None:
    env, other = PROBLEM.vec_env(COPIES), PROBLEM.vec_env(COPIES)
    env.reset()
    other.reset()
    for action in random_actions(40, COPIES, 4):
        observations, rewards, _, _ = env.step(action)
        assert isinstance(observations, np.ndarray)
        expected = other.step(action)
        np.testing.assert_array_equal(rewards, expected[1])
        rewards += 5.0
        observations += 5.0


def test_wrappers_and_evaluation_of_stable_baselines_take_the_environment() -> None:
    settings = PPOSettings(episode_sessions=10)
    env = VecMonitor(Problem(MARKET, 5, 60, settings).vec_env(COPIES))
    model = PPO("MlpPolicy", env, n_steps=4, batch_size=10, n_epochs=1, device="cpu", seed=0)
    model.learn(64)
    mean, _ = evaluate_policy(model, env, n_eval_episodes=5)
    assert np.isfinite(mean)


def test_attributes_are_shared_and_cannot_be_set() -> None:
    env = PROBLEM.vec_env(COPIES)
    assert env.get_attr("num_envs", indices=[0, 2]) == [COPIES, COPIES]
    assert env.env_is_wrapped(VecMonitor) == [False] * COPIES  # type: ignore[arg-type]
    with pytest.raises(NotImplementedError, match="share all attributes"):
        env.set_attr("num_envs", 3)
    with pytest.raises(NotImplementedError, match="one object"):
        env.env_method("reset")
