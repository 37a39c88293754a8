"""What follows a table run of the UI or the daemon: the portfolio, then the marts.

A run that writes cells (windows by tickers) is followed by the portfolio of the windows it
touched and of all later ones, since a portfolio depends on its own past; a run that writes windows
is followed by the marts, also when it failed, so that what did change is published. A driver that
runs the jobs in order itself tags its runs, and they are left alone.
"""

from collections.abc import Callable, Iterable

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import (
    UnresolvedAssetJobDefinition,
)

from odyssey_assets.core.windows import Window, parse_window
from odyssey_assets.infrastructure.partitions import (
    CELL_SEPARATOR,
    RANGE_START_TAG,
    PartitionGrid,
    range_tags,
)
from odyssey_assets.infrastructure.refresh import DRIVER_TAG, REFRESH_PORTFOLIO, UNFINISHED

PARTITION_TAG = "dagster/partition"
PORTFOLIO_FOLLOWS_MARKET = "portfolio_follows_market"
MARTS_FOLLOW_PORTFOLIO = "marts_follow_portfolio"
MARTS_FOLLOW_FAILURE = "marts_follow_failed_portfolio"
MAX_RUNS_LOOKED_AT = 1000


def followers(
    grid: PartitionGrid,
    portfolio_job: UnresolvedAssetJobDefinition,
    marts_job: UnresolvedAssetJobDefinition,
) -> list[dg.SensorDefinition]:
    """Return the sensors that keep what lies downstream current."""
    return [
        portfolio_follows_market(grid, portfolio_job),
        marts_follow(MARTS_FOLLOW_PORTFOLIO, dg.DagsterRunStatus.SUCCESS, marts_job),
        marts_follow(MARTS_FOLLOW_FAILURE, dg.DagsterRunStatus.FAILURE, marts_job),
    ]


def portfolio_follows_market(
    grid: PartitionGrid, portfolio_job: UnresolvedAssetJobDefinition
) -> dg.SensorDefinition:
    """Return the sensor that refreshes the portfolio once all running cell runs have ended."""

    @dg.run_status_sensor(
        name=PORTFOLIO_FOLLOWS_MARKET,
        run_status=dg.DagsterRunStatus.SUCCESS,
        request_job=portfolio_job,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=(
            "Holds the portfolio anew from the first window on that changed since its last refresh."
        ),
    )
    def follow(context: dg.RunStatusSensorContext) -> dg.RunRequest | dg.SkipReason:
        run = context.dagster_run
        reason = _left_alone(context.instance, run, writes_cells, is_followed=writes_cells(run))
        if reason is not None:
            return reason
        first = min(windows_since_last_portfolio(context.instance, run))
        last = grid.window_list()[-1]
        return dg.RunRequest(run_key=run.run_id, tags=range_tags(min(first, last).key, last.key))

    return follow


def marts_follow(
    name: str, status: dg.DagsterRunStatus, marts_job: UnresolvedAssetJobDefinition
) -> dg.SensorDefinition:
    """Return the sensor that refreshes the marts after a run over windows ended with `status`."""

    @dg.run_status_sensor(
        name=name,
        run_status=status,
        request_job=marts_job,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Summarises, rebuilds and publishes what people read once its tables changed.",
    )
    def follow(context: dg.RunStatusSensorContext) -> dg.RunRequest | dg.SkipReason:
        run = context.dagster_run
        is_followed = is_table_run(run) and not writes_cells(run)
        reason = _left_alone(context.instance, run, is_table_run, is_followed=is_followed)
        return dg.RunRequest(run_key=run.run_id) if reason is None else reason

    return follow


def is_table_run(run: dg.DagsterRun) -> bool:
    """Return whether a run writes partitioned tables: the marts have no partitions."""
    return _first_key(run) is not None


def writes_cells(run: dg.DagsterRun) -> bool:
    """Return whether a run writes tables that have tickers."""
    key = _first_key(run)
    return key is not None and CELL_SEPARATOR in key


def windows_since_last_portfolio(
    instance: dg.DagsterInstance, newest: dg.DagsterRun
) -> set[Window]:
    """Return the first window of every cell run since the last portfolio refresh began."""
    runs = instance.get_runs(
        dg.RunsFilter(statuses=[dg.DagsterRunStatus.SUCCESS]), limit=MAX_RUNS_LOOKED_AT
    )
    return {_first_window(run) for run in _newer_than_portfolio(runs)} | {_first_window(newest)}


def _newer_than_portfolio(runs: Iterable[dg.DagsterRun]) -> Iterable[dg.DagsterRun]:
    """Return the cell runs that come before the first portfolio run in a list, newest first."""
    for run in runs:
        if run.job_name == REFRESH_PORTFOLIO:
            return
        if writes_cells(run):
            yield run


def _left_alone(
    instance: dg.DagsterInstance,
    run: dg.DagsterRun,
    is_waited_for: Callable[[dg.DagsterRun], bool],
    *,
    is_followed: bool,
) -> dg.SkipReason | None:
    if DRIVER_TAG in run.tags:
        return dg.SkipReason(f"{run.tags[DRIVER_TAG]} refreshes what follows itself.")
    if not is_followed:
        return dg.SkipReason("The run changed nothing that this sensor follows.")
    unfinished = instance.get_runs(dg.RunsFilter(statuses=UNFINISHED))
    if any(other.run_id != run.run_id and is_waited_for(other) for other in unfinished):
        return dg.SkipReason("Other such runs are under way; the last of them is followed.")
    return None


def _first_window(run: dg.DagsterRun) -> Window:
    return parse_window(str(_first_key(run)).split(CELL_SEPARATOR)[0])


def _first_key(run: dg.DagsterRun) -> str | None:
    return run.tags.get(PARTITION_TAG, run.tags.get(RANGE_START_TAG))
