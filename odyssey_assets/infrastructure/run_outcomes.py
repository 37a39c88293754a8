"""How the run of a request went, its automatic retries taken together.

A request may have several runs: Dagster repeats one that failed, with the same tags. One success
settles it; a failure settles it only when no further attempt will be made.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import dagster as dg
from dagster._core.storage.tags import ROOT_RUN_ID_TAG, WILL_RETRY_TAG

from odyssey_assets.infrastructure.refresh import DRIVER_TAG

State = Literal["under_way", "succeeded", "failed"]
RETRY_PATIENCE = timedelta(minutes=30)
MAX_ATTEMPTS_LOOKED_AT = 20


@dataclass(frozen=True)
class RunOutcome:
    """The run that tells how a request went.

    Attributes:
        run: The run.
        state: How it went.
    """

    run: dg.DagsterRun
    state: State


def outcome_of_request(
    instance: dg.DagsterInstance, tag: str, value: str, now: datetime
) -> RunOutcome | None:
    """Return how the runs with a tag went; None if there is none yet."""
    filters = dg.RunsFilter(tags={tag: value})
    return _outcome(instance.get_run_records(filters, limit=MAX_ATTEMPTS_LOOKED_AT), now)


def outcome_of_run(instance: dg.DagsterInstance, run_id: str, now: datetime) -> RunOutcome | None:
    """Return how a run and its retries went; None if it was deleted."""
    own = instance.get_run_records(dg.RunsFilter(run_ids=[run_id]))
    retries = instance.get_run_records(
        dg.RunsFilter(tags={ROOT_RUN_ID_TAG: run_id}), limit=MAX_ATTEMPTS_LOOKED_AT
    )
    return _outcome([*retries, *own], now)


def _outcome(records: Sequence[dg.RunRecord], now: datetime) -> RunOutcome | None:
    """Return what attempts, newest first, came to."""
    runs = [record.dagster_run for record in records]
    if not runs:
        return None
    for run in runs:
        if run.is_success:
            return RunOutcome(run, "succeeded")
    for run in runs:
        if not run.is_finished:
            return RunOutcome(run, "under_way")
    state: State = "under_way" if _will_retry(records[0], now) else "failed"
    return RunOutcome(runs[0], state)


def _will_retry(record: dg.RunRecord, now: datetime) -> bool:
    """Return whether Dagster is still to repeat a run that failed; not for ever, though."""
    tags = record.dagster_run.tags
    if tags.get(WILL_RETRY_TAG) != "true" or DRIVER_TAG in tags:
        return False
    ended = record.end_time
    return ended is not None and now.timestamp() - ended < RETRY_PATIENCE.total_seconds()
