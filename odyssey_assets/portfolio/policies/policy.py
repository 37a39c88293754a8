"""What every policy is: a rule or a model that turns a view of the market into target weights."""

from typing import Protocol

import numpy as np

from odyssey_assets.portfolio.market import MarketView


class Policy(Protocol):
    """Decides at the close of a session what to hold from the next open on."""

    def decide(self, view: MarketView, held: np.ndarray) -> np.ndarray | None:
        """Return the weights wanted; the caller cuts them to the limits.

        Args:
            view: What is known at the close; its last row is the deciding session.
            held: Weights held at that close, shape (tickers,), summing to at most 1.

        Returns:
            Finite numbers, shape (tickers,); None while the policy cannot decide yet (too little
            history, no forecast), in which case the portfolio stays as it is.
        """
        ...
