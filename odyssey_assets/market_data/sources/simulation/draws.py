"""Random numbers that belong to a name and to a day, whatever else is drawn.

Each stream has its own generator, seeded from the market's seed and the stream's name, and is read
in the order of time. So neither a later end nor another ticker moves a number of the stream.
"""

import hashlib
from collections.abc import Sequence

import numpy as np

TAIL_DEGREES_OF_FREEDOM = 5
LARGEST_INNOVATION = 7.0


def stream(seed: int, name: str) -> np.random.Generator:
    """Return the generator of the stream called `name`, at its beginning."""
    digest = hashlib.sha256(name.encode()).digest()
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, *digest])))


def normal_draws(seed: int, names: Sequence[str], purpose: str, days: int) -> np.ndarray:
    """Return standard normal draws, (days, names); columns are independent streams."""
    columns = [stream(seed, f"{purpose}/{name}").standard_normal(days) for name in names]
    return _by_day(columns, days)


def uniform_draws(seed: int, names: Sequence[str], purpose: str, days: int) -> np.ndarray:
    """Return uniform draws in [0, 1), (days, names); columns are independent streams."""
    return _by_day([stream(seed, f"{purpose}/{name}").random(days) for name in names], days)


def fat_tailed_draws(seed: int, names: Sequence[str], purpose: str, days: int) -> np.ndarray:
    """Return Student-t draws scaled to unit variance, (days, names).

    Five degrees of freedom, as daily stock returns have (Praetz 1972); limited to seven standard
    deviations, so that no single day decides a history.
    """
    degrees = TAIL_DEGREES_OF_FREEDOM
    columns = [stream(seed, f"{purpose}/{name}").standard_t(degrees, days) for name in names]
    scaled = _by_day(columns, days) * np.sqrt((degrees - 2) / degrees)
    return np.clip(scaled, -LARGEST_INNOVATION, LARGEST_INNOVATION)


def remember(shocks: np.ndarray, memory: float) -> np.ndarray:
    """Return `x[t] = memory x[t-1] + shock[t]` along the days, starting from 0."""
    state = np.zeros_like(shocks)
    state[:1] = shocks[:1]
    for day in range(1, len(shocks)):
        state[day] = memory * state[day - 1] + shocks[day]
    return state


def _by_day(columns: Sequence[np.ndarray], days: int) -> np.ndarray:
    if not columns:
        return np.empty((days, 0))
    return np.ascontiguousarray(np.column_stack(columns))
