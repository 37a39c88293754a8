"""Weights that optimisers found, by what they were asked: the same question is solved once.

A solution is a pure function of its question, so recalling it gives the very bits that solving it
again would. Where solutions are kept between runs belongs to `portfolio.solution_store`.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib.metadata import version

import numpy as np

SOLVER_LIBRARIES = ("clarabel", "cvxpy-base", "numpy", "scikit-learn", "scipy", "skfolio")


class Solutions:
    """What is known from before, and what was asked for since.

    Args:
        known: Weights by the hash of their question.
    """

    def __init__(self, known: Mapping[str, np.ndarray] | None = None) -> None:
        self._known = dict(known or {})
        self._asked: dict[str, np.ndarray] = {}

    @property
    def asked(self) -> Mapping[str, np.ndarray]:
        """Every solution that was asked for, recalled or found."""
        return self._asked

    def weights(
        self,
        rule: Mapping[str, object],
        returns: np.ndarray,
        solve: Callable[[], np.ndarray],
    ) -> np.ndarray:
        """Return the weights that `solve` finds, without calling it where they are known.

        Args:
            rule: What is optimised, JSON-like: kind and every parameter.
            returns: What it is optimised on, all that `solve` depends on besides the rule, shape
                (sessions, tickers).
            solve: Finds the weights, shape (tickers,).

        Raises:
            PolicyError: As `solve` does; nothing is remembered then.
        """
        key = _question(rule, returns)
        if key not in self._asked:
            self._asked[key] = self._known[key] if key in self._known else solve()
        return self._asked[key].copy()


def _question(rule: Mapping[str, object], returns: np.ndarray) -> str:
    """Return the SHA-256 (hex) of all that decides a solution, the solving software included."""
    header = {"rule": rule, "shape": returns.shape, "software": _versions()}
    digest = hashlib.sha256(json.dumps(header, sort_keys=True).encode())
    digest.update(np.ascontiguousarray(returns, dtype="<f8").tobytes())
    return digest.hexdigest()


@lru_cache(maxsize=1)
def _versions() -> dict[str, str]:
    return {name: version(name) for name in SOLVER_LIBRARIES}
