"""Markets of which the best policy is known, and whether the learner finds it."""

import numpy as np
import pytest

from odyssey_assets.core.constraints import Limits
from odyssey_assets.core.execution import TradingCosts
from odyssey_assets.portfolio.market import PortfolioMarket
from odyssey_assets.portfolio.ppo import GreedyRun, build_ppo, greedy_returns
from odyssey_assets.settings_sections import PPOSettings
from odyssey_assets_tests.portfolio.markets import market_of_closes, random_market
from odyssey_assets_tests.portfolio.problems import CAPITAL, Problem

# Smaller rollouts than the default: many updates from few steps.
SETTINGS = PPOSettings(copies=64, rollout_steps=32, batch_size=512, episode_sessions=126)
STEPS = 40_000
LEARNED = 500
SETTLED = 20
LIMITS = Limits(0.2, 0.8, 0.2)
USUAL_COSTS, RUINOUS_COSTS = TradingCosts(10.0, 5.0), TradingCosts(500.0, 0.0)


def _held_out(
    market: PortfolioMarket, costs: TradingCosts, steps: int = STEPS, learned: int = LEARNED
) -> GreedyRun:
    """Learn from the first sessions and decide in the others."""
    problem = Problem(market, 0, learned, SETTINGS, costs, LIMITS)
    model = build_ppo(problem.vec_env(SETTINGS.copies), SETTINGS, 0)
    if steps:
        model.learn(steps)
    return greedy_returns(
        model.policy, market, learned, len(market.panel) - 1, problem.scale, problem.simulator,
        LIMITS.max_weight, CAPITAL,
    )  # fmt: skip


def _riser_among_fallers() -> PortfolioMarket:
    """One of four assets always rises, the others fall on average; nothing is forecast."""
    generator = np.random.default_rng(1)
    steps = generator.normal(-0.0005, 0.01, (700, 4))
    steps[:, 1] = generator.uniform(0.0001, 0.002, 700)
    return market_of_closes(100 * np.exp(np.cumsum(steps, axis=0)))


def _seesaw() -> PortfolioMarket:
    """Three assets rise and fall by 1 % in turn, and the forecasts know it."""
    direction = np.where(np.arange(700) % 2, 1.0, -1.0)[:, None] * np.array([1.0, -1.0, 1.0])
    returns = 0.01 * direction
    return market_of_closes(100 * np.exp(np.cumsum(returns, axis=0)), -returns, horizon=1)


def test_policy_in_a_market_where_one_asset_always_rises_holds_it_to_its_cap() -> None:
    market = _riser_among_fallers()
    untrained, trained = (_held_out(market, USUAL_COSTS, steps) for steps in (0, STEPS))
    assert untrained.weights[:, 1].max() < 0.1
    settled = trained.weights[SETTLED:]
    assert settled[:, 1].min() > 0.19
    assert settled[:, [0, 2, 3]].mean() < 0.02


def test_policy_trades_a_seesaw_that_costs_nothing_and_stops_where_costs_eat_every_trade() -> None:
    market = _seesaw()
    free = _held_out(market, TradingCosts(0.0, 0.0))
    assert free.turnover[SETTLED:].mean() > 0.2
    assert free.returns[SETTLED:].mean() > 0.001
    ruinous = _held_out(market, RUINOUS_COSTS)
    assert ruinous.turnover[SETTLED:].mean() < 0.001
    assert abs(ruinous.returns[SETTLED:].mean()) < 0.0001


@pytest.mark.parametrize(
    ("skill", "lowest", "highest"), [(0.0, -4.0, 3.0), (0.7, 5.0, np.inf)], ids=["noise", "truth"]
)
def test_policy_beats_equal_weight_on_true_forecasts_and_not_on_noise(
    skill: float, lowest: float, highest: float
) -> None:
    market = random_market(1500, 4, 7, skill=skill)
    run = _held_out(market, USUAL_COSTS, learned=700)
    targets = np.full((1, 1500, 4), LIMITS.budget / 4)
    simulator = Problem(market, 0, 700, SETTINGS, USUAL_COSTS, LIMITS).simulator
    everywhere = np.ones((1, 1500), dtype=bool)
    equal = simulator.simulate(targets, everywhere, np.array([700]), CAPITAL).returns[0, 701:]
    difference = run.returns - equal
    statistic = difference.mean() / difference.std(ddof=1) * np.sqrt(len(difference))
    assert lowest < statistic < highest
    # Nothing explodes: it stays a long-only portfolio inside its limits but for price drift.
    assert np.isfinite(run.weights).all()
    assert run.weights.min() >= 0.0
    assert run.weights.max() < 0.25
    assert np.abs(run.returns).max() < 0.05
