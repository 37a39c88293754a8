"""What follows a run of the UI or the daemon: market, portfolio, monitoring, and then the marts.

A nightly run of the macro series is followed by the market. A run that writes cells (windows by
tickers) is followed by the portfolio of the windows it touched and of all later ones, since a
portfolio depends on its own past; a portfolio by the monitoring of its windows; monitoring, and
every run that decides about models, by the marts, also when it failed, so that what did change is
published. A driver that runs the jobs in order itself tags its runs, and they are left alone.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Literal

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import (
    UnresolvedAssetJobDefinition,
)

from odyssey_assets.core.windows import Window, parse_window
from odyssey_assets.infrastructure.partitions import (
    CELL_SEPARATOR,
    RANGE_END_TAG,
    RANGE_START_TAG,
    PartitionGrid,
    cell_range_tags,
    range_tags,
)
from odyssey_assets.infrastructure.refresh import (
    DRIVER_TAG,
    REFRESH_MACRO,
    REFRESH_MARTS,
    REFRESH_MONITORING,
    REFRESH_PORTFOLIO,
    RETRAIN,
    UNFINISHED,
)
from odyssey_assets.infrastructure.run_tags import PASSED_ON_TAGS

Stage = Literal["macro", "market", "portfolio", "monitoring", "versions"]

PARTITION_TAG = "dagster/partition"
MARKET_FOLLOWS_MACRO = "market_follows_macro"
PORTFOLIO_FOLLOWS_MARKET = "portfolio_follows_market"
MONITORING_FOLLOWS_PORTFOLIO = "monitoring_follows_portfolio"
MONITORING_FOLLOWS_FAILURE = "monitoring_follows_failed_portfolio"
MARTS_FOLLOW_MONITORING = "marts_follow_monitoring"
MARTS_FOLLOW_FAILURE = "marts_follow_failed_monitoring"
VERSION_JOBS = (RETRAIN, "promote", "rollback")
MACRO_KEY, MONITORING_SCHEMA = dg.AssetKey(["market_data", "macro"]), "monitoring"
MAX_RUNS_LOOKED_AT = 1000
# A night goes through five runs: the usual half minute before each would be half of its time.
INTERVAL_S = 5
NOT_BEGUN = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
]

Answer = dg.RunRequest | dg.SkipReason


@dataclass(frozen=True)
class FollowingJobs:
    """The jobs that sensors start, each after the one before it."""

    market: UnresolvedAssetJobDefinition
    portfolio: UnresolvedAssetJobDefinition
    monitoring: UnresolvedAssetJobDefinition
    marts: UnresolvedAssetJobDefinition


def followers(grid: PartitionGrid, jobs: FollowingJobs) -> list[dg.SensorDefinition]:
    """Return the sensors that keep what lies downstream current."""
    success, failure = dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE
    return [
        _market_follows_macro(grid, jobs.market),
        _portfolio_follows_market(grid, jobs.portfolio),
        _monitoring_follows(MONITORING_FOLLOWS_PORTFOLIO, success, grid, jobs.monitoring),
        _monitoring_follows(MONITORING_FOLLOWS_FAILURE, failure, grid, jobs.monitoring),
        _marts_follow(MARTS_FOLLOW_MONITORING, success, jobs.marts),
        _marts_follow(MARTS_FOLLOW_FAILURE, failure, jobs.marts),
    ]


def stage_of_run(run: dg.DagsterRun) -> Stage | None:
    """Return which stage a run refreshed, by its job, its assets or its partitions; else None.

    A run of single assets from the UI has no job of ours; its partitions and assets tell.
    """
    key = _first_key(run)
    if key is None:
        return "versions" if run.job_name in VERSION_JOBS else None
    assets = run.asset_selection or frozenset()
    if CELL_SEPARATOR in key:
        is_monitoring = _is_only(assets, lambda each: each.path[0] == MONITORING_SCHEMA)
        return "monitoring" if is_monitoring or run.job_name == REFRESH_MONITORING else "market"
    is_macro = _is_only(assets, lambda each: each == MACRO_KEY)
    return "macro" if is_macro or run.job_name == REFRESH_MACRO else "portfolio"


def _market_follows_macro(
    grid: PartitionGrid, job: UnresolvedAssetJobDefinition
) -> dg.SensorDefinition:
    def follow(context: dg.RunStatusSensorContext) -> Answer:
        run = context.dagster_run
        passed_on = {name: run.tags[name] for name in PASSED_ON_TAGS if name in run.tags}
        is_followed = stage_of_run(run) == "macro" and bool(passed_on)
        reason = _left_alone(context.instance, run, ("macro",), is_followed=is_followed)
        if reason is not None:
            return reason
        tags = {**cell_range_tags(grid, _first_window(run), _last_window(run)), **passed_on}
        return dg.RunRequest(run_key=run.run_id, tags=tags)

    return _sensor(
        MARKET_FOLLOWS_MACRO,
        dg.DagsterRunStatus.SUCCESS,
        job,
        "Goes on with prices and forecasts once a nightly run has fetched the macro series.",
        follow,
    )


def _portfolio_follows_market(
    grid: PartitionGrid, job: UnresolvedAssetJobDefinition
) -> dg.SensorDefinition:
    def follow(context: dg.RunStatusSensorContext) -> Answer:
        run = context.dagster_run
        is_followed = stage_of_run(run) == "market"
        reason = _left_alone(context.instance, run, ("market",), is_followed=is_followed)
        if reason is not None:
            return reason
        first = min(windows_since(context.instance, run, REFRESH_PORTFOLIO, ("SUCCESS",)))
        last = grid.window_list()[-1]
        return dg.RunRequest(run_key=run.run_id, tags=range_tags(min(first, last).key, last.key))

    return _sensor(
        PORTFOLIO_FOLLOWS_MARKET,
        dg.DagsterRunStatus.SUCCESS,
        job,
        "Holds the portfolio anew from the first window on that changed since its last refresh.",
        follow,
    )


def _monitoring_follows(
    name: str,
    status: dg.DagsterRunStatus,
    grid: PartitionGrid,
    job: UnresolvedAssetJobDefinition,
) -> dg.SensorDefinition:
    """Return the sensor that measures the windows of portfolio runs since the last monitoring.

    A portfolio that failed is followed too: drift and decay are about the forecasts before it.
    """

    def follow(context: dg.RunStatusSensorContext) -> Answer:
        run = context.dagster_run
        is_followed = stage_of_run(run) == "portfolio"
        reason = _left_alone(context.instance, run, ("portfolio",), is_followed=is_followed)
        if reason is not None:
            return reason
        ended = ("SUCCESS", "FAILURE")
        first = min(windows_since(context.instance, run, REFRESH_MONITORING, ended))
        last = max(_last_window(run), first)
        return dg.RunRequest(run_key=run.run_id, tags=cell_range_tags(grid, first, last))

    return _sensor(
        name, status, job, "Measures drift and forecast quality of what was forecast.", follow
    )


def _marts_follow(
    name: str, status: dg.DagsterRunStatus, job: UnresolvedAssetJobDefinition
) -> dg.SensorDefinition:
    """Return the sensor that refreshes the marts after the last stage of whatever changed."""

    def follow(context: dg.RunStatusSensorContext) -> Answer:
        run = context.dagster_run
        stage = stage_of_run(run)
        is_last = stage in ("monitoring", "versions") or (
            stage == "macro" and not any(name in run.tags for name in PASSED_ON_TAGS)
        )
        anything = ("macro", "market", "portfolio", "monitoring", "versions")
        reason = _left_alone(context.instance, run, anything, is_followed=is_last)
        if reason is not None:
            return reason
        waiting = dg.RunsFilter(job_name=REFRESH_MARTS, statuses=NOT_BEGUN)
        if context.instance.get_runs(waiting, limit=1):
            return dg.SkipReason("The marts are about to be refreshed and will see this run too.")
        return dg.RunRequest(run_key=run.run_id)

    return _sensor(
        name,
        status,
        job,
        "Summarises, rebuilds and publishes what people read once its tables changed.",
        follow,
    )


def _sensor(
    name: str,
    status: dg.DagsterRunStatus,
    job: UnresolvedAssetJobDefinition,
    description: str,
    follow: Callable[[dg.RunStatusSensorContext], Answer],
) -> dg.SensorDefinition:
    return dg.run_status_sensor(
        name=name,
        run_status=status,
        request_job=job,
        minimum_interval_seconds=INTERVAL_S,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=description,
    )(follow)


def windows_since(
    instance: dg.DagsterInstance, newest: dg.DagsterRun, follower: str, statuses: Collection[str]
) -> set[Window]:
    """Return the first window of every run of `newest`'s stage since the last run of `follower`.

    Runs whose turn to be followed was skipped, because others were under way, are among them.
    """
    stage = stage_of_run(newest)
    runs = instance.get_runs(
        dg.RunsFilter(statuses=[dg.DagsterRunStatus(status) for status in statuses]),
        limit=MAX_RUNS_LOOKED_AT,
    )
    return {_first_window(run) for run in _newer_than(runs, follower, stage)} | {
        _first_window(newest)
    }


def _newer_than(
    runs: Iterable[dg.DagsterRun], job: str, stage: Stage | None
) -> Iterable[dg.DagsterRun]:
    """Return the runs of a stage before the first run of a job in a list, newest first."""
    for run in runs:
        if run.job_name == job:
            return
        if stage_of_run(run) == stage:
            yield run


def _left_alone(
    instance: dg.DagsterInstance,
    run: dg.DagsterRun,
    waited_for: Collection[str],
    *,
    is_followed: bool,
) -> dg.SkipReason | None:
    if DRIVER_TAG in run.tags:
        return dg.SkipReason(f"{run.tags[DRIVER_TAG]} refreshes what follows itself.")
    if not is_followed:
        return dg.SkipReason("The run changed nothing that this sensor follows.")
    unfinished = instance.get_runs(dg.RunsFilter(statuses=UNFINISHED))
    others = [other for other in unfinished if other.run_id != run.run_id]
    if any(stage_of_run(other) in waited_for for other in others):
        return dg.SkipReason("Other such runs are under way; the last of them is followed.")
    return None


def _is_only(
    assets: Collection[dg.AssetKey], is_one_of_them: Callable[[dg.AssetKey], bool]
) -> bool:
    return bool(assets) and all(is_one_of_them(each) for each in assets)


def _first_window(run: dg.DagsterRun) -> Window:
    return parse_window(str(_first_key(run)).split(CELL_SEPARATOR)[0])


def _last_window(run: dg.DagsterRun) -> Window:
    key = run.tags.get(PARTITION_TAG, run.tags.get(RANGE_END_TAG))
    return parse_window(str(key).split(CELL_SEPARATOR)[0])


def _first_key(run: dg.DagsterRun) -> str | None:
    return run.tags.get(PARTITION_TAG, run.tags.get(RANGE_START_TAG))
