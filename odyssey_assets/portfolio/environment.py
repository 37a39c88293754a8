"""The portfolio problem as stable-baselines3 trains on it: a vectorised environment of numpy.

All copies step at once through the execution simulator. What a step does belongs to
`portfolio.episodes`, the same problem for one copy and for gymnasium to
`portfolio.gym_environment`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from stable_baselines3.common.vec_env import VecEnv
from stable_baselines3.common.vec_env.base_vec_env import VecEnvIndices, VecEnvStepReturn

from odyssey_assets.core.execution import Simulator
from odyssey_assets.portfolio.episodes import Episodes
from odyssey_assets.portfolio.market import PortfolioMarket
from odyssey_assets.portfolio.observations import CLIP
from odyssey_assets.settings_sections import PPOSettings


def spaces_of(tickers: int) -> tuple[spaces.Box, spaces.Box]:
    """Return what observations and actions look like for so many tickers."""
    return (
        spaces.Box(-CLIP, CLIP, (2 * tickers,), np.float32),
        spaces.Box(-1.0, 1.0, (tickers,), np.float32),
    )


class PortfolioVecEnv(VecEnv):
    """Copies of the portfolio problem over sessions [first, last] of a market.

    An episode's end is a truncation, never a loss: `infos` carry the terminal observation, from
    which stable-baselines3 values what the portfolio would have gone on to earn.

    Args: as `Episodes` takes them; `scale` is its `forecast_scale`.

    Raises:
        ValueError: The range lies outside the market or has no decision.
    """

    render_mode: str | None = None

    def __init__(
        self,
        market: PortfolioMarket,
        first: int,
        last: int,
        scale: np.ndarray,
        simulator: Simulator,
        settings: PPOSettings,
        max_weight: float,
        capital: float,
        copies: int,
        seed: int,
    ) -> None:
        self.episodes = Episodes(
            market, first, last, scale, simulator, settings, max_weight, capital, copies, seed
        )
        super().__init__(copies, *spaces_of(len(market.panel.tickers)))
        self._new_seed: int | None = seed
        self._actions = np.zeros((copies, len(market.panel.tickers)), dtype=np.float32)

    def seed(self, seed: int | None = None) -> Sequence[int | None]:
        """Let the next `reset` begin anew under `seed`; None: under the seed it has."""
        if seed is not None:
            self._new_seed = seed
        return [self._new_seed] * self.num_envs

    def reset(self) -> np.ndarray:
        """Begin the next episode of every copy, or the first one after `seed`."""
        if self._new_seed is None:
            self.episodes.restart(np.ones(self.num_envs, dtype=bool))
        else:
            self.episodes.restart_all(self._new_seed)
        self._new_seed = None
        return self.episodes.observe()

    def step_async(self, actions: np.ndarray) -> None:
        """Take note of the actions that `step_wait` carries out, shape (copies, tickers)."""
        self._actions = actions

    def step_wait(self) -> VecEnvStepReturn:
        """Step every copy; those whose episode is over begin the next one at once.

        Raises:
            TrainingError: An action is no finite number.
        """
        rewards, is_over = self.episodes.step(self._actions)
        observations = self.episodes.observe()
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        if is_over.any():
            for copy in np.flatnonzero(is_over).tolist():
                infos[copy] = {
                    "terminal_observation": observations[copy],
                    "TimeLimit.truncated": True,
                    "episode": self.episodes.summary(copy),
                }
            self.episodes.restart(is_over)
            observations = self.episodes.observe()
        return observations, rewards.astype(np.float32), is_over, infos

    def get_state(self) -> dict[str, np.ndarray]:
        """Return everything that changes between steps, as arrays."""
        return self.episodes.get_state()

    def set_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Go on where `get_state` was called, in an environment made with the same arguments.

        Raises:
            ModelError: The state is of another environment; nothing was changed.
        """
        self.episodes.set_state(state)
        self._new_seed = None

    def close(self) -> None:
        """Do nothing: there is nothing to release."""

    def get_attr(self, attr_name: str, indices: VecEnvIndices = None) -> list[Any]:
        """Return the attribute that all copies share, once for each."""
        return [getattr(self, attr_name) for _ in self._get_indices(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: VecEnvIndices = None) -> None:
        """Refuse: the copies are one object and have no attributes of their own."""
        raise NotImplementedError(f"The copies share all attributes; {attr_name} cannot be set.")

    def env_method(
        self, method_name: str, *method_args: Any, indices: VecEnvIndices = None, **kwargs: Any
    ) -> list[Any]:
        """Refuse: the copies are one object and have no methods of their own."""
        raise NotImplementedError(f"The copies are one object; {method_name} cannot be called.")

    def env_is_wrapped(
        self,
        wrapper_class: type[gymnasium.Wrapper],  # noqa: ARG002 (any class has the same answer)
        indices: VecEnvIndices = None,
    ) -> list[bool]:
        """Return that no copy is wrapped."""
        return [False for _ in self._get_indices(indices)]
