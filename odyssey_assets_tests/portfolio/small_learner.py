"""Networks small enough for a test, on the ground of the first training of `small_training`."""

from stable_baselines3 import PPO

from odyssey_assets.portfolio.market import PortfolioMarket
from odyssey_assets.portfolio.ppo import build_ppo
from odyssey_assets.portfolio.training_ground import TrainingGround
from odyssey_assets.settings import Settings
from odyssey_assets_tests.portfolio.small_training import first_training


def learner(
    market: PortfolioMarket, settings: Settings, steps: int = 0
) -> tuple[TrainingGround, PPO]:
    """Return ground and network of the first training after so many steps."""
    training = first_training(market, settings)
    ground = TrainingGround.of(training.spans.cut(market), training, settings)
    model = build_ppo(ground.env, settings.portfolio.ppo, training.random_seed)
    if steps:
        model.learn(steps)
    return ground, model
