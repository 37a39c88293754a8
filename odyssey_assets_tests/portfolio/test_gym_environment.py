import warnings

import gymnasium
import numpy as np
from gymnasium.utils.env_checker import check_env as check_with_gymnasium
from stable_baselines3.common.env_checker import check_env as check_with_stable_baselines

from odyssey_assets.settings_sections import PPOSettings
from odyssey_assets_tests.portfolio.markets import random_market
from odyssey_assets_tests.portfolio.problems import Problem, random_actions

MARKET = random_market(120, 3, 3, halt_share=0.05, listed_from={2: 40})
PROBLEM = Problem(MARKET, 5, 110)


def test_environment_passes_the_checker_of_gymnasium() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_with_gymnasium(PROBLEM.gym_env(), skip_render_check=True)


def test_environment_passes_the_checker_of_stable_baselines() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_with_stable_baselines(PROBLEM.gym_env())


def test_environment_under_a_time_limit_of_gymnasium_ends_with_it() -> None:
    env = gymnasium.wrappers.TimeLimit(PROBLEM.gym_env(), 2)
    env.reset(seed=0)
    actions = random_actions(2, 1, 3)
    assert not env.step(actions[0, 0])[3]
    assert env.step(actions[1, 0])[3]


def test_reset_under_a_seed_repeats_and_without_one_goes_on_to_other_sessions() -> None:
    env = PROBLEM.gym_env()
    env.reset(seed=5)
    first = env.episodes.sessions
    begins = set()
    for _ in range(20):
        env.reset()
        begins.add(int(env.episodes.sessions[0]))
    assert len(begins) > 5
    env.reset(seed=5)
    assert env.episodes.sessions == first


def test_first_reset_without_a_seed_begins_under_that_of_the_environment() -> None:
    env, other = PROBLEM.gym_env(seed=5), PROBLEM.gym_env(seed=8)
    env.reset()
    other.reset(seed=5)
    assert env.episodes.sessions == other.episodes.sessions


def test_environment_of_one_ticker_without_forecasts_steps() -> None:
    market = random_market(40, 1, first_forecast=40)
    env = Problem(market, 0, 39, PPOSettings(episode_sessions=50)).gym_env()
    observation, _ = env.reset(seed=0)
    assert observation.tolist() == [0.0, 0.0]
    observation, reward, _, _, _ = env.step(np.ones(1, dtype=np.float32))
    assert observation[0] == 0.0
    assert observation[1] > 0.5
    assert np.isfinite(reward)
