"""Where one policy learns and is validated: the same limits and costs for both.

The loop over rollouts and checkpoints belongs to `portfolio.ppo_training`.
"""

from dataclasses import dataclass

import numpy as np
from stable_baselines3 import PPO

from odyssey_assets.core.constraints import Limits
from odyssey_assets.core.execution import Book, Simulator, TradingCosts
from odyssey_assets.portfolio.environment import PortfolioVecEnv
from odyssey_assets.portfolio.market import PortfolioMarket
from odyssey_assets.portfolio.observations import fit_forecast_scale, observation_scale
from odyssey_assets.portfolio.onnx_export import export_policy
from odyssey_assets.portfolio.policies.ppo import PPOPolicy
from odyssey_assets.portfolio.training_plan import Training
from odyssey_assets.settings import Settings


@dataclass(frozen=True, eq=False)
class Validation:
    """What a policy earns in a half year that it has not learned from.

    Attributes:
        returns: Simple returns after costs, one a session.
        turnover: Traded value / equity at the close before, one a session.
    """

    returns: np.ndarray
    turnover: np.ndarray


@dataclass(frozen=True, eq=False)
class TrainingGround:
    """The market, simulator and environment of one training.

    Attributes:
        market: The rows that the training may see, and no others.
        training: What is trained.
        settings: Hyperparameters, limits and costs.
        simulator: Fills orders, in training and validation alike.
        forecast_scale: Fitted on what is learned from, shape (tickers,).
        env: The environment over what is learned from.
    """

    market: PortfolioMarket
    training: Training
    settings: Settings
    simulator: Simulator
    forecast_scale: np.ndarray
    env: PortfolioVecEnv

    @classmethod
    def of(
        cls, market: PortfolioMarket, training: Training, settings: Settings
    ) -> "TrainingGround":
        """Return the ground of a training; `market` as `Spans.cut` returns it."""
        config = settings.portfolio
        limits = Limits(config.max_weight, config.max_invested, config.min_cash)
        costs = TradingCosts(**settings.costs.model_dump())
        simulator = Simulator(market.panel, limits, costs)
        sessions = training.spans.valid_first - training.spans.first
        scale = fit_forecast_scale(market.forecasts[:sessions])
        env = PortfolioVecEnv(
            market, 0, sessions - 1, scale, simulator, config.ppo, config.max_weight,
            config.capital_usd, config.ppo.copies, training.random_seed,
        )  # fmt: skip
        return cls(market, training, settings, simulator, scale, env)

    def export(self, model: PPO) -> bytes:
        """Return the policy as an ONNX graph."""
        scale = observation_scale(self.forecast_scale, self.settings.portfolio.max_weight)
        return export_policy(model.policy, scale)

    def validate(self, payload: bytes) -> Validation:
        """Return what an exported policy earns after costs in the half year that validates.

        It starts in cash and decides as it would if it were chosen, from the last close before the
        half year on.
        """
        config, spans = self.settings.portfolio, self.training.spans
        tickers = len(self.market.panel.tickers)
        policy = PPOPolicy(payload, tickers, config.max_weight)
        book = Book.of_cash(config.capital_usd, 1, tickers)
        first, last = spans.valid_first - 1 - spans.first, spans.stop - 1 - spans.first
        returns, turnover = np.empty((2, last - first))
        for at, session in enumerate(range(first, last)):
            rows = np.array([session])
            held = self.simulator.weights(book, rows)
            wanted = policy.decide(self.market.until(session), held[0])
            targets = held if wanted is None else wanted[np.newaxis]
            fills = self.simulator.step(book, rows, targets, np.array([wanted is not None]))
            returns[at], turnover[at] = fills.returns[0], fills.turnover[0]
        return Validation(returns, turnover)
