"""How a training went: reward and validation figures at each checkpoint, and which one is chosen.

Pure: nothing here learns or stores. Rows of `portfolio.training_curves` are made in
`portfolio.training_table`.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class CurvePoint:
    """One checkpoint.

    Attributes:
        steps: Environment steps taken; 0: the warm start itself.
        mean_reward: Mean reward a step since the point before; None where no step was taken.
        validation_sharpe: Annualised, after costs, on the validation half year; None where returns
            do not vary.
        validation_return: Total return after costs there, fraction.
        validation_turnover: Traded value / equity, mean of its sessions.
    """

    steps: int
    mean_reward: float | None
    validation_sharpe: float | None
    validation_return: float
    validation_turnover: float

    @property
    def content(self) -> dict[str, Any]:
        """The point as JSON keeps it, to the last bit."""
        return asdict(self)

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> "CurvePoint":
        """Return the point that `content` describes."""
        return cls(**content)


def best_point(curve: Sequence[CurvePoint]) -> CurvePoint:
    """Return the point with the highest validation Sharpe ratio; of equals, the earliest.

    A point without a Sharpe ratio loses to any with one.
    """
    return max(curve, key=lambda point: (_rank(point), -point.steps))


def _rank(point: CurvePoint) -> float:
    return -math.inf if point.validation_sharpe is None else point.validation_sharpe
