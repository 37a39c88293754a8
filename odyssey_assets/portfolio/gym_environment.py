"""The portfolio problem as gymnasium knows it: one portfolio, one step at a time.

For whoever wants to try another library's agent on it, and as the plain thing that the vectorised
environment is checked and timed against. What a step does belongs to `portfolio.episodes`.
"""

from typing import Any

import gymnasium
import numpy as np

from odyssey_assets.core.execution import Simulator
from odyssey_assets.portfolio.environment import spaces_of
from odyssey_assets.portfolio.episodes import Episodes
from odyssey_assets.portfolio.market import PortfolioMarket
from odyssey_assets.settings_sections import PPOSettings


class PortfolioEnv(gymnasium.Env[np.ndarray, np.ndarray]):
    """One copy of the portfolio problem over sessions [first, last] of a market.

    Equal, bit for bit, to copy number `copy` of a `PortfolioVecEnv` with the same seed.

    Args: as `Episodes` takes them; `scale` is its `forecast_scale`, `copy` its `first_copy`.

    Raises:
        ValueError: The range lies outside the market or has no decision.
    """

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
        seed: int,
        copy: int = 0,
    ) -> None:
        self.episodes = Episodes(
            market, first, last, scale, simulator, settings, max_weight, capital, 1, seed, copy
        )
        self.observation_space, self.action_space = spaces_of(len(market.panel.tickers))
        self._is_new = True

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Begin the next episode, or with a seed the first one under it."""
        super().reset(seed=seed, options=options)
        if seed is not None:
            self.episodes.restart_all(seed)
        elif not self._is_new:
            self.episodes.restart(np.ones(1, dtype=bool))
        self._is_new = False
        return self.episodes.observe()[0], {}

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Decide at this close and go on to the next; never terminated, truncated at the end."""
        rewards, is_over = self.episodes.step(action[None])
        return self.episodes.observe()[0], float(rewards[0]), False, bool(is_over[0]), {}
