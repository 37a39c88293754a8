from dataclasses import replace

import numpy as np
import pytest

from odyssey_assets.core.execution import Fills
from odyssey_assets.errors import ModelError, TrainingError
from odyssey_assets.portfolio.episodes import Episodes
from odyssey_assets.portfolio.observations import (
    observation_scale,
    raw_observation,
    scaled_observation,
    wanted_weights,
)
from odyssey_assets.settings_sections import PPOSettings
from odyssey_assets_tests.portfolio.markets import market_of_closes, random_market
from odyssey_assets_tests.portfolio.problems import CAPITAL, Problem, random_actions

MARKET = random_market(120, 4, 3, halt_share=0.05, listed_from={2: 40})
PROBLEM = Problem(MARKET, 5, 110)


def _run_to_the_end(episodes: Episodes, actions: np.ndarray) -> list[dict[str, np.ndarray]]:
    """Step without restarting; what was held, wanted and worth at each step of each copy."""
    steps = []
    for action in actions:
        before = episodes.sessions, episodes.held
        episodes.step(action)
        wanted = wanted_weights(before[1], action, PROBLEM.limits.max_weight)
        steps.append({"session": before[0], "target": wanted, "equity": episodes.equity})
    return steps


def _simulated(steps: list[dict[str, np.ndarray]], sessions: int) -> Fills:
    """Run the same targets through the simulator in one go."""
    first = steps[0]["session"]
    targets = np.zeros((len(first), sessions, 4))
    is_decision = np.zeros((len(first), sessions), dtype=bool)
    for step in steps:
        rows = np.arange(len(first)), step["session"]
        targets[rows], is_decision[rows] = step["target"], True
    return PROBLEM.simulator.simulate(targets, is_decision, first, CAPITAL)


def test_equity_equals_the_simulator_on_the_same_targets_to_the_bit() -> None:
    episodes = PROBLEM.episodes(8)
    steps = _run_to_the_end(episodes, random_actions(9, 8, 4))
    fills = _simulated(steps, len(MARKET.panel))
    copies = np.arange(8)
    for step in steps:
        simulated = fills.equity[copies, step["session"] + 1]
        assert step["equity"].tobytes() == simulated.tobytes()
    assert np.ptp(steps[-1]["equity"]) > 0


def test_first_rewards_are_return_plus_weighted_ratio() -> None:
    for weight in (0.0, 0.5):
        problem = replace(PROBLEM, settings=PPOSettings(episode_sessions=20, sharpe_weight=weight))
        episodes = problem.episodes(4)
        rewards, _ = episodes.step(random_actions(1, 4, 4)[0])
        returns = episodes.equity / CAPITAL - 1
        # The first ratio is the return in usual deviations, as large as the return's own term.
        np.testing.assert_allclose(rewards, (1 + weight) * returns / 0.01, rtol=1e-9)


def test_observation_shows_forecast_of_the_session_and_held_weights() -> None:
    episodes = PROBLEM.episodes(6)
    for action in random_actions(5, 6, 4):
        episodes.step(action)
    scale = observation_scale(PROBLEM.scale, PROBLEM.limits.max_weight)
    raw = raw_observation(MARKET.forecasts[episodes.sessions], episodes.held)
    np.testing.assert_array_equal(episodes.observe(), scaled_observation(raw, scale))


def test_episodes_end_after_their_length_or_at_the_last_session_and_start_in_cash() -> None:
    episodes = PROBLEM.episodes(64)
    lengths = np.zeros(64, dtype=int)
    seen = []
    for action in random_actions(300, 64, 4):
        _, is_over = episodes.step(action)
        lengths += 1
        assert (episodes.sessions <= 110).all()
        cut = is_over & (lengths < 20)
        # Only a stretch that hangs over either end of the range is shorter.
        first_sessions = episodes.sessions[cut] - lengths[cut]
        assert ((first_sessions == 5) | (episodes.sessions[cut] == 110)).all()
        seen += lengths[is_over].tolist()
        episodes.restart(is_over)
        lengths[is_over] = 0
        assert (episodes.equity[is_over] == CAPITAL).all()
        assert not episodes.held[is_over].any()
    assert max(seen) == 20
    assert min(seen) < 20


