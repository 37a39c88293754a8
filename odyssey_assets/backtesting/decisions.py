"""What the stored weights decided, as arrays of strategies by sessions by tickers.

Refuses weights that cannot be replayed on these prices: gaps between windows, sessions without
prices, tickers that were not listed. What the decisions earned belongs to `backtesting.engine`.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from odyssey_assets.core.price_panel import PricePanel
from odyssey_assets.errors import ContractError

REMEDY = "Materialize portfolio.weights again, from its first window on."


@dataclass(frozen=True, eq=False)
class Decisions:
    """Stored decisions on the sessions of a price panel.

    Attributes:
        strategies: Names, ascending.
        targets: Weights wanted; 0 on sessions without a decision, shape (strategies, sessions,
            tickers).
        is_decision: Whether the strategy decided at that close, shape (strategies, sessions).
        first: Row of each strategy's first decision, shape (strategies,).
        last: Row of each strategy's newest weights, shape (strategies,).
    """

    strategies: tuple[str, ...]
    targets: np.ndarray
    is_decision: np.ndarray
    first: np.ndarray
    last: np.ndarray


def read_decisions(weights: pd.DataFrame, panel: PricePanel) -> Decisions:
    """Arrange rows of `portfolio.weights`.

    Args:
        weights: From each strategy's first decision on.
        panel: Prices of every session and ticker that the weights name.

    Raises:
        ContractError: A ticker or session is not in the panel, sessions are missing between the
            first and the newest weights, the first is no decision, or a ticker is wanted before
            it is listed.
    """
    strategy, names = pd.factorize(weights["policy"], sort=True)
    session = _positions(weights, panel)
    ticker = pd.Index(panel.tickers).get_indexer(weights["ticker"])
    _refuse(ticker < 0, weights, "is none of the tickers whose prices are asked for")
    decides = weights["is_decision"].to_numpy(dtype=np.bool_)
    shape = (len(names), len(panel))
    has_weights, is_decision = np.zeros(shape, dtype=np.bool_), np.zeros(shape, dtype=np.bool_)
    has_weights[strategy, session] = True
    is_decision[strategy[decides], session[decides]] = True
    targets = np.zeros((*shape, len(panel.tickers)))
    wanted = weights["target_weight"].to_numpy(dtype=np.float64)
    targets[strategy[decides], session[decides], ticker[decides]] = wanted[decides]
    _refuse(
        decides & (wanted > 0) & ~panel.is_listed[session, ticker],
        weights,
        "is wanted before its first bar",
    )
    decisions = Decisions(
        strategies=tuple(str(name) for name in names),
        targets=targets,
        is_decision=is_decision,
        first=has_weights.argmax(axis=1),
        last=len(panel) - 1 - has_weights[:, ::-1].argmax(axis=1),
    )
    _refuse_gaps(decisions, has_weights, panel)
    return decisions


def _positions(weights: pd.DataFrame, panel: PricePanel) -> np.ndarray:
    days = weights["date"].to_numpy().astype("datetime64[D]")
    session = np.minimum(np.searchsorted(panel.dates, days), len(panel) - 1)
    _refuse(panel.dates[session] != days, weights, "lies on a session without any bar")
    return session


def _refuse(is_wrong: np.ndarray, weights: pd.DataFrame, what: str) -> None:
    if is_wrong.any():
        row = weights.iloc[int(is_wrong.argmax())]
        raise ContractError(
            f"portfolio.weights: {int(is_wrong.sum())} rows do not fit market_data.bars; first "
            f"{row['policy']}, {row['ticker']}, {row['date']:%Y-%m-%d}, which {what}. {REMEDY}"
        )


def _refuse_gaps(decisions: Decisions, has_weights: np.ndarray, panel: PricePanel) -> None:
    session = np.arange(len(panel))
    is_inside = (session > decisions.first[:, None]) & (session < decisions.last[:, None])
    missing = is_inside & ~has_weights
    for name, gaps, first, is_decision in zip(
        decisions.strategies, missing, decisions.first, decisions.is_decision, strict=True
    ):
        if gaps.any():
            raise ContractError(
                f"portfolio.weights: {name} has no weights on {int(gaps.sum())} sessions between "
                f"its first and its newest, first on {panel.dates[gaps.argmax()]}. {REMEDY}"
            )
        if not is_decision[first]:
            raise ContractError(
                f"portfolio.weights: {name} begins on {panel.dates[first]} without a decision, so "
                f"earlier weights are missing. {REMEDY}"
            )
