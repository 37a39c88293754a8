"""Sessions without a good row: which are filled forward, which stay out, and the report of them.

A gap is seen session by session: each of its first sessions is filled without knowing how long it
will last. Filling a gap only once it turns out to be short would need the future.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Timeline:
    """The stored sessions of one ticker, oldest first, all arrays equally long.

    Attributes:
        session: Position in the calendar.
        row: Position, among the ticker's good rows, of the last one up to the session.
        is_filled: The session has no good row of its own.
    """

    session: np.ndarray
    row: np.ndarray
    is_filled: np.ndarray


def fill_forward(sessions: np.ndarray, last_session: int, max_fill_sessions: int) -> Timeline:
    """Lay one ticker's good rows on the calendar.

    Sessions before the first good row are no gap (a late listing). After it, up to
    `max_fill_sessions` sessions without a row are filled, then nothing is stored until a row comes.

    Args:
        sessions: Calendar positions of the good rows, increasing, at least one.
        last_session: Calendar position of the last session expected.
        max_fill_sessions: Sessions filled after each good row.
    """
    every = np.arange(sessions[0], last_session + 1)
    row = np.searchsorted(sessions, every, side="right") - 1
    age = every - sessions[row]
    is_stored = age <= max_fill_sessions
    return Timeline(every[is_stored], row[is_stored], age[is_stored] > 0)


def find_gaps(
    ticker: str, sessions: np.ndarray, calendar: pd.DatetimeIndex, max_fill_sessions: int
) -> pd.DataFrame:
    """Return the gaps of one ticker up to the end of `calendar`, oldest first.

    Returns:
        `ticker`, `start` and `end` (first and last missing session), `sessions` (their number) and
        `is_filled` (all of them are filled).
    """
    bounds = np.r_[sessions, len(calendar)]
    missing = np.diff(bounds) - 1
    is_gap = missing > 0
    return pd.DataFrame(
        {
            "ticker": pd.Series([ticker] * int(is_gap.sum()), dtype="str"),
            "start": calendar[bounds[:-1][is_gap] + 1],
            "end": calendar[bounds[1:][is_gap] - 1],
            "sessions": missing[is_gap],
            "is_filled": missing[is_gap] <= max_fill_sessions,
        }
    )


def land_actions(
    timeline: Timeline, session: np.ndarray, dividend: np.ndarray, split_ratio: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return dividend and split ratio of every stored session.

    An action of a day that is not stored acts on the first stored session after it. Where several
    meet, splits multiply and dividends add up on the latest split basis. Actions before the first
    stored session have nothing to act on; those after the last one wait for a bar.

    Args:
        timeline: The stored sessions.
        session: Calendar position of each action, not decreasing.
        dividend: USD a share of each action, on its own day's split basis; 0 without.
        split_ratio: Shares after for one before of each action; 1 without.
    """
    dividends, splits = np.zeros(len(timeline.session)), np.ones(len(timeline.session))
    targets = np.searchsorted(timeline.session, session)
    is_usable = (session >= timeline.session[0]) & (targets < len(timeline.session))
    for action in np.flatnonzero(is_usable):
        target = targets[action]
        dividends[target] = dividends[target] / split_ratio[action] + dividend[action]
        splits[target] *= split_ratio[action]
    return dividends, splits