def test_every_session_is_decided_in_equally_often() -> None:
    episodes = Problem(MARKET, 0, 30, PPOSettings(episode_sessions=10)).episodes(200)
    visits = np.zeros(31, dtype=int)
    everyone = np.ones(200, dtype=bool)
    for _ in range(20):
        begins, ends = episodes.get_state()["begins"], episodes.get_state()["ends"]
        for begin, end in zip(begins, ends, strict=True):
            visits[begin:end] += 1
        episodes.restart(everyone)
    # 4,000 stretches of ten over 39 places: binomial, five standard deviations around the mean.
    share = 10 / 39
    spread = 5 * np.sqrt(4000 * share * (1 - share))
    assert visits[30] == 0
    np.testing.assert_allclose(visits[:30], 4000 * share, atol=spread)


def test_stretches_follow_from_seed_copy_and_number_alone() -> None:
    two, three = PROBLEM.episodes(2, seed=9), PROBLEM.episodes(3, seed=9)
    three.restart(np.array([False, False, True]))
    for _ in range(4):
        assert two.sessions.tolist() == three.sessions[:2].tolist()
        two.restart(np.array([True, True]))
        three.restart(np.array([True, True, False]))
    assert PROBLEM.episodes(16, seed=1).sessions.tolist() != (
        PROBLEM.episodes(16, seed=2).sessions.tolist()
    )


def test_range_without_a_decision_or_outside_the_market_is_refused() -> None:
    for first, last in ((5, 5), (-1, 5), (5, 120), (8, 3)):
        with pytest.raises(ValueError, match=f"first {first}, last {last}"):
            Problem(MARKET, first, last).vec_env(1)


def test_range_of_one_decision_steps_from_episode_to_episode() -> None:
    episodes = Problem(MARKET, 50, 51).episodes(3)
    for action in random_actions(3, 3, 4):
        _, is_over = episodes.step(action)
        assert is_over.all()
        episodes.restart(is_over)


def test_action_that_is_no_number_is_refused_and_changes_nothing() -> None:
    episodes = PROBLEM.episodes(2)
    before = episodes.get_state()
    action = random_actions(1, 2, 4)[0]
    action[1, 2] = np.nan
    with pytest.raises(TrainingError, match="answers nan"):
        episodes.step(action)
    for name, value in episodes.get_state().items():
        assert value.tobytes() == before[name].tobytes(), name


def test_state_of_other_copies_is_refused() -> None:
    with pytest.raises(ModelError, match="other"):
        PROBLEM.episodes(3).set_state(PROBLEM.episodes(2).get_state())


def test_state_with_a_missing_array_is_refused() -> None:
    state = PROBLEM.episodes(2).get_state()
    del state["pending"]
    with pytest.raises(ModelError, match="expected"):
        PROBLEM.episodes(2).set_state(state)


def test_state_of_other_sessions_is_refused() -> None:
    later = Problem(MARKET, 80, 110).episodes(2).get_state()
    with pytest.raises(ModelError, match="other sessions"):
        Problem(MARKET, 5, 70).episodes(2).set_state(later)


def test_crash_of_ninety_percent_leaves_finite_rewards() -> None:
    close = np.full((60, 2), 100.0)
    close[30:] = 10.0
    episodes = Problem(market_of_closes(close, 0.01), 0, 59).episodes(16)
    for _ in range(100):
        rewards, is_over = episodes.step(np.ones((16, 2), dtype=np.float32))
        assert np.isfinite(rewards).all()
        assert np.isfinite(episodes.observe()).all()
        episodes.restart(is_over)
