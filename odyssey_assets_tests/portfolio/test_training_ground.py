from dataclasses import replace

import numpy as np
import pytest
from stable_baselines3 import PPO

from odyssey_assets.core.constraints import Limits
from odyssey_assets.core.execution import Simulator, TradingCosts
from odyssey_assets.portfolio.observations import fit_forecast_scale
from odyssey_assets.portfolio.ppo import greedy_returns
from odyssey_assets.portfolio.training_ground import TrainingGround
from odyssey_assets_tests.portfolio.small_learner import learner
from odyssey_assets_tests.portfolio.small_training import (
    first_training,
    small_market,
    tiny_settings,
)

TICKERS = 3
MARKET = small_market(TICKERS, halt_share=0.05, listed_from={1: 60})


@pytest.fixture(scope="module")
def trained() -> tuple[TrainingGround, PPO]:
    return learner(MARKET, tiny_settings(TICKERS), steps=512)


def test_learning_never_reaches_the_half_year_that_validates(
    trained: tuple[TrainingGround, PPO],
) -> None:
    ground, _ = trained
    learned = ground.training.spans.valid_first - ground.training.spans.first
    environment = ground.env
    reached = set()
    environment.reset()
    for _ in range(300):
        environment.step(np.zeros((environment.num_envs, TICKERS), dtype=np.float32))
        reached |= set(environment.episodes.sessions.tolist())
    assert max(reached) < learned
    assert max(reached) >= learned - 5


def test_scale_is_fitted_on_what_is_learned_from(trained: tuple[TrainingGround, PPO]) -> None:
    ground, _ = trained
    spans = ground.training.spans
    expected = fit_forecast_scale(MARKET.forecasts[spans.first : spans.valid_first])
    np.testing.assert_array_equal(ground.forecast_scale, expected)


def test_validation_earns_what_the_network_earns_in_the_half_year_before(
    trained: tuple[TrainingGround, PPO],
) -> None:
    ground, model = trained
    spans = ground.training.spans
    run = ground.validate(ground.export(model))
    assert len(run.returns) == spans.stop - spans.valid_first
    expected = greedy_returns(
        model.policy,
        MARKET,
        spans.valid_first - 1,
        spans.stop - 1,
        ground.forecast_scale,
        Simulator(MARKET.panel, Limits(0.2, 0.8, 0.2), TradingCosts(10.0, 5.0, 0.0, 0.1)),
        0.2,
        1e6,
    )
    np.testing.assert_allclose(run.returns, expected.returns, atol=1e-7, rtol=0)
    np.testing.assert_allclose(run.turnover, expected.turnover, atol=1e-6, rtol=0)
    assert run.turnover.sum() > 0


def test_session_without_any_forecast_keeps_what_is_held() -> None:
    forecasts = MARKET.forecasts.copy()
    settings = tiny_settings(TICKERS)
    training = first_training(MARKET, settings)
    forecasts[training.spans.valid_first + 40 :] = np.nan
    ground, model = learner(replace(MARKET, forecasts=forecasts), settings)
    run = ground.validate(ground.export(model))
    assert run.turnover[:40].sum() > 0
    assert run.turnover[42:].sum() == 0
    assert np.abs(run.returns[42:]).sum() > 0
