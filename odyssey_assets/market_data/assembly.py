"""The bars of one ticker, from its good rows and its believed actions.

What makes a row good and an action believed is decided before.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from odyssey_assets.core.adjustment import PRICE_COLUMNS
from odyssey_assets.market_data.adjustments import forward_factors
from odyssey_assets.market_data.anomalies import anomalous_moves
from odyssey_assets.market_data.gaps import Timeline, fill_forward, land_actions
from odyssey_assets.settings_sections import CleaningSettings


@dataclass(frozen=True)
class GoodHistory:
    """Good rows and believed actions of one ticker, oldest first.

    Attributes:
        ticker: Ticker symbol.
        session: Calendar position of each good row, increasing; at least one.
        values: As-traded `open high low close volume`, and `is_as_traded`, `is_simulated`, by row.
        action_session: Calendar position of each action, not decreasing.
        dividend: USD a share of each action; 0 without.
        split_ratio: Shares after for one before of each action; 1 without.
    """

    ticker: str
    session: np.ndarray
    values: Mapping[str, np.ndarray]
    action_session: np.ndarray
    dividend: np.ndarray
    split_ratio: np.ndarray


def assemble_bars(
    history: GoodHistory, last_session: int, settings: CleaningSettings
) -> dict[str, np.ndarray]:
    """Return the bars of one ticker, column by column; `session` is their calendar position.

    A filled session repeats the last close, put on the session's split basis, with volume 0.

    Args:
        history: Good rows and actions up to `last_session`.
        last_session: Calendar position of the last session expected.
        settings: Sessions to fill and anomaly threshold.
    """
    timeline = fill_forward(history.session, last_session, settings.max_fill_sessions)
    dividend, split_ratio = land_actions(
        timeline, history.action_session, history.dividend, history.split_ratio
    )
    prices = _prices(history, timeline, split_ratio)
    split_factor, total_return_factor = forward_factors(prices["close"], dividend, split_ratio)
    has_traded = ~timeline.is_filled
    is_anomalous = np.zeros(len(has_traded), dtype=bool)
    is_anomalous[has_traded] = anomalous_moves(
        (prices["close"] * total_return_factor)[has_traded],
        settings.anomaly_std,
        settings.anomaly_min_sessions,
    )
    return {
        "session": timeline.session,
        **prices,
        "volume": np.where(timeline.is_filled, 0.0, history.values["volume"][timeline.row]),
        "dividend": dividend,
        "split_ratio": split_ratio,
        "split_factor": split_factor,
        "total_return_factor": total_return_factor,
        "is_as_traded": history.values["is_as_traded"][timeline.row],
        "is_filled": timeline.is_filled,
        "is_anomalous": is_anomalous,
        "is_simulated": history.values["is_simulated"][timeline.row],
    }


def _prices(
    history: GoodHistory, timeline: Timeline, split_ratio: np.ndarray
) -> dict[str, np.ndarray]:
    """Return prices by stored session; the range takes in open and close to the last bit."""
    splits = np.multiply.accumulate(split_ratio)
    every = np.arange(len(splits))
    last_traded = np.maximum.accumulate(np.where(timeline.is_filled, 0, every))
    carried = history.values["close"][timeline.row] / (splits / splits[last_traded])
    prices = {
        name: np.where(timeline.is_filled, carried, history.values[name][timeline.row])
        for name in PRICE_COLUMNS
    }
    body = np.stack([prices["open"], prices["close"]])
    prices["high"] = np.maximum(prices["high"], body.max(axis=0))
    prices["low"] = np.minimum(prices["low"], body.min(axis=0))
    return prices
