"""From returns to what was quoted: bars, volume, dividends and splits as traded.

Opens and extremes come from a Brownian bridge, so that every bar is consistent with the closes on
both sides of it. Delivery on a vendor's basis belongs to `sources.simulated`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from odyssey_assets.market_data.sources.simulation.draws import (
    normal_draws,
    remember,
    stream,
    uniform_draws,
)
from odyssey_assets.market_data.sources.simulation.profiles import TickerProfile
from odyssey_assets.market_data.sources.simulation.returns import TickerReturns

OVERNIGHT_SHARE = 0.3
_LARGEST_UNIFORM = 0.98
SPLIT_ABOVE_USD = 400.0
CONSOLIDATE_BELOW_USD, CONSOLIDATION_RATIO = 5.0, 0.1
SPLIT_RATIOS = (2.0, 3.0, 4.0, 5.0, 7.0, 10.0)
SPLIT_NOTICE_SESSIONS = 15
_EX_DAY = 10
_VOLUME_MEMORY, _VOLUME_NOISE = 0.9, 0.35
_VOLUME_PER_SURPRISE = 0.3
BREAK_VOLUME_SCALE = 2.5
_ROUND_LOT = 100.0


@dataclass(frozen=True)
class TickerBars:
    """As-traded history of all tickers, (days, tickers) each; null before a listing.

    Attributes:
        open: First price, USD, in cents.
        high: Highest price.
        low: Lowest price.
        close: Last price.
        volume: Shares traded, in round lots.
        dividend: Cash a share, on the basis of the ex-date; 0 without one.
        split_ratio: Shares after for one before, effective that day; 1 without a split.
    """

    open: np.ndarray
    high: np.ndarray
    low: np.ndarray
    close: np.ndarray
    volume: np.ndarray
    dividend: np.ndarray
    split_ratio: np.ndarray


def simulate_bars(
    seed: int,
    tickers: Sequence[str],
    profiles: Sequence[TickerProfile],
    dates: pd.DatetimeIndex,
    returns: TickerReturns,
    is_broken: np.ndarray,
) -> TickerBars:
    """Turn returns into quoted bars; arguments as in `simulation.returns`."""
    is_listed = _listed(profiles, dates)
    payout = _payouts(profiles, dates) * is_listed
    moves = np.where(is_listed, returns.log_returns + np.log1p(-payout), 0.0)
    first_price = np.array([profile.first_price for profile in profiles])
    level = first_price * np.exp(moves.cumsum(axis=0))
    level_before = np.vstack([first_price, level[:-1]])

    split_ratio = _splits(seed, tickers, profiles, level)
    basis = split_ratio.cumprod(axis=0)
    bridge = _bridge(seed, tickers, moves, returns.volatility)
    before = level_before / basis
    opening, high, low = (_quoted(before * np.exp(part), is_listed) for part in bridge)
    usual = np.array([profile.daily_volume for profile in profiles])
    activity = _activity(seed, tickers, returns.innovations)
    shares = usual * basis * activity * np.where(is_broken, BREAK_VOLUME_SCALE, 1.0)
    volume = np.maximum(np.rint(shares / _ROUND_LOT), 1.0) * _ROUND_LOT
    return TickerBars(
        open=opening,
        high=high,
        low=low,
        close=_quoted(level / basis, is_listed),
        volume=np.where(is_listed, volume, np.nan),
        dividend=np.round(before * payout, 4),
        split_ratio=split_ratio,
    )


def _quoted(prices: np.ndarray, is_listed: np.ndarray) -> np.ndarray:
    return np.where(is_listed, np.maximum(np.round(prices, 2), 0.01), np.nan)


def _listed(profiles: Sequence[TickerProfile], dates: pd.DatetimeIndex) -> np.ndarray:
    listed = np.array([profile.listed or "1900-01-01" for profile in profiles], "datetime64[us]")
    return dates.to_numpy()[:, None] >= listed


def _payouts(profiles: Sequence[TickerProfile], dates: pd.DatetimeIndex) -> np.ndarray:
    """Return the share of the price paid out each day, (days, tickers): the ex-dates' calendar."""
    is_late = dates.day.to_numpy() >= _EX_DAY
    is_ex_day = np.zeros(len(dates), dtype=bool)
    is_ex_day[1:] = is_late[1:] & ~is_late[:-1]
    payouts = np.zeros((len(dates), len(profiles)))
    for column, profile in enumerate(profiles):
        if profile.dividend_months:
            is_month = dates.month.to_numpy() % profile.dividend_months == 0
            payouts[is_ex_day & is_month, column] = (
                profile.dividend_yield * profile.dividend_months / 12
            )
    return payouts


def _splits(
    seed: int, tickers: Sequence[str], profiles: Sequence[TickerProfile], level: np.ndarray
) -> np.ndarray:
    """Return split ratios, (days, tickers): a price out of bounds is split some sessions later."""
    ratios = np.ones_like(level)
    for column, (ticker, profile) in enumerate(zip(tickers, profiles, strict=True)):
        if profile.is_fund:
            continue
        draw = stream(seed, f"split/{ticker}")
        price = level[:-SPLIT_NOTICE_SESSIONS, column].copy()
        while len(
            out := np.flatnonzero((price > SPLIT_ABOVE_USD) | (price < CONSOLIDATE_BELOW_USD))
        ):
            is_high = price[out[0]] > SPLIT_ABOVE_USD
            ratio = float(draw.choice(SPLIT_RATIOS)) if is_high else CONSOLIDATION_RATIO
            effective = int(out[0]) + SPLIT_NOTICE_SESSIONS
            ratios[effective, column] = ratio
            price[:effective] = np.nan
            price[effective:] /= ratio
    return ratios


def _bridge(
    seed: int, tickers: Sequence[str], moves: np.ndarray, volatility: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return open, high and low as log moves from the close before, given the close's move.

    The maximum of a Brownian bridge from a to b with variance v is
    `(a + b + sqrt((b - a)^2 - 2 v ln U)) / 2` (Karatzas and Shreve 1991, section 4.3).
    """
    days = len(moves)
    noise = normal_draws(seed, tickers, "overnight", days)
    overnight = np.sqrt(OVERNIGHT_SHARE * (1.0 - OVERNIGHT_SHARE)) * volatility * noise
    opening = OVERNIGHT_SHARE * moves + overnight
    variance = (1.0 - OVERNIGHT_SHARE) * volatility**2
    extremes = []
    for side, purpose in ((1.0, "high"), (-1.0, "low")):
        draw = (1.0 - uniform_draws(seed, tickers, purpose, days)) * _LARGEST_UNIFORM
        reach = np.sqrt((moves - opening) ** 2 - 2.0 * variance * np.log(draw))
        extremes.append((opening + moves + side * reach) / 2.0)
    return opening, extremes[0], extremes[1]


def _activity(seed: int, tickers: Sequence[str], innovations: np.ndarray) -> np.ndarray:
    """Return lognormal trading activity around 1 that remembers and rises with surprises."""
    noise = normal_draws(seed, tickers, "volume", len(innovations))
    gain = _VOLUME_NOISE * np.sqrt(1.0 - _VOLUME_MEMORY**2)
    return np.exp(
        remember(gain * noise, _VOLUME_MEMORY) + _VOLUME_PER_SURPRISE * np.abs(innovations)
    )
