"""Many copies of one portfolio problem, each at a session of its own, stepped at once.

What happens in a step, where an episode begins, and all that must be kept to go on later. How
stable-baselines3 and gymnasium see it belongs to `portfolio.environment` and
`portfolio.gym_environment`, which add nothing of their own; fills belong to `core.execution`.
"""

from collections.abc import Mapping

import numpy as np

from odyssey_assets.core.execution import Book, Simulator
from odyssey_assets.errors import ModelError, TrainingError
from odyssey_assets.portfolio.market import PortfolioMarket
from odyssey_assets.portfolio.observations import (
    observation_scale,
    raw_observation,
    scaled_observation,
    wanted_weights,
)
from odyssey_assets.portfolio.reward import RunningMoments, step_reward
from odyssey_assets.settings_sections import PPOSettings


class Episodes:
    """Portfolios that start in cash and decide at every close of an episode.

    An episode is a stretch of `episode_sessions` decisions laid at random over the range and cut at
    its ends, so that every session is learned from equally often. Where the n-th episode of a copy
    begins follows from the seed, the copy and n alone. An observation at session t uses forecasts
    made at t and weights held at the close of t, nothing later.

    Args:
        market: Prices and forecasts.
        first: First session that is decided in.
        last: Session at whose close the last decision is marked; nothing after it is read.
        forecast_scale: As `fit_forecast_scale` returns it, shape (tickers,).
        simulator: Fills orders, over the market's panel.
        settings: Length of an episode, weight of the differential Sharpe ratio.
        max_weight: Most that one ticker may weigh: the change that an action of 1 asks for.
        capital: USD each episode starts with.
        copies: Portfolios stepped at once.
        seed: Of the stretches.
        first_copy: Number of the first copy; copies of the same number and seed are the same.

    Raises:
        ValueError: The range lies outside the market or has no decision.
    """

    def __init__(
        self,
        market: PortfolioMarket,
        first: int,
        last: int,
        forecast_scale: np.ndarray,
        simulator: Simulator,
        settings: PPOSettings,
        max_weight: float,
        capital: float,
        copies: int,
        seed: int,
        first_copy: int = 0,
    ) -> None:
        if not 0 <= first < last < len(market.panel):
            raise ValueError(
                f"Episodes need at least two sessions of the {len(market.panel)} there are; "
                f"found first {first}, last {last}."
            )
        self._first, self._last = first, last
        self._simulator = simulator
        self._settings = settings
        self._max_weight, self._capital = max_weight, capital
        self._first_copy = first_copy
        self._forecasts = market.forecasts
        self._scale = observation_scale(forecast_scale, max_weight)
        self._every = np.ones(copies, dtype=bool)
        self._seed = seed
        self._book = Book.of_cash(capital, copies, len(market.panel.tickers))
        self._moments = RunningMoments.of_new(copies)
        self._held = np.zeros_like(self._book.units)
        self._sessions, self._begins, self._ends, self._episodes = np.zeros(
            (4, copies), dtype=np.int64
        )
        self._rewards = np.zeros(copies)
        self.restart_all(seed)

    def restart_all(self, seed: int) -> None:
        """Begin the first episode of every copy under `seed`."""
        self._seed = seed
        self._episodes[:] = -1
        self.restart(self._every)

    def restart(self, which: np.ndarray) -> None:
        """Begin the next episode of the copies where `which` is true, shape (copies,)."""
        length = self._settings.episode_sessions
        for copy in np.flatnonzero(which).tolist():
            self._episodes[copy] += 1
            stream = (self._seed, self._first_copy + copy, int(self._episodes[copy]))
            start = int(
                np.random.default_rng(stream).integers(self._first - length + 1, self._last)
            )
            self._begins[copy] = max(start, self._first)
            self._ends[copy] = min(start + length, self._last)
        self._sessions[which] = self._begins[which]
        self._book.units[which] = 0.0
        self._book.pending[which] = 0.0
        self._book.cash[which] = self._capital
        self._held[which] = 0.0
        self._rewards[which] = 0.0
        self._moments.restart(which)

    def observe(self) -> np.ndarray:
        """Return what the network sees at the close of each copy's session, (copies, 2 x tickers).

        A new array, float32.
        """
        return scaled_observation(
            raw_observation(self._forecasts[self._sessions], self._held), self._scale
        )

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Decide in every copy, and go on to the next close.

        Args:
            actions: As `wanted_weights` takes them, shape (copies, tickers).

        Returns:
            Rewards, float64, and whether the episode is over, each of shape (copies,). An episode
            never ends the portfolio: the market goes on, the copy is only taken elsewhere by
            `restart`.

        Raises:
            TrainingError: An action is no finite number; nothing was changed.
        """
        if not np.isfinite(actions).all():
            raise TrainingError(
                f"The network answers {actions[~np.isfinite(actions)][0]}, expected finite "
                "numbers: learning has diverged. Lower portfolio.ppo.learning_rate."
            )
        targets = wanted_weights(self._held, actions, self._max_weight)
        fills = self._simulator.step(self._book, self._sessions, targets, self._every)
        self._sessions += 1
        self._held = self._simulator.weights(self._book, self._sessions)
        ratios = self._moments.update(fills.returns)
        rewards = step_reward(fills.returns, ratios, self._settings.sharpe_weight)
        self._rewards += rewards
        return rewards, self._sessions >= self._ends

    @property
    def sessions(self) -> np.ndarray:
        """Row of the panel that each copy is at, a copy of shape (copies,)."""
        return self._sessions.copy()

    @property
    def held(self) -> np.ndarray:
        """Weights held at the close, a copy of shape (copies, tickers)."""
        return self._held.copy()

    @property
    def equity(self) -> np.ndarray:
        """Value of each copy at the close, USD, shape (copies,)."""
        return self._simulator.equity(self._book, self._sessions)

    def summary(self, copy: int) -> dict[str, float]:
        """Return reward and length of the running episode under the names of a gym monitor."""
        length = self._sessions[copy] - self._begins[copy]
        return {"r": float(self._rewards[copy]), "l": int(length)}

    def get_state(self) -> dict[str, np.ndarray]:
        """Return everything that changes, as arrays: enough to go on bit for bit."""
        return {"seed": np.array(self._seed, dtype=np.int64)} | {
            name: value.copy() for name, value in self._arrays().items()
        }

    def set_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Go on where `get_state` was called, in episodes made with the same arguments.

        Raises:
            ModelError: The state is of other copies, tickers or sessions; nothing was changed.
        """
        own = self._arrays() | {"seed": np.array(self._seed, dtype=np.int64)}
        expected = {name: (value.shape, value.dtype) for name, value in own.items()}
        found = {name: (np.shape(value), np.asarray(value).dtype) for name, value in state.items()}
        if found != expected:
            raise ModelError(
                f"The checkpoint's environment has {found}, expected {expected}. It was made with "
                "other settings or tickers: remove the checkpoint and train anew."
            )
        begins, ends = state["begins"], state["ends"]
        if (begins < self._first).any() or (ends > self._last).any():
            raise ModelError(
                f"The checkpoint's episodes reach from session {begins.min()} to {ends.max()}, "
                f"expected inside {self._first} to {self._last}. It was made with other sessions: "
                "remove the checkpoint and train anew."
            )
        for name, value in self._arrays().items():
            value[:] = state[name]
        self._seed = int(state["seed"])
        self._held = self._simulator.weights(self._book, self._sessions)

    def _arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays that `step` and `restart` change, by the name they are kept under."""
        return {
            "units": self._book.units,
            "pending": self._book.pending,
            "cash": self._book.cash,
            "sessions": self._sessions,
            "begins": self._begins,
            "ends": self._ends,
            "episodes": self._episodes,
            "mean": self._moments.mean,
            "square": self._moments.square,
            "rewards": self._rewards,
        }
