"""Corporate actions: which delivered dividends and splits are believed, and which are mended.

An action does not depend on the fate of its row: the believed dividend or split of a rejected row
still acts, on the bar that stands in for that row. Judged forward in time, by rows up to the
action's own date only.
"""

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pandas as pd

from odyssey_assets.market_data.quarantine import Finding
from odyssey_assets.market_data.vintages import UNDATED_DEFECTS
from odyssey_assets.settings_sections import CleaningSettings

MAX_SPLIT_RATIO = 1e3
MAX_SPLIT_TERM = 25
PROVEN_SPLIT_RATIO = 1.5
"""From this ratio on a split shows in the price beyond doubt and must be seen there."""
BOOKED_SPLIT_TOLERANCE = 0.01
BOOKED_SPLIT_MOVE = 0.25


@dataclass(frozen=True)
class Actions:
    """Believed actions by row: arrays as long as the judged rows, 0 and 1 where none.

    Attributes:
        dividend: USD a share, on the ex-date's split basis.
        split_ratio: Shares after for one before.
        findings: Rows rejected and values repaired on the way.
    """

    dividend: np.ndarray
    split_ratio: np.ndarray
    findings: list[Finding]


def believed_actions(
    rows: pd.DataFrame, traded: pd.DataFrame, is_kept: np.ndarray, settings: CleaningSettings
) -> Actions:
    """Judge every delivered dividend and split.

    Args:
        rows: Delivered rows sorted by ticker and date, with `is_conflicting` and
            `last_session_over`.
        traded: The same rows as traded (`adjustments.as_traded`).
        is_kept: Which rows are good so far.
        settings: Largest dividend share and split tolerance.
    """
    dividend, split_ratio = _delivered_actions(rows, traded)
    screen = _Screen(
        dividend=dividend,
        split_ratio=split_ratio,
        close=traded["close"].to_numpy(dtype=np.float64),
        is_as_traded=rows["is_as_traded"].to_numpy(dtype=bool),
        is_kept=is_kept.copy(),
        settings=settings,
        findings=[],
    )
    tickers = pd.factorize(rows["ticker"])[0]
    events = np.flatnonzero((dividend != 0.0) | (split_ratio != 1.0))
    for ticker in np.unique(tickers[events]):
        own = events[tickers[events] == ticker]
        screen.judge_ticker(own.tolist(), int(np.searchsorted(tickers, ticker)))
    return Actions(dividend, split_ratio, screen.findings)


def snapped_split_ratio(ratio: float, tolerance: float) -> float:
    """Return the ratio of small whole numbers within relative `tolerance` of `ratio`, or `ratio`.

    Small are n:1 and 1:n for any n, and m:n with both at most `MAX_SPLIT_TERM`: 20:1, 1:15, 3:2,
    21:20. Larger ones lie so close together that every ratio would be near one.
    """
    larger = max(ratio, 1.0 / ratio)
    fraction = Fraction(larger).limit_denominator(max(1, int((MAX_SPLIT_TERM + 0.5) / larger)))
    whole = fraction.numerator, fraction.denominator
    snapped = whole[0] / whole[1] if ratio >= 1.0 else whole[1] / whole[0]
    return snapped if abs(ratio / snapped - 1.0) <= tolerance else ratio


