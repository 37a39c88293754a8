"""Which findings retrain what now: cool-down, daily budget, one run for all tickers and policies.

A plan is the rows to enter in the ledger and the runs to request; enter first, request then.
Whoever dies in between asks again and gets the same runs under the same run keys, so nothing is
lost and nothing happens twice. Bad data is fetched again before anybody learns from it.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

import pandas as pd

from odyssey_assets.core.windows import window_of
from odyssey_assets.monitoring.retraining.admission import admit
from odyssey_assets.monitoring.retraining.events import (
    Event,
    entry,
    event_of,
    events_of,
    rows_of,
)
from odyssey_assets.monitoring.retraining.findings import Finding
from odyssey_assets.monitoring.retraining.requests import (
    Batch,
    Reingest,
    batches_of,
    key_of,
    reingests_of,
)
from odyssey_assets.settings_sections import RetrainingSettings

EVERY_TICKER = "*"


@dataclass(frozen=True)
class Plan:
    """What is due.

    Attributes:
        rows: New rows of `monitoring.retraining_events`; append them before any run is requested.
        batches: Retrainings to request: at most one new one, and those requested before whose run
            does not exist.
        reingests: Market data to fetch again, likewise.
    """

    rows: pd.DataFrame
    batches: tuple[Batch, ...]
    reingests: tuple[Reingest, ...]


def plan_retraining(
    findings: Iterable[Finding],
    ledger: pd.DataFrame,
    settings: RetrainingSettings,
    *,
    known: date,
    now: datetime,
    run_keys: Collection[str] = (),
    requester: str = "run",
    recovers: Sequence[str] = (),
) -> Plan:
    """Return what to enter in the ledger and which runs to request.

    Args:
        findings: What checks found; those already in the ledger are left alone.
        ledger: All rows of `monitoring.retraining_events`.
        settings: Cool-down, budget, and whether anything retrains without a person.
        known: Last session that is over: of drift and decay, only its window's findings count, as
            an earlier window's model serves no more.
        now: The moment, UTC; its day in New York is the budget's.
        run_keys: Run keys of the runs that exist.
        requester: Who asks; run keys begin with it. Each requester asks again only for its own
            requests, since another's may be on their way.
        recovers: Further requesters whose requests are asked for again.
    """
    events = events_of(ledger)
    stored = {event.event_id for event in events}
    current = window_of(known)
    new = [
        each
        for each in findings
        if each.event_id not in stored and (each.cause == "data_quality" or each.window == current)
    ]
    named = [(each, each.ticker) for each in new if each.ticker is not None]
    reasons = [event_of(each, ticker, now) for each, ticker in named]
    entries = [_unnamed(each, now) for each in new if each.ticker is None]
    rejected, fetched, wanted = _after_ingestion(reasons, events, settings, requester)
    entries += [entry(event, "suppressed", now, **why) for event, why in rejected]
    entries += [entry(event, "reingesting", now) for event in fetched]
    admitted, refused = admit(wanted, events, settings, now=now, requester=requester)
    entries += [entry(event, "requested", now) for event in admitted]
    entries += [entry(event, "suppressed", now, **why) for event, why in refused]
    mine = (requester, *recovers)
    due = [
        event
        for event in (*events, *fetched, *admitted)
        if event.batch is not None and event.batch not in run_keys and _asked_by(event, mine)
    ]
    return Plan(
        rows_of(entries),
        batches_of(event for event in due if event.state == "requested"),
        reingests_of(event for event in due if event.state == "reingesting"),
    )


def _after_ingestion(
    reasons: Sequence[Event],
    events: Sequence[Event],
    settings: RetrainingSettings,
    requester: str,
) -> tuple[list[tuple[Event, dict[str, str]]], list[Event], list[Event]]:
    """Return what nobody acts on, what must be fetched again first, and what may retrain."""
    if not settings.is_automatic:
        reason = "retraining.is_automatic is off: a person decides"
        return [(event, {"reason": reason}) for event in reasons], [], []
    fetched_before = {
        (event.ticker, event.as_of) for event in events if event.cause == "data_quality"
    }
    bad = [event for event in reasons if event.cause == "data_quality"]
    again = [event for event in bad if (event.ticker, event.as_of) in fetched_before]
    first = [event for event in bad if event not in again]
    run_key = key_of(requester, "reingest", first)
    why = {"outcome": "cooling_down", "reason": "fetched again since this session already"}
    return (
        [(event, why) for event in again],
        [replace(event, state="reingesting", batch=run_key) for event in first],
        [event for event in reasons if event.cause != "data_quality"],
    )


def _unnamed(finding: Finding, now: datetime) -> dict[str, Any]:
    reason = "the check names no ticker or policy, so that nobody can be retrained: look at it"
    return entry(event_of(finding, EVERY_TICKER, now), "suppressed", now, reason=reason)


def _asked_by(event: Event, requesters: Iterable[str]) -> bool:
    return any(str(event.batch).startswith(f"{requester}-") for requester in requesters)
