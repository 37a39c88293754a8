"""The sensors that ask for models: what checks found, and a window that opened.

A sensor reads, plans, enters rows in the ledger and requests runs, in this order; whatever dies in
between does so again. While `odyssey run` is at work it takes these steps itself, and the sensors
wait. What is due belongs to `planning`, what came of it to `settling`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import (
    UnresolvedAssetJobDefinition,
)

from odyssey_assets.core.sessions import last_completed_session
from odyssey_assets.core.slices import Slice
from odyssey_assets.core.windows import Window, window_of
from odyssey_assets.forecasting.tables import FOLDS
from odyssey_assets.infrastructure.check_log import CheckResult, check_results_after
from odyssey_assets.infrastructure.home import held_source, home_of
from odyssey_assets.infrastructure.partitions import (
    PartitionGrid,
    cell_range_tags,
    last_session,
)
from odyssey_assets.infrastructure.refresh import REFRESH_MARKET, RETRAIN, UNFINISHED
from odyssey_assets.infrastructure.run_lock import is_run_lock_free
from odyssey_assets.infrastructure.run_tags import (
    BARS_BEFORE_TAG,
    BATCH_TAG,
    CAUSE_TAG,
    REINGEST_TAG,
)
from odyssey_assets.infrastructure.warehouse import Warehouse
from odyssey_assets.monitoring.ledgers import RETRAINING_EVENTS
from odyssey_assets.monitoring.retraining.bars import bars_as_of, noted
from odyssey_assets.monitoring.retraining.findings import (
    Cause,
    Evaluation,
    Finding,
    findings_of,
)
from odyssey_assets.monitoring.retraining.planning import Plan, plan_retraining
from odyssey_assets.monitoring.retraining.requests import Batch, Reingest, run_config
from odyssey_assets.monitoring.retraining.settlement import unsettled_batches, unsettled_reingests
from odyssey_assets.portfolio.catalog import learned_policies
from odyssey_assets.settings import Settings

ON_DRIFT, ON_FAILED_CHECK, ON_NEW_WINDOW = "on_drift", "on_failed_check", "on_new_window"
DRIVER = "run"
NEW_WINDOW: Cause = "new_window"
AT_WORK = "`odyssey run` is at work and does this itself."


@dataclass(frozen=True)
class RequestedJobs:
    """The jobs that these sensors start."""

    market: UnresolvedAssetJobDefinition
    retrain: UnresolvedAssetJobDefinition


def retraining_sensors(grid: PartitionGrid, jobs: RequestedJobs) -> list[dg.SensorDefinition]:
    """Return the sensors that ask for models."""
    return [
        _asking(
            ON_DRIFT,
            ("drift",),
            grid,
            jobs,
            "Retrains the tickers whose window no longer looks like what their model learned from.",
            recovers=(DRIVER,),
        ),
        _asking(
            ON_FAILED_CHECK,
            ("decay", "data_quality"),
            grid,
            jobs,
            "Retrains the tickers whose forecasts decayed, and the policies whose portfolio did; "
            "fetches data again that is broken.",
        ),
        _on_new_window(grid, jobs),
    ]


def _asking(
    name: str,
    causes: tuple[Cause, ...],
    grid: PartitionGrid,
    jobs: RequestedJobs,
    description: str,
    recovers: Sequence[str] = (),
) -> dg.SensorDefinition:
    @dg.sensor(
        name=name,
        jobs=[jobs.retrain, jobs.market],
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=description,
    )
    def ask(
        context: dg.SensorEvaluationContext,
        settings: dg.ResourceParam[Settings],
        warehouse: dg.ResourceParam[Warehouse],
    ) -> dg.SensorResult | dg.SkipReason:
        if not is_run_lock_free(home_of(settings).run_lock):
            return dg.SkipReason(AT_WORK)
        results, cursor = check_results_after(context.instance, context.cursor)
        found = findings_of(_evaluation(result, settings) for result in results)
        ledger = warehouse.read(RETRAINING_EVENTS)
        plan = plan_retraining(
            [each for each in found if each.cause in causes and _is_known(each, settings)],
            ledger,
            settings.retraining,
            known=last_session(settings),
            now=datetime.now(UTC),
            run_keys=_begun(
                context.instance, [*unsettled_batches(ledger), *unsettled_reingests(ledger)]
            ),
            requester=name,
            recovers=recovers,
        )
        if len(plan.rows):
            warehouse.append(RETRAINING_EVENTS, plan.rows)
        requests = _requests(plan, grid, settings, warehouse)
        if requests:
            return dg.SensorResult(run_requests=requests, cursor=cursor)
        reason = f"{len(results)} results of checks, {len(found)} findings, nothing due."
        return dg.SensorResult(skip_reason=dg.SkipReason(reason), cursor=cursor)

    return ask


def _on_new_window(grid: PartitionGrid, jobs: RequestedJobs) -> dg.SensorDefinition:
    @dg.sensor(
        name=ON_NEW_WINDOW,
        job=jobs.market,
        default_status=dg.DefaultSensorStatus.RUNNING,
        minimum_interval_seconds=300,
        description="Trains the models of a window once its first session is over.",
    )
    def open_window(
        context: dg.SensorEvaluationContext,
        settings: dg.ResourceParam[Settings],
        warehouse: dg.ResourceParam[Warehouse],
    ) -> dg.RunRequest | dg.SkipReason:
        home = home_of(settings)
        if held_source(home) != settings.source:
            return dg.SkipReason(f"No full run of source {settings.source} has filled {home.root}.")
        if not is_run_lock_free(home.run_lock):
            return dg.SkipReason(AT_WORK)
        known = last_session(settings)
        window = window_of(known)
        missing = _without_fold(warehouse, settings.tickers, window)
        if not missing:
            return dg.SkipReason(f"Every ticker has its model of {window.key}.")
        if context.instance.get_runs(dg.RunsFilter(statuses=UNFINISHED), limit=1):
            return dg.SkipReason("Runs are under way; one of them may bring the window.")
        return dg.RunRequest(
            run_key=f"{ON_NEW_WINDOW}-{window.key}-{known}",
            tags={**cell_range_tags(grid, window, window, missing), CAUSE_TAG: NEW_WINDOW},
        )

    return open_window


def _evaluation(result: CheckResult, settings: Settings) -> Evaluation:
    known = last_completed_session(result.at)
    return Evaluation(
        asset=result.asset,
        check=result.check,
        passed=result.passed,
        severity=result.severity,
        run_id=result.run_id,
        storage_id=result.storage_id,
        known=known if settings.end is None else min(settings.end, known),
        failures=result.failures,
    )


def _is_known(finding: Finding, settings: Settings) -> bool:
    """Return whether a finding is about this universe; what an earlier one held may be gone.

    Data belong to tickers: a policy has none that could be fetched again.
    """
    if finding.ticker is None or finding.ticker in settings.tickers:
        return True
    return finding.cause != "data_quality" and finding.ticker in learned_policies(settings)


def _begun(instance: dg.DagsterInstance, asked: Sequence[Batch | Reingest]) -> frozenset[str]:
    """Return the run keys of those requests that have a run."""
    return frozenset(
        each.run_key
        for each in asked
        if instance.get_runs(
            dg.RunsFilter(
                tags={BATCH_TAG if isinstance(each, Batch) else REINGEST_TAG: each.run_key}
            ),
            limit=1,
        )
    )


def _requests(
    plan: Plan, grid: PartitionGrid, settings: Settings, warehouse: Warehouse
) -> list[dg.RunRequest]:
    known, newest = last_session(settings), grid.window_list()[-1]
    retrain = [
        dg.RunRequest(
            run_key=batch.run_key,
            job_name=RETRAIN,
            run_config=run_config(batch, settings),
            tags={BATCH_TAG: batch.run_key, CAUSE_TAG: batch.cause},
        )
        for batch in plan.batches
    ]
    fetch = [
        dg.RunRequest(
            run_key=request.run_key,
            job_name=REFRESH_MARKET,
            tags={
                **cell_range_tags(grid, request.first_window, newest, request.tickers),
                REINGEST_TAG: request.run_key,
                CAUSE_TAG: "data_quality",
                BARS_BEFORE_TAG: noted(bars_as_of(warehouse, request.tickers, known)),
            },
        )
        for request in plan.reingests
    ]
    return retrain + fetch


def _without_fold(warehouse: Warehouse, tickers: Sequence[str], window: Window) -> tuple[str, ...]:
    stored = warehouse.read(FOLDS, (Slice(tuple(tickers), window.start, window.end),), ["ticker"])
    return tuple(ticker for ticker in tickers if ticker not in set(stored["ticker"]))
