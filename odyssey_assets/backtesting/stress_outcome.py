"""What a scenario did to a strategy: one row of `backtesting.stress` in the making."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np

NO_FIGURE = float(np.nan)


@dataclass(frozen=True)
class Outcome:
    """Figures of one scenario, NaN where one does not exist, or the reason why there are none.

    Attributes: the columns of `backtesting.stress`.
    """

    scenario: str
    kind: Literal["replay", "shock"]
    method: Literal["own_path", "newest_weights", "shock"] | None = None
    reason: str | None = None
    start_date: date | None = None
    end_date: date | None = None
    sessions: int = 0
    portfolio_return: float = NO_FIGURE
    unshocked_return: float = NO_FIGURE
    max_drawdown: float = NO_FIGURE
    proxy_return: float = NO_FIGURE
    volatility: float = NO_FIGURE
    unshocked_volatility: float = NO_FIGURE
    annual_cost: float = NO_FIGURE
    covered_weight: float = NO_FIGURE

    @property
    def status(self) -> Literal["computed", "no_data"]:
        """Whether there are figures."""
        return "computed" if self.reason is None else "no_data"
