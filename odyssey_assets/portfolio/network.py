"""The learner's network and its batches: stable-baselines3's own, with less work a batch.

Both give what the classes they replace give, up to rounding, without distribution objects, their
checks and a copy a batch: about a fifth more steps a second. Hyperparameters belong to
`portfolio.ppo`.
"""

import math
from collections.abc import Generator

import numpy as np
import torch
from stable_baselines3.common.buffers import RolloutBuffer
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.common.type_aliases import PyTorchObs, RolloutBufferSamples

HALF_LOG_TWO_PI = 0.5 * math.log(2.0 * math.pi)
_ONE_A_STEP = ("values", "log_probs", "advantages", "returns")
"""Figures that a rollout keeps for each step of each copy, besides observation and action."""


class GaussianPolicy(ActorCriticPolicy):
    """Two towers and a diagonal Gaussian around the actor's answer, in closed form.

    For `Box` observations and actions, neither squashed nor state-dependent in its noise. Names of
    the weights are those of `ActorCriticPolicy`.
    """

    def forward(
        self, obs: torch.Tensor, deterministic: bool = False
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return actions, their estimated values and their log likelihoods.

        Args:
            obs: Scaled observations, shape (batch, entries).
            deterministic: Whether to take the most likely action.
        """
        means, values = self._answers(obs)
        noise = torch.zeros_like(means) if deterministic else torch.randn_like(means)
        return means + noise * self.log_std.exp(), values, self._log_likelihood(noise)

    def evaluate_actions(
        self, obs: PyTorchObs, actions: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]:
        """Return estimated values, log likelihoods of `actions`, and entropies.

        Args:
            obs: Scaled observations, shape (batch, entries).
            actions: What was done there, shape (batch, tickers).
        """
        means, values = self._answers(obs)
        noise = (actions - means) * torch.exp(-self.log_std)
        entropy = torch.sum(self.log_std + (0.5 + HALF_LOG_TWO_PI))
        return values, self._log_likelihood(noise), entropy.expand(len(means))

    def _answers(self, obs: PyTorchObs) -> tuple[torch.Tensor, torch.Tensor]:
        actor, critic = self.mlp_extractor(obs)
        return self.action_net(actor), self.value_net(critic)

    def _log_likelihood(self, noise: torch.Tensor) -> torch.Tensor:
        """Return log p of `noise` standard deviations from the mean, shape (batch,)."""
        constant = torch.sum(self.log_std + HALF_LOG_TWO_PI)
        return -0.5 * torch.sum(noise * noise, dim=1) - constant


class ShuffledRollouts(RolloutBuffer):
    """A rollout buffer that shuffles once an epoch and hands out views, not copies.

    The order comes from numpy's global generator, as in the class it replaces: the same seed gives
    the same batches.
    """

    def get(self, batch_size: int | None = None) -> Generator[RolloutBufferSamples, None, None]:
        """Yield the whole rollout in random order, `batch_size` steps at a time."""
        steps = self.buffer_size * self.n_envs
        if not self.generator_ready:
            for name in ("observations", "actions", *_ONE_A_STEP):
                setattr(self, name, self.swap_and_flatten(getattr(self, name)))
            self.generator_ready = True
        order = np.random.permutation(steps)  # noqa: NPY002 (the generator that PPO seeds)
        rows = (self.observations, self.actions)
        figures = (getattr(self, name).ravel() for name in _ONE_A_STEP)
        shuffled = [torch.from_numpy(array[order]) for array in (*rows, *figures)]
        size = batch_size or steps
        for start in range(0, steps, size):
            yield RolloutBufferSamples(*(array[start : start + size] for array in shuffled))
