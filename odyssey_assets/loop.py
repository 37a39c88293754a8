"""The turn of the loop that `odyssey run` takes itself: what its checks found retrains at once.

The daemon's sensors take the same turn through the same plans (`monitoring.retraining`); the ledger
keeps the two from doing anything twice. Which findings are due belongs to the plan, how a job runs
to `infrastructure.driver`.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import UTC, date, datetime

import dagster as dg

from odyssey_assets.infrastructure.check_log import check_result
from odyssey_assets.infrastructure.driver import JobOutcome, StepEvent, run_job
from odyssey_assets.infrastructure.partitions import last_session
from odyssey_assets.infrastructure.refresh import RETRAIN
from odyssey_assets.infrastructure.run_tags import BATCH_TAG, CAUSE_TAG
from odyssey_assets.infrastructure.warehouse import Warehouse
from odyssey_assets.monitoring.ledgers import PROMOTIONS, RETRAINING_EVENTS
from odyssey_assets.monitoring.retraining.findings import Evaluation, findings_of
from odyssey_assets.monitoring.retraining.planning import plan_retraining
from odyssey_assets.monitoring.retraining.requests import Batch, run_config
from odyssey_assets.monitoring.retraining.settlement import (
    failed,
    finished,
    started,
    unsettled_batches,
)
from odyssey_assets.portfolio.catalog import learned_policies
from odyssey_assets.settings import Settings

REQUESTER = "run"


def retrain_what_is_due(
    definitions: dg.Definitions,
    instance: dg.DagsterInstance,
    settings: Settings,
    warehouse: Warehouse,
    run_ids: Collection[str],
    on_step: Callable[[StepEvent], None],
) -> JobOutcome | None:
    """Retrain the tickers and policies that these runs' checks found in need of it, in one run.

    Market data that breaks its promises is not fetched again here: the run that has just ended did
    fetch it.

    Args:
        definitions: Code location.
        instance: Dagster instance of the home.
        settings: Cool-down, budget, whether findings retrain by themselves, tickers and policies.
        warehouse: Holds the ledgers.
        run_ids: Runs whose checks count.
        on_step: Called as each step starts, succeeds or fails.

    Returns:
        How the retraining went; None where nothing was due.
    """
    known = last_session(settings)
    findings = findings_of(_evaluations(instance, run_ids, known))
    begun = _settle_what_was_cut_short(instance, settings, warehouse)
    plan = plan_retraining(
        [finding for finding in findings if finding.cause != "data_quality"],
        warehouse.read(RETRAINING_EVENTS),
        settings.retraining,
        known=known,
        now=datetime.now(UTC),
        run_keys=begun,
        requester=REQUESTER,
    )
    warehouse.append(RETRAINING_EVENTS, plan.rows)
    outcome = None
    for batch in plan.batches:
        outcome = _retrain(definitions, instance, settings, warehouse, batch, on_step)
    return outcome


def _evaluations(
    instance: dg.DagsterInstance, run_ids: Iterable[str], known: date
) -> Iterator[Evaluation]:
    for run_id in run_ids:
        cursor, has_more = None, True
        while has_more:
            page = instance.get_records_for_run(
                run_id, cursor, dg.DagsterEventType.ASSET_CHECK_EVALUATION
            )
            cursor, has_more = page.cursor, page.has_more
            for record in page.records:
                result = check_result(record.storage_id, record.event_log_entry)
                yield Evaluation(
                    asset=result.asset,
                    check=result.check,
                    passed=result.passed,
                    severity=result.severity,
                    run_id=run_id,
                    storage_id=result.storage_id,
                    known=known,
                    failures=result.failures,
                )


def _retrain(
    definitions: dg.Definitions,
    instance: dg.DagsterInstance,
    settings: Settings,
    warehouse: Warehouse,
    batch: Batch,
    on_step: Callable[[StepEvent], None],
) -> JobOutcome:
    """Run the job for a batch, and enter in the ledger what came of it."""
    tags = {BATCH_TAG: batch.run_key, CAUSE_TAG: batch.cause}
    outcome = run_job(definitions, instance, RETRAIN, tags, on_step, run_config(batch, settings))
    now = datetime.now(UTC)
    ledger = warehouse.read(RETRAINING_EVENTS)
    warehouse.append(RETRAINING_EVENTS, started(ledger, batch.run_key, outcome.run_id, now))
    failure = "; ".join(outcome.errors) or None
    _settle(settings, warehouse, batch.run_key, outcome.run_id, failure)
    return outcome


def _settle(
    settings: Settings, warehouse: Warehouse, batch: str, run_id: str, failure: str | None
) -> None:
    ledger, now = warehouse.read(RETRAINING_EVENTS), datetime.now(UTC)
    if failure is None:
        decided, policies = warehouse.read(PROMOTIONS), learned_policies(settings)
        rows = finished(ledger, batch, run_id, decided, now, policies=policies)
    else:
        rows = failed(ledger, batch, run_id, failure, now)
    warehouse.append(RETRAINING_EVENTS, rows)


def _settle_what_was_cut_short(
    instance: dg.DagsterInstance, settings: Settings, warehouse: Warehouse
) -> frozenset[str]:
    """Settle the batches whose run has ended; return the run keys of those that have a run."""
    begun = set()
    for batch in unsettled_batches(warehouse.read(RETRAINING_EVENTS)):
        runs = instance.get_runs(dg.RunsFilter(tags={BATCH_TAG: batch.run_key}), limit=1)
        if not runs:
            continue
        begun.add(batch.run_key)
        if runs[0].is_success:
            _settle(settings, warehouse, batch.run_key, runs[0].run_id, None)
        elif runs[0].is_finished:
            reason = "The run was cut short; the next finding asks again."
            _settle(settings, warehouse, batch.run_key, runs[0].run_id, reason)
    return frozenset(begun)
