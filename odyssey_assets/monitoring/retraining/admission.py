"""Who may retrain: a cool-down each, and so many a day. A policy counts like a ticker.

The cool-down counts sessions of the exchange, so that neither a holiday nor a clock that was moved
shortens it; the budget counts days in New York. Both see only what the ledger holds.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from odyssey_assets.core.sessions import sessions_between
from odyssey_assets.monitoring.retraining.events import Event
from odyssey_assets.monitoring.retraining.findings import Cause
from odyssey_assets.monitoring.retraining.requests import key_of
from odyssey_assets.settings_sections import RetrainingSettings

NEW_YORK = ZoneInfo("America/New_York")
UNBUDGETED: tuple[Cause, ...] = ("new_window", "schedule", "person")


def admit(
    wanted: Sequence[Event],
    events: Sequence[Event],
    settings: RetrainingSettings,
    *,
    now: datetime,
    requester: str,
) -> tuple[list[Event], list[tuple[Event, dict[str, str]]]]:
    """Return which events may retrain, as one batch, and which not, with outcome and reason.

    All events of one ticker, or of one policy, stand or fall together.

    Args:
        wanted: Events that nothing speaks against so far.
        events: All events of the ledger.
        settings: Cool-down and budget.
        now: The moment, UTC; its day in New York is the budget's.
        requester: Beginning of the run key.
    """
    others = [event for event in events if event.event_id not in {e.event_id for e in wanted}]
    left = settings.daily_budget - len(_tickers_of_today(others, now))
    admitted: list[Event] = []
    refused: list[tuple[Event, dict[str, str]]] = []
    for ticker, own in _by_ticker(wanted).items():
        why = _cooling(ticker, max(event.as_of for event in own), others, settings)
        if why is None and left <= 0:
            why = {
                "outcome": "over_budget",
                "reason": f"the day's {settings.daily_budget} were asked for already",
            }
        if why is not None:
            refused += [(event, why) for event in own]
            continue
        left -= 1
        admitted += own
    run_key = key_of(requester, "retrain", admitted)
    return [replace(event, state="requested", batch=run_key) for event in admitted], refused


def _cooling(
    ticker: str, as_of: date, events: Iterable[Event], settings: RetrainingSettings
) -> dict[str, str] | None:
    """Return why a ticker or policy must wait; None if it need not.

    A retraining that failed was none, and what a schedule, a person or a new window asked for makes
    no finding wait: otherwise everything that retrains monthly would never answer one.
    """
    asked = [
        event
        for event in events
        if event.ticker == ticker
        and event.was_requested_at is not None
        and event.outcome != "failed"
    ]
    if any(event.is_unsettled for event in asked):
        return {"outcome": "cooling_down", "reason": "a retraining is under way"}
    answered = [event.as_of for event in asked if event.cause not in UNBUDGETED]
    if not answered:
        return None
    last = max(answered)
    passed = sessions_after(last, as_of)
    if passed >= settings.cooldown_sessions:
        return None
    return {
        "outcome": "cooling_down",
        "reason": f"retrained as of {last}, {passed} of {settings.cooldown_sessions} sessions ago",
    }


def sessions_after(day: date, last: date) -> int:
    """Return how many sessions follow `day` up to `last`, inclusive; 0 if none does."""
    first = day + timedelta(days=1)
    return len(sessions_between(first, last)) if first <= last else 0


def _tickers_of_today(events: Iterable[Event], now: datetime) -> set[str]:
    today = _day_in_new_york(now)
    return {
        event.ticker
        for event in events
        if event.was_requested_at is not None
        and event.cause not in UNBUDGETED
        and _day_in_new_york(event.was_requested_at) == today
    }


def _day_in_new_york(moment: datetime) -> date:
    aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return aware.astimezone(NEW_YORK).date()


def _by_ticker(events: Iterable[Event]) -> Mapping[str, list[Event]]:
    grouped: dict[str, list[Event]] = {}
    for event in events:
        grouped.setdefault(event.ticker, []).append(event)
    return grouped
