"""What follows a run of the UI or the daemon, and what is left alone."""

from collections.abc import Mapping, Sequence
from datetime import date

import dagster as dg
import pytest

from odyssey_assets.infrastructure.followers import (
    MARTS_FOLLOW_FAILURE,
    MARTS_FOLLOW_PORTFOLIO,
    PARTITION_TAG,
    followers,
    is_table_run,
    writes_cells,
)
from odyssey_assets.infrastructure.partitions import RANGE_END_TAG, RANGE_START_TAG, build_grid
from odyssey_assets.infrastructure.refresh import (
    DRIVER_TAG,
    REFRESH_MARTS,
    REFRESH_PORTFOLIO,
)
from odyssey_assets.settings import Settings

CELL = {PARTITION_TAG: "2021-01-01|SPY"}
WINDOW = {PARTITION_TAG: "2021-01-01"}
GRID = build_grid(Settings(start=date(2020, 1, 1), end=date(2022, 6, 30), tickers=("SPY", "QQQ")))


@dg.op
def nothing() -> None:
    """Do nothing."""


@dg.op
def break_down() -> None:
    """Fail."""
    raise RuntimeError


@dg.job
def tables() -> None:
    nothing()


@dg.job(name=REFRESH_PORTFOLIO)
def portfolio() -> None:
    nothing()


@dg.job
def broken() -> None:
    break_down()


def follow(
    tags: Mapping[str, str],
    *,
    sensor: str = "portfolio_follows_market",
    job: dg.JobDefinition = tables,
    earlier: Sequence[tuple[dg.JobDefinition, Mapping[str, str]]] = (),
    unfinished: Mapping[str, str] | None = None,
) -> dg.RunRequest | dg.SkipReason:
    """Evaluate a sensor after a run with `tags`; earlier runs have ended, oldest first."""
    instance = dg.DagsterInstance.ephemeral()
    for one, one_tags in earlier:
        one.execute_in_process(instance=instance, tags=dict(one_tags))
    if unfinished is not None:
        instance.create_run_for_job(tables, tags=dict(unfinished))
    result = job.execute_in_process(instance=instance, tags=dict(tags), raise_on_error=False)
    jobs = [dg.define_asset_job(name, selection="*") for name in (REFRESH_PORTFOLIO, REFRESH_MARTS)]
    definition = {each.name: each for each in followers(GRID, *jobs)}[sensor]
    event = next(each for each in result.all_events if each.is_job_success or each.is_job_failure)
    context = dg.build_run_status_sensor_context(
        sensor_name=sensor,
        dagster_event=event,
        dagster_instance=instance,
        dagster_run=result.dagster_run,
    )
    outcome = definition(context)
    assert isinstance(outcome, dg.RunRequest | dg.SkipReason)
    return outcome


def windows(request: dg.RunRequest | dg.SkipReason) -> tuple[str, str]:
    assert isinstance(request, dg.RunRequest), request
    assert request.run_key is not None
    return request.tags[RANGE_START_TAG], request.tags[RANGE_END_TAG]


@pytest.mark.parametrize("tag", [PARTITION_TAG, RANGE_START_TAG])
def test_portfolio_follows_a_cell_run_from_its_window_to_the_newest(tag: str) -> None:
    assert windows(follow({tag: "2021-01-01|SPY"})) == ("2021-01-01", "2022-01-01")


def test_portfolio_covers_cell_runs_that_were_skipped_since_its_last_refresh() -> None:
    earlier = [
        (tables, {PARTITION_TAG: "2020-01-01|SPY"}),
        (portfolio, WINDOW),
        (tables, {PARTITION_TAG: "2020-07-01|QQQ"}),
    ]
    assert windows(follow(CELL, earlier=earlier)) == ("2020-07-01", "2022-01-01")


def test_portfolio_waits_for_the_last_of_several_cell_runs() -> None:
    outcome = follow(CELL, unfinished={PARTITION_TAG: "2021-01-01|QQQ"})
    assert isinstance(outcome, dg.SkipReason)
    assert "last" in str(outcome.skip_message)


def test_portfolio_does_not_wait_for_a_portfolio_run_that_read_older_cells() -> None:
    assert windows(follow(CELL, unfinished=WINDOW)) == ("2021-01-01", "2022-01-01")


@pytest.mark.parametrize("tags", [WINDOW, {}, {**CELL, DRIVER_TAG: "odyssey run"}])
def test_portfolio_follows_neither_windows_nor_marts_nor_the_driver(tags: dict[str, str]) -> None:
    assert isinstance(follow(tags), dg.SkipReason)


def test_marts_follow_a_run_over_windows() -> None:
    request = follow(WINDOW, sensor=MARTS_FOLLOW_PORTFOLIO)
    assert isinstance(request, dg.RunRequest)
    assert request.run_key is not None


def test_marts_follow_a_portfolio_that_failed() -> None:
    request = follow(WINDOW, sensor=MARTS_FOLLOW_FAILURE, job=broken)
    assert isinstance(request, dg.RunRequest)


@pytest.mark.parametrize("tags", [CELL, {}, {**WINDOW, DRIVER_TAG: "odyssey run"}])
def test_marts_follow_neither_cells_nor_themselves_nor_the_driver(tags: dict[str, str]) -> None:
    assert isinstance(follow(tags, sensor=MARTS_FOLLOW_PORTFOLIO), dg.SkipReason)


@pytest.mark.parametrize("other", [CELL, WINDOW])
def test_marts_wait_for_the_last_of_several_table_runs(other: dict[str, str]) -> None:
    outcome = follow(WINDOW, sensor=MARTS_FOLLOW_PORTFOLIO, unfinished=other)
    assert isinstance(outcome, dg.SkipReason)


def test_run_is_known_by_its_partition() -> None:
    marts = dg.DagsterRun(job_name=REFRESH_MARTS)
    assert not is_table_run(marts)
    assert not writes_cells(marts)
    assert writes_cells(dg.DagsterRun(job_name="any", tags=CELL))
    assert not writes_cells(dg.DagsterRun(job_name="any", tags=WINDOW))
