"""The stationary block bootstrap, compiled: which sessions a resampled path strings together.

What is resampled, and what is made of it, belongs to whoever draws.
"""

import math

import numpy as np
from numba import njit


def draw_paths(
    generator: np.random.Generator,
    available: int,
    block_sessions: float,
    paths: int,
    path_sessions: int,
) -> np.ndarray:
    """Draw the sessions of every path: blocks that begin anywhere, of geometric length.

    Politis and Romano (1994), Journal of the American Statistical Association 89(428): a block
    begins at a uniformly drawn session, has m sessions with probability (1 - p)^(m - 1) p, where
    1 / p is the mean, and goes on with the first session after the last one, which makes the
    resampled series stationary. A block may be longer than the sample. A path's last block is cut.

    Args:
        generator: Gives two numbers a block, path after path; its state moves on.
        available: Sessions to draw from, at least 1.
        block_sessions: Mean length of a block, at least 1.
        paths: How many.
        path_sessions: Sessions of each path, at least 1.

    Returns:
        Rows of the sample, int32, shape (paths, path_sessions).
    """
    drawn = np.empty((paths, path_sessions), dtype=np.int32)
    log_stay = math.log1p(-1.0 / block_sessions) if block_sessions > 1.0 else -math.inf
    _draw(generator, available, log_stay, drawn)
    return drawn


@njit(cache=True)
def _draw(
    generator: np.random.Generator, available: int, log_stay: float, drawn: np.ndarray
) -> None:
    paths, sessions = drawn.shape
    for path in range(paths):
        position = 0
        while position < sessions:
            session = int(generator.random() * available)
            # A geometric length by inversion; capped, because a long one may exceed an integer.
            length = min(math.log1p(-generator.random()) / log_stay, float(sessions))
            end = min(position + 1 + int(length), sessions)
            while position < end:
                drawn[path, position] = session
                position += 1
                session += 1
                if session == available:
                    session = 0
