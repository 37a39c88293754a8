"""The ledger of retrainings as events: how far each one has come, and new entries of its life.

An event moves on from state to state and never back, so its state is the furthest one entered,
whatever the clock said when it was. What moves it belongs to `planning` and `settlement`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import pandas as pd

from odyssey_assets.core.windows import Window, window_of
from odyssey_assets.monitoring.ledgers import RETRAINING_EVENTS
from odyssey_assets.monitoring.retraining.findings import Cause, Finding

PROGRESS = {"reingesting": 0, "requested": 1, "started": 2, "suppressed": 3, "finished": 4}
UNSETTLED = ("reingesting", "requested", "started")


@dataclass(frozen=True)
class Event:
    """One reason to retrain and how far it has come.

    Attributes:
        event_id: Its identity, as the finding has it.
        ticker: Ticker, or name of a policy, concerned.
        window: Window concerned.
        as_of: Last session known when it was found.
        cause: Kind of reason.
        check: Asset and name of the check; None without one.
        value: Figure that the check found.
        threshold: Figure that it may not pass.
        state: The furthest state it reached.
        batch: Run key of the newest request it is part of; None if nothing was requested.
        outcome: What came of it; None until then.
        recorded_at: UTC moment of the entry of its state, without time zone.
        was_requested_at: UTC moment at which a retraining was requested; None if it never was.
    """

    event_id: str
    ticker: str
    window: Window
    as_of: date
    cause: Cause
    check: str | None
    value: float | None
    threshold: float | None
    state: str
    batch: str | None
    outcome: str | None
    recorded_at: datetime
    was_requested_at: datetime | None

    @property
    def is_unsettled(self) -> bool:
        """Whether something is still to come."""
        return self.state in UNSETTLED


def events_of(ledger: pd.DataFrame) -> tuple[Event, ...]:
    """Return the events of a ledger, in the order of their sessions.

    Args:
        ledger: Rows of `monitoring.retraining_events`, in any order.
    """
    grouped: dict[str, dict[str, Mapping[str, Any]]] = {}
    for row in ledger.to_dict("records"):
        grouped.setdefault(row["event_id"], {})[row["state"]] = {str(k): v for k, v in row.items()}
    events = [_event(states) for states in grouped.values()]
    return tuple(sorted(events, key=lambda each: (each.as_of, each.ticker, each.event_id)))


def event_of(finding: Finding, ticker: str, now: datetime) -> Event:
    """Return a finding as an event that nothing has been decided about."""
    return Event(
        event_id=finding.event_id,
        ticker=ticker,
        window=finding.window,
        as_of=finding.as_of,
        cause=finding.cause,
        check=finding.check,
        value=finding.value,
        threshold=finding.threshold,
        state="requested",
        batch=None,
        outcome=None,
        recorded_at=utc(now),
        was_requested_at=None,
    )


def entry(
    event: Event,
    state: str,
    now: datetime,
    *,
    batch: str | None = None,
    run_id: str | None = None,
    outcome: str | None = None,
    reason: str | None = None,
) -> dict[str, Any]:
    """Return the ledger's row that says that `event` has reached `state`."""
    return {
        "event_id": event.event_id,
        "state": state,
        "recorded_at": utc(now),
        "ticker": event.ticker,
        "window": pd.Timestamp(event.window.start),
        "as_of": pd.Timestamp(event.as_of),
        "cause": event.cause,
        "check": event.check,
        "value": event.value,
        "threshold": event.threshold,
        "batch": batch if batch is not None else event.batch,
        "run_id": run_id,
        "outcome": outcome,
        "reason": reason,
    }


def rows_of(entries: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return entries as rows of `monitoring.retraining_events`."""
    if not entries:
        return RETRAINING_EVENTS.empty()
    return RETRAINING_EVENTS.conform(pd.DataFrame(entries, columns=RETRAINING_EVENTS.column_names))


def utc(moment: datetime) -> datetime:
    """Return a moment as the ledger stores it: UTC, without time zone."""
    return moment if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)


def in_batch(events: Iterable[Event], batch: str) -> tuple[Event, ...]:
    """Return the unsettled events that are part of a request."""
    return tuple(event for event in events if event.is_unsettled and event.batch == batch)


def _event(states: Mapping[str, Mapping[str, Any]]) -> Event:
    state = max(states, key=lambda name: PROGRESS[name])
    row = states[state]
    requested = states.get("requested")
    return Event(
        event_id=row["event_id"],
        ticker=row["ticker"],
        window=window_of(row["window"].date()),
        as_of=row["as_of"].date(),
        cause=row["cause"],
        check=_or_none(row["check"]),
        value=_or_none(row["value"]),
        threshold=_or_none(row["threshold"]),
        state=state,
        batch=_or_none(row["batch"]),
        outcome=_or_none(row["outcome"]),
        recorded_at=row["recorded_at"].to_pydatetime(),
        was_requested_at=None if requested is None else requested["recorded_at"].to_pydatetime(),
    )


def _or_none(value: Any) -> Any:
    return None if pd.isna(value) else value
