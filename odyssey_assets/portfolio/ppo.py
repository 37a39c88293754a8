"""The learner: stable-baselines3's PPO as the settings want it, and what its policy earns.

Proximal policy optimisation (Schulman et al. 2017, arXiv 1707.06347). The loop around it, choice
of checkpoints and storage belong to `portfolio.ppo_training`.
"""

from dataclasses import dataclass

import numpy as np
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.common.vec_env import VecEnv

from odyssey_assets.core.execution import Book, Simulator
from odyssey_assets.portfolio.market import PortfolioMarket
from odyssey_assets.portfolio.observations import (
    observation_scale,
    raw_observation,
    scaled_observation,
    wanted_weights,
)
from odyssey_assets.settings_sections import PPOSettings


def build_ppo(env: VecEnv, settings: PPOSettings, seed: int) -> PPO:
    torch.set_num_threads(1)
    hidden = list(settings.hidden_units)
    return PPO(
        "MlpPolicy",
        env,
        learning_rate=settings.learning_rate,
        n_steps=settings.rollout_steps,
        batch_size=settings.batch_size,
        n_epochs=settings.epochs,
        gamma=settings.gamma,
        gae_lambda=settings.gae_lambda,
        clip_range=settings.clip_range,
        ent_coef=settings.entropy_coefficient,
        policy_kwargs={
            "net_arch": {"pi": hidden, "vf": hidden},
            "optimizer_kwargs": {"eps": 1e-5, "fused": True},
        },
        device="cpu",
        seed=seed,
        verbose=0,
    )


@dataclass(frozen=True, eq=False)
class GreedyRun:
    returns: np.ndarray
    turnover: np.ndarray


def greedy_returns(policy, market, first, last, forecast_scale, simulator, max_weight, capital):
    scale = observation_scale(forecast_scale, max_weight)
    book = Book.of_cash(capital, 1, len(market.panel.tickers))
    is_decision = np.ones(1, dtype=bool)
    returns, turnover = np.empty((2, last - first))
    for row, session in enumerate(range(first, last)):
        sessions = np.array([session])
        held = simulator.weights(book, sessions)
        seen = scaled_observation(raw_observation(market.forecasts[sessions], held), scale)
        action, _ = policy.predict(seen, deterministic=True)
        fills = simulator.step(
            book, sessions, wanted_weights(held, action, max_weight), is_decision
        )
        returns[row], turnover[row] = fills.returns[0], fills.turnover[0]
    return GreedyRun(returns, turnover)
