"""The learner: stable-baselines3's PPO as the settings want it, and what its policy earns.

Proximal policy optimisation with clipping (Schulman et al. 2017, arXiv 1707.06347). The loop around
it, the choice of checkpoints and their storage belong to `portfolio.ppo_training`.
"""

from dataclasses import dataclass

import numpy as np
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.policies import BasePolicy
from stable_baselines3.common.vec_env import VecEnv

from odyssey_assets.core.execution import Book, Simulator
from odyssey_assets.portfolio.market import PortfolioMarket
from odyssey_assets.portfolio.network import GaussianPolicy, ShuffledRollouts
from odyssey_assets.portfolio.observations import (
    observation_scale,
    raw_observation,
    scaled_observation,
    wanted_weights,
)
from odyssey_assets.settings_sections import PPOSettings

ADAM_EPSILON = 1e-5
"""As stable-baselines3 sets it where it chooses the optimiser itself."""


def build_ppo(env: VecEnv, settings: PPOSettings, seed: int) -> PPO:
    """Return a learner that has learned nothing yet.

    Two networks of tanh layers on one thread of the processor. The generators of torch, numpy and
    Python are seeded, and the environment's next reset begins anew under the seed; the same seed
    then gives the same weights, to the bit.

    Args:
        env: What to learn in.
        settings: Hyperparameters.
        seed: Of everything that is random.
    """
    torch.set_num_threads(1)
    layers = list(settings.hidden_units)
    return PPO(
        GaussianPolicy,
        env,
        learning_rate=settings.learning_rate,
        n_steps=settings.rollout_steps,
        batch_size=min(settings.batch_size, settings.rollout_steps * env.num_envs),
        n_epochs=settings.epochs,
        gamma=settings.gamma,
        gae_lambda=settings.gae_lambda,
        clip_range=settings.clip_range,
        ent_coef=settings.entropy_coefficient,
        rollout_buffer_class=ShuffledRollouts,
        policy_kwargs={
            "net_arch": {"pi": layers, "vf": layers},
            "activation_fn": torch.nn.Tanh,
            "optimizer_class": torch.optim.Adam,
            "optimizer_kwargs": {"eps": ADAM_EPSILON, "fused": True},
        },
        device="cpu",
        seed=seed,
        verbose=0,
    )


@dataclass(frozen=True, eq=False)
class GreedyRun:
    """What a policy earned over one stretch, doing at each close what it thinks best.

    Attributes:
        returns: Simple returns after costs, of each session after the first, shape (sessions - 1,).
        turnover: Traded value / equity, same shape.
        weights: Held at the closes of these sessions, shape (sessions - 1, tickers).
    """

    returns: np.ndarray
    turnover: np.ndarray
    weights: np.ndarray


def greedy_returns(
    policy: BasePolicy,
    market: PortfolioMarket,
    first: int,
    last: int,
    forecast_scale: np.ndarray,
    simulator: Simulator,
    max_weight: float,
    capital: float,
) -> GreedyRun:
    """Let a policy decide at every close of [first, last), from cash, and mark it up to `last`.

    Args:
        policy: Its most likely actions are taken.
        market: Prices and forecasts.
        first: First session that is decided in.
        last: Session at whose close the last decision is marked; nothing after it is read.
        forecast_scale: As `fit_forecast_scale` returned it for what the policy learned from.
        simulator: Fills orders, over the market's panel.
        max_weight: Most that one ticker may weigh.
        capital: USD to start with.
    """
    scale = observation_scale(forecast_scale, max_weight)
    tickers = len(market.panel.tickers)
    book = Book.of_cash(capital, 1, tickers)
    is_decision = np.ones(1, dtype=bool)
    returns, turnover = np.empty((2, last - first))
    weights = np.empty((last - first, tickers))
    held = np.zeros((1, tickers))
    for row, session in enumerate(range(first, last)):
        now = np.array([session])
        seen = scaled_observation(raw_observation(market.forecasts[now], held), scale)
        action, _ = policy.predict(seen, deterministic=True)
        fills = simulator.step(book, now, wanted_weights(held, action, max_weight), is_decision)
        held = simulator.weights(book, now + 1)
        returns[row], turnover[row], weights[row] = fills.returns[0], fills.turnover[0], held[0]
    return GreedyRun(returns, turnover, weights)
