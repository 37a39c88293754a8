"""How scores become weights: in proportion, none above the cap, all within the budget.

Rules share this arithmetic. Cutting wanted weights to the limits of a portfolio with holdings it
cannot sell belongs to `core.constraints`.
"""

import numpy as np

ROUNDING = 1e-12


def proportional_weights(scores: np.ndarray, cap: float, budget: float) -> np.ndarray:
    """Return weights in proportion to `scores` that spend the whole budget.

    `w = min(scale x score, cap)` with the one scale at which the weights sum to the budget, or to
    the caps of all where those reach less far: what a cap keeps out is spread over the rest in
    proportion, as index providers cap weights (S&P Dow Jones, Index Mathematics Methodology,
    capped market capitalization indices).

    Args:
        scores: Positive, finite, shape (tickers,).
        cap: Largest weight.
        budget: Sum of the weights.
    """
    count = len(scores)
    if count == 0:
        return np.zeros(0)
    total = min(budget, count * cap)
    descending = -np.sort(-scores)
    rest = np.cumsum(descending[::-1])[::-1]
    scales = (total - np.arange(count) * cap) / rest
    # With the k largest at the cap, the scale of the rest must leave the next one below it.
    at_cap = int(np.argmax(scales * descending <= cap * (1.0 + ROUNDING)))
    return np.minimum(scores * scales[at_cap], cap)


def affordable_weights(bets: np.ndarray, cap: float, budget: float) -> np.ndarray:
    """Return the bets cut to the cap; where they exceed the budget, scaled down in proportion.

    Args:
        bets: Wanted weights, positive, finite, shape (tickers,).
        cap: Largest weight.
        budget: Largest sum of the weights.
    """
    cut = np.minimum(bets, cap)
    return cut if cut.sum() <= budget else proportional_weights(bets, cap, budget)


def on_all_tickers(weights: np.ndarray, columns: np.ndarray, tickers: int) -> np.ndarray:
    """Return weights of all tickers, shape (tickers,), from those of some columns; others get 0."""
    spread = np.zeros(tickers)
    spread[columns] = weights
    return spread
