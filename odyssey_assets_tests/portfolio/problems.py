"""A portfolio problem for tests: a market with its limits and costs, as each kind of environment.

The markets themselves are made by `portfolio.markets`.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from odyssey_assets.core.constraints import Limits
from odyssey_assets.core.execution import Simulator, TradingCosts
from odyssey_assets.portfolio.environment import PortfolioVecEnv
from odyssey_assets.portfolio.episodes import Episodes
from odyssey_assets.portfolio.gym_environment import PortfolioEnv
from odyssey_assets.portfolio.market import PortfolioMarket
from odyssey_assets.portfolio.observations import fit_forecast_scale
from odyssey_assets.settings_sections import PPOSettings

CAPITAL = 1e6
SETTINGS = PPOSettings(episode_sessions=20)
COSTS = TradingCosts(10.0, 5.0, 0.1, 0.05)
LIMITS = Limits(0.4, 0.8, 0.2)


@dataclass(frozen=True, eq=False)
class Problem:
    """Sessions [first, last] of a market to learn from."""

    market: PortfolioMarket
    first: int
    last: int
    settings: PPOSettings = SETTINGS
    costs: TradingCosts = COSTS
    limits: Limits = LIMITS
    given_scale: np.ndarray | None = None

    @cached_property
    def scale(self) -> np.ndarray:
        if self.given_scale is not None:
            return self.given_scale
        return fit_forecast_scale(self.market.forecasts[self.first : self.last + 1])

    @cached_property
    def simulator(self) -> Simulator:
        return Simulator(self.market.panel, self.limits, self.costs)

    def vec_env(self, copies: int, seed: int = 0) -> PortfolioVecEnv:
        return PortfolioVecEnv(
            self.market, self.first, self.last, self.scale, self.simulator, self.settings,
            self.limits.max_weight, CAPITAL, copies, seed,
        )  # fmt: skip

    def gym_env(self, seed: int = 0, copy: int = 0) -> PortfolioEnv:
        return PortfolioEnv(
            self.market, self.first, self.last, self.scale, self.simulator, self.settings,
            self.limits.max_weight, CAPITAL, seed, copy,
        )  # fmt: skip

    def episodes(self, copies: int, seed: int = 0) -> Episodes:
        return self.vec_env(copies, seed).episodes


def random_actions(steps: int, copies: int, tickers: int, seed: int = 0) -> np.ndarray:
    """Return actions in [-1, 1], shape (steps, copies, tickers), float32."""
    generator = np.random.default_rng(seed)
    return generator.uniform(-1, 1, (steps, copies, tickers)).astype(np.float32)
