"""What a lost model decided before it was lost: said again, and nothing else.

Who is asked after it belongs to `portfolio.deciders`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np

from odyssey_assets.portfolio.market import MarketView


@dataclass(frozen=True)
class RecordedPolicy:
    """Wants at each close what is on record for it; decides nothing where there is no record.

    Attributes:
        decisions: Weights wanted, by the session at whose close they were decided, each of shape
            (tickers,).
    """

    decisions: Mapping[date, np.ndarray]

    def decide(self, view: MarketView, held: np.ndarray) -> np.ndarray | None:  # noqa: ARG002 (contract)
        """Return the recorded weights of the session; None where there are none."""
        recorded = self.decisions.get(view.date.astype("datetime64[D]").item())
        return None if recorded is None else recorded.copy()
