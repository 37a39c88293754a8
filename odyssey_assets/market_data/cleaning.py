"""From raw vintages to bars: what is stored, what is quarantined, and which sessions are missing.

This module puts the steps in order. The rules are in `vintages` (which rows count), `rejections`,
`stale_bars` and `actions` (what is wrong with them), `assembly`, `gaps`, `adjustments` and
`anomalies` (what bars are made of). A bar dated t depends on raw rows dated up to t only, so a
history cut at t gives the same bars up to t, bit for bit.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
import pandas as pd

from odyssey_assets.core.adjustment import PRICE_COLUMNS
from odyssey_assets.core.sessions import (
    CALENDAR_START,
    last_completed_sessions,
    sessions_between,
)
from odyssey_assets.market_data.actions import Actions, believed_actions
from odyssey_assets.market_data.adjustments import as_traded
from odyssey_assets.market_data.assembly import GoodHistory, assemble_bars
from odyssey_assets.market_data.gaps import find_gaps
from odyssey_assets.market_data.quarantine import quarantine_frame, rejected_mask
from odyssey_assets.market_data.rejections import reject_rows
from odyssey_assets.market_data.stale_bars import reject_stale_bars
from odyssey_assets.market_data.tables import BARS
from odyssey_assets.market_data.vintages import newest_rows
from odyssey_assets.settings_sections import CleaningSettings


@dataclass(frozen=True)
class CleanedBars:
    """What cleaning makes of raw rows.

    Attributes:
        bars: Conforms to `market_data.bars`.
        quarantine: Conforms to `market_data.quarantine`.
        gaps: Sessions without a good row after a ticker's first one: `ticker`, `start`, `end`,
            `sessions`, `is_filled` (False where the gap is longer than what is filled).
    """

    bars: pd.DataFrame
    quarantine: pd.DataFrame
    gaps: pd.DataFrame


def clean_bars(
    raw: pd.DataFrame,
    settings: CleaningSettings,
    source: str,
    end: date,
    *,
    now: datetime,
    as_of: datetime | None = None,
) -> CleanedBars:
    """Clean the whole raw history of any number of tickers.

    Args:
        raw: Rows of `market_data.raw_bars`, all vintages, in any order.
        settings: Thresholds.
        source: Only rows of this source count.
        end: Last session expected; rows after it are left out, except that a row dated after its
            own arrival is quarantined.
        now: Moment of the run, for `quarantined_at`.
        as_of: Only vintages ingested up to this moment are known; None knows all.

    Raises:
        SettingsError: `end` lies outside the trading calendar.
    """
    rows = newest_rows(raw, source, as_of)
    rows["last_session_over"] = last_completed_sessions(rows["ingested_at"].to_numpy())
    is_asked = (rows["date"] <= pd.Timestamp(end)) | (rows["date"] > rows["last_session_over"])
    rows = rows[is_asked].reset_index(drop=True)
    calendar = sessions_between(CALENDAR_START, end)
    rows["is_session"] = rows["date"].isin(calendar)

    findings = reject_rows(rows)
    is_kept = ~rejected_mask(findings, len(rows))
    findings += reject_stale_bars(rows, is_kept, settings)
    is_kept &= ~rejected_mask(findings, len(rows))
    traded = as_traded(rows)
    actions = believed_actions(rows, traded, is_kept, settings)
    findings += actions.findings
    is_kept &= ~rejected_mask(findings, len(rows))

    histories = list(_good_histories(rows, traded, is_kept, actions, calendar))
    return CleanedBars(
        bars=_bars_frame(histories, calendar, settings, source),
        quarantine=quarantine_frame(rows, findings, now),
        gaps=_gaps_frame(histories, calendar, settings.max_fill_sessions),
    )


def _good_histories(
    rows: pd.DataFrame,
    traded: pd.DataFrame,
    is_kept: np.ndarray,
    actions: Actions,
    calendar: pd.DatetimeIndex,
) -> Iterator[GoodHistory]:
    """Cut the rows into tickers; those without a good row are left out."""
    tickers, names = pd.factorize(rows["ticker"])
    sessions = calendar.searchsorted(rows["date"])
    is_action = (actions.dividend != 0.0) | (actions.split_ratio != 1.0)
    values = {name: traded[name].to_numpy() for name in (*PRICE_COLUMNS, "volume")}
    values |= {name: rows[name].to_numpy() for name in ("is_as_traded", "is_simulated")}
    bounds = np.searchsorted(tickers, np.arange(len(names) + 1))
    for ticker, first, end in zip(names, bounds[:-1], bounds[1:], strict=True):
        good = first + np.flatnonzero(is_kept[first:end])
        if len(good):
            acting = first + np.flatnonzero(is_action[first:end])
            yield GoodHistory(
                ticker=ticker,
                session=sessions[good],
                values={name: array[good] for name, array in values.items()},
                action_session=sessions[acting],
                dividend=actions.dividend[acting],
                split_ratio=actions.split_ratio[acting],
            )


def _bars_frame(
    histories: Sequence[GoodHistory],
    calendar: pd.DatetimeIndex,
    settings: CleaningSettings,
    source: str,
) -> pd.DataFrame:
    if not histories:
        return BARS.empty()
    parts = [assemble_bars(history, len(calendar) - 1, settings) for history in histories]
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    lengths = [len(part["session"]) for part in parts]
    names = pd.array([history.ticker for history in histories], dtype="str")
    frame = pd.DataFrame(
        {
            "ticker": names.take(np.repeat(np.arange(len(names)), lengths)),
            "date": calendar[columns.pop("session")],
            "source": pd.array([source], dtype="str").take(np.zeros(sum(lengths), dtype=np.intp)),
            **columns,
        }
    )
    return BARS.conform(frame)


def _gaps_frame(
    histories: Sequence[GoodHistory], calendar: pd.DatetimeIndex, max_fill_sessions: int
) -> pd.DataFrame:
    gaps = [
        find_gaps(history.ticker, history.session, calendar, max_fill_sessions)
        for history in histories
    ]
    nothing = find_gaps("", np.zeros(0, dtype=np.intp), calendar[:0], max_fill_sessions)
    return pd.concat([nothing, *gaps], ignore_index=True)