def _delivered_actions(rows: pd.DataFrame, traded: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return dividend and split ratio by row, nulls and rows without a day of their own neutral.

    Of conflicting rows of one day an action acts once, if those that name one agree on it; dividend
    and split then stand on the same row, the first by hash of those that name any.
    """
    dividend = traded["dividend"].to_numpy(dtype=np.float64, copy=True)
    split_ratio = rows["split_ratio"].fillna(1.0).to_numpy(dtype=np.float64, copy=True)
    has_no_day = rows["defect"].isin(UNDATED_DEFECTS).to_numpy(dtype=bool)
    is_future = (rows["date"] > rows["last_session_over"]).to_numpy(dtype=bool)
    dividend[has_no_day | is_future] = 0.0
    split_ratio[has_no_day | is_future] = 1.0
    names_action = (dividend != 0.0) | (split_ratio != 1.0)
    named = rows[rows["is_conflicting"].to_numpy(dtype=bool) & names_action]
    for _, same_day in named.groupby(["ticker", "date"]):
        positions = same_day.sort_values("row_sha256").index.to_numpy()
        for values, neutral in ((dividend, 0.0), (split_ratio, 1.0)):
            found = set(values[positions].tolist()) - {neutral}
            values[positions] = neutral
            values[positions[0]] = found.pop() if len(found) == 1 else neutral
    return dividend, split_ratio


@dataclass
class _Screen:
    """Walks one ticker's actions in date order, rejecting as it goes."""

    dividend: np.ndarray
    split_ratio: np.ndarray
    close: np.ndarray
    is_as_traded: np.ndarray
    is_kept: np.ndarray
    settings: CleaningSettings
    findings: list[Finding]

    def judge_ticker(self, events: list[int], first: int) -> None:
        """Judge the actions at positions `events` of the ticker whose first row is `first`."""
        last_event, split_since, dividends_since = first - 1, 1.0, 0.0
        for row in events:
            last = self._last_kept_before(row, first)
            if last is None or last >= last_event:
                split_since, dividends_since = 1.0, 0.0
            previous = None if last is None else self.close[last] / split_since
            self._judge_split(row, previous)
            self._judge_dividend(row, previous, dividends_since / self.split_ratio[row])
            split_since *= self.split_ratio[row]
            dividends_since = dividends_since / self.split_ratio[row] + self.dividend[row]
            last_event = row

    def _last_kept_before(self, row: int, first: int) -> int | None:
        for position in range(row - 1, first - 1, -1):
            if self.is_kept[position]:
                return position
        return None

    def _judge_split(self, row: int, previous: float | None) -> None:
        """Snap the split of `row`, or reject the row because of it."""
        ratio = float(self.split_ratio[row])
        if ratio == 1.0:
            return
        if not 1.0 / MAX_SPLIT_RATIO <= ratio <= MAX_SPLIT_RATIO:
            self._reject(
                row,
                "implausible_split",
                f"found split ratio {ratio:g}, expected {1 / MAX_SPLIT_RATIO:g} to "
                f"{MAX_SPLIT_RATIO:g} shares for one",
            )
            self.split_ratio[row] = 1.0
            return
        snapped = snapped_split_ratio(ratio, self.settings.split_tolerance)
        if previous is not None and self._is_denied_by_price(row, previous, snapped):
            self._reject(
                row,
                "implausible_split",
                f"found split ratio {ratio:g} while the close went from {previous:g} to "
                f"{self.close[row]:g}, expected about {previous / snapped:g}",
            )
            self.split_ratio[row] = 1.0
            return
        if snapped != ratio:
            self.findings.append(
                Finding(
                    row,
                    "inexact_split_ratio",
                    f"found split ratio {ratio!r}, taken as {snapped!r}",
                    is_rejected=False,
                )
            )
        self.split_ratio[row] = snapped

    def _is_denied_by_price(self, row: int, previous: float, ratio: float) -> bool:
        """Whether the row's own good as-traded price moved as if there had been no split."""
        expected = math.log(ratio)
        if not (self.is_kept[row] and self.is_as_traded[row]):
            return False
        if abs(expected) < math.log(PROVEN_SPLIT_RATIO):
            return False
        found = math.log(previous / self.close[row])
        return abs(found - expected) > abs(found)

    def _judge_dividend(self, row: int, previous: float | None, dividends_since: float) -> None:
        """Reject the row of a dividend that cannot be; see in it the split that it may be.

        Dividends since the last good close that no good close has absorbed yet count with it, so
        that together they stay below the price.
        """
        if previous is None and not self.is_kept[row]:
            return  # before the ticker's first bar: nothing it could act on
        dividend = float(self.dividend[row])
        price = self.close[row] if previous is None else previous / self.split_ratio[row]
        limit = self.settings.max_dividend_share * price - dividends_since
        if dividend == 0.0 or (0.0 < dividend <= limit and dividend < price - dividends_since):
            return
        whole = self._booked_split(row, previous, dividend)
        self._reject(
            row,
            "implausible_dividend",
            f"found dividend {dividend:g}, expected 0 to {max(limit, 0.0):g} "
            f"({self.settings.max_dividend_share:g} of the previous close {price:g})",
        )
        self.dividend[row] = 0.0
        if whole is not None:
            self.findings.append(
                Finding(
                    row,
                    "split_booked_as_dividend",
                    f"found dividend {dividend:g} of {price:g} and a close of "
                    f"{self.close[row]:g}, taken as a split of {whole} for 1",
                    is_rejected=False,
                )
            )
            self.split_ratio[row] *= whole

    def _booked_split(self, row: int, previous: float | None, dividend: float) -> int | None:
        """Return the whole split ratio that the dividend stands for and the price confirms."""
        if previous is None or not (self.is_kept[row] and self.is_as_traded[row]):
            return None
        price = previous / self.split_ratio[row]
        if not 0.0 < dividend < price:
            return None
        implied = price / (price - dividend)
        whole = round(implied)
        is_whole = whole >= 2 and abs(implied / whole - 1.0) <= BOOKED_SPLIT_TOLERANCE
        is_seen = abs(self.close[row] * whole / price - 1.0) <= BOOKED_SPLIT_MOVE
        return whole if is_whole and is_seen else None

    def _reject(self, row: int, reason: str, detail: str) -> None:
        self.findings.append(Finding(row, reason, detail))
        self.is_kept[row] = False
