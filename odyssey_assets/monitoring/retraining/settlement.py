"""What came of a request: the ledger's rows when a run begins and when it has ended.

A ledger takes each state of an event once, so that settling a run twice changes nothing. How the
gate decides belongs to `promotion`; here its decisions are only looked up.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime

import pandas as pd

from odyssey_assets.core.hashing import hash_mapping
from odyssey_assets.core.windows import window_of
from odyssey_assets.monitoring.retraining.admission import admit
from odyssey_assets.monitoring.retraining.events import (
    Event,
    entry,
    events_of,
    in_batch,
    rows_of,
    utc,
)
from odyssey_assets.monitoring.retraining.findings import EVENT_ID_LENGTH, Cause
from odyssey_assets.monitoring.retraining.requests import Batch, Reingest, batches_of, reingests_of
from odyssey_assets.settings_sections import RetrainingSettings

FORECASTER, POLICY = "forecaster", "policy"
OUTCOMES_OF_THE_GATE = ("promoted", "rejected", "pending")


def unsettled_batches(ledger: pd.DataFrame) -> tuple[Batch, ...]:
    """Return the retrainings that were requested and whose end the ledger does not know."""
    return batches_of(
        event for event in events_of(ledger) if event.state in ("requested", "started")
    )


def unsettled_reingests(ledger: pd.DataFrame) -> tuple[Reingest, ...]:
    """Return the requests to fetch data again whose end the ledger does not know."""
    return reingests_of(event for event in events_of(ledger) if event.state == "reingesting")


def started(ledger: pd.DataFrame, batch: str, run_id: str, now: datetime) -> pd.DataFrame:
    """Return the rows that say that the run of a batch has begun."""
    events = in_batch(events_of(ledger), batch)
    return rows_of([entry(event, "started", now, run_id=run_id) for event in events])


def finished(
    ledger: pd.DataFrame,
    batch: str,
    run_id: str,
    promotions: pd.DataFrame,
    now: datetime,
    *,
    policies: Collection[str],
) -> pd.DataFrame:
    """Return the rows that say what the run of a batch, which succeeded, came to.

    Args:
        ledger: All rows of `monitoring.retraining_events`.
        batch: Run key of the request.
        run_id: Dagster run.
        promotions: All rows of `monitoring.promotions`. An event's own decision counts, else the
            newest one about its ticker or policy since the event was requested.
        now: The moment, UTC.
        policies: Names of the learned policies; everybody else is a ticker.
    """
    entries = []
    for event in in_batch(events_of(ledger), batch):
        kind = POLICY if event.ticker in policies else FORECASTER
        outcome, reason = _decision(event, kind, promotions)
        entries.append(entry(event, "finished", now, run_id=run_id, outcome=outcome, reason=reason))
    return rows_of(entries)


def failed(
    ledger: pd.DataFrame, batch: str, run_id: str | None, message: str, now: datetime
) -> pd.DataFrame:
    """Return the rows that say that the run of a request failed: who served goes on serving."""
    return rows_of(
        [
            entry(event, "finished", now, run_id=run_id, outcome="failed", reason=message)
            for event in in_batch(events_of(ledger), batch)
        ]
    )


def fetched_again(
    ledger: pd.DataFrame,
    batch: str,
    run_id: str,
    changed: Mapping[str, bool],
    settings: RetrainingSettings,
    *,
    now: datetime,
    requester: str = "run",
) -> pd.DataFrame:
    """Return the rows after market data was fetched again: changed data is learned from.

    Append them, then request what `unsettled_batches` of the new ledger lists; the planner lists
    it too, as a request without a run.

    Args:
        ledger: All rows of `monitoring.retraining_events`.
        batch: Run key of the request to fetch.
        run_id: Dagster run, which succeeded.
        changed: By ticker, whether its bars are others than before.
        settings: Cool-down and budget, which hold here too.
        now: The moment, UTC.
        requester: Beginning of the retraining's run key.
    """
    events = events_of(ledger)
    own = in_batch(events, batch)
    same = [event for event in own if not changed.get(event.ticker, False)]
    wanted = [event for event in own if changed.get(event.ticker, False)]
    entries = [
        entry(
            event,
            "finished",
            now,
            run_id=run_id,
            outcome="unchanged_data",
            reason="the source delivered the same bars again",
        )
        for event in same
    ]
    admitted, refused = admit(wanted, events, settings, now=now, requester=requester)
    reason = "the source delivered other bars"
    entries += [entry(event, "requested", now, run_id=run_id, reason=reason) for event in admitted]
    entries += [entry(event, "suppressed", now, run_id=run_id, **why) for event, why in refused]
    return rows_of(entries)


def unasked(
    run_id: str, subjects: Sequence[str], cause: Cause, as_of: date, batch: str, now: datetime
) -> pd.DataFrame:
    """Return the rows of a retraining that no finding asked for: a schedule or a person did.

    Args:
        run_id: Dagster run.
        subjects: Tickers, and names of policies, that it retrains.
        cause: Why.
        as_of: Last session known when it was asked for.
        batch: Name under which it is settled later.
        now: The moment, UTC.
    """
    events = [
        Event(
            event_id=hash_mapping({"run": run_id, "ticker": subject})[:EVENT_ID_LENGTH],
            ticker=subject,
            window=window_of(as_of),
            as_of=as_of,
            cause=cause,
            check=None,
            value=None,
            threshold=None,
            state="requested",
            batch=batch,
            outcome=None,
            recorded_at=utc(now),
            was_requested_at=utc(now),
        )
        for subject in subjects
    ]
    return rows_of([entry(event, "requested", now, run_id=run_id) for event in events])


def _decision(event: Event, kind: str, promotions: pd.DataFrame) -> tuple[str, str]:
    """Return outcome and reason of what the gate decided about an event."""
    if event.cause == "new_window":
        return "pending", "its models forecast; the next marts hold them against the mean"
    decided = promotions[promotions["decision"].isin(OUTCOMES_OF_THE_GATE)]
    is_meant = (decided["subject"] == event.ticker) & (decided["kind"] == kind)
    about = decided[is_meant]
    own = decided[decided["event_id"] == event.event_id]
    if own.empty:
        since = event.was_requested_at or event.recorded_at
        own = about[about["recorded_at"] >= pd.Timestamp(since)]
    if own.empty and (about["as_of"] == pd.Timestamp(event.as_of)).any():
        return "unchanged_data", "the same data gave the same model, which was judged already"
    if own.empty:
        return "failed", "the run left no decision: no challenger could be fitted or judged"
    newest = own.sort_values("recorded_at", kind="stable").iloc[-1]
    return str(newest["decision"]), str(newest["reason"])
