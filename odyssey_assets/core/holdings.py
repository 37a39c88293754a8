"""What a portfolio holds, arranged for pictures: over time with cash, and its newest positions."""

import pandas as pd

CASH_NAME = "cash"
SMALL_SHARE = 0.0005
"""Share of equity that reads as nothing when it is rounded."""

# Beyond two years single sessions are too narrow to be seen apart.
_MAX_DAILY_SESSIONS = 504


def held_shares(weights: pd.DataFrame) -> pd.DataFrame:
    """Return shares of equity, sessions by tickers, the largest on average first, cash last.

    Args:
        weights: Columns date, ticker and `held_weight` of one policy; a ticker without a row on
            a session was not held.
    """
    held = weights.pivot_table(index="date", columns="ticker", values="held_weight").fillna(0.0)
    held = held[held.mean().sort_values(ascending=False, kind="stable").index]
    held[CASH_NAME] = (1.0 - held.sum(axis=1)).clip(lower=0.0)
    return held


def drawn_shares(held: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """Return what of `held` a picture can show, and what that is, in words.

    Returns:
        The shares themselves, or their means over months on the last session of each where
        there are more than two years; the words begin with a small letter.
    """
    if len(held) <= _MAX_DAILY_SESSIONS:
        return held, "held at the close"
    months = pd.PeriodIndex(held.index, freq="M")
    means = held.groupby(months).mean()
    last = pd.Series(held.index, index=held.index).groupby(months).max()
    return means.set_axis(pd.DatetimeIndex(last), axis=0), "held at the close, means of months"


def shown_positions(newest: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that are held or wanted by any seed, smallest target first.

    Args:
        newest: Rows of one policy and session: ticker, `target_weight`, `held_weight` and
            `target_weight_seed_std`.
    """
    figures = newest[["target_weight", "held_weight", "target_weight_seed_std"]]
    is_shown = (figures.astype("float64") >= SMALL_SHARE).any(axis=1)
    return newest[is_shown].sort_values(["target_weight", "ticker"], ascending=[True, False])
