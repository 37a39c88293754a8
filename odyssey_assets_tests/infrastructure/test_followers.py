"""What follows a run of the UI or the daemon, and what is left alone."""

from collections.abc import Mapping, Sequence
from datetime import date

import dagster as dg
import pytest

from odyssey_assets.infrastructure.followers import (
    MARKET_FOLLOWS_MACRO,
    MARTS_FOLLOW_FAILURE,
    MARTS_FOLLOW_MONITORING,
    MONITORING_FOLLOWS_FAILURE,
    MONITORING_FOLLOWS_PORTFOLIO,
    PARTITION_TAG,
    PORTFOLIO_FOLLOWS_MARKET,
    FollowingJobs,
    followers,
    stage_of_run,
)
from odyssey_assets.infrastructure.partitions import RANGE_END_TAG, RANGE_START_TAG, build_grid
from odyssey_assets.infrastructure.refresh import (
    DRIVER_TAG,
    REFRESH_MACRO,
    REFRESH_MARKET,
    REFRESH_MARTS,
    REFRESH_MONITORING,
    REFRESH_PORTFOLIO,
    RETRAIN,
)
from odyssey_assets.infrastructure.run_tags import NIGHTLY_TAG, REINGEST_TAG
from odyssey_assets.settings import Settings

CELL = {PARTITION_TAG: "2021-01-01|SPY"}
WINDOW = {PARTITION_TAG: "2021-01-01"}
WINDOWS = {RANGE_START_TAG: "2021-01-01", RANGE_END_TAG: "2021-07-01"}
NIGHTLY = {NIGHTLY_TAG: "2022-06-30"}
GRID = build_grid(Settings(start=date(2020, 1, 1), end=date(2022, 6, 30), tickers=("SPY", "QQQ")))
JOBS = FollowingJobs(
    *[
        dg.define_asset_job(name, selection="*")
        for name in (REFRESH_MARKET, REFRESH_PORTFOLIO, REFRESH_MONITORING, REFRESH_MARTS)
    ]
)


def job_of(name: str, *, fails: bool = False) -> dg.JobDefinition:
    @dg.op
    def work() -> None:
        if fails:
            raise RuntimeError

    @dg.job(name=name)
    def job() -> None:
        work()

    return job


def follow(
    tags: Mapping[str, str],
    sensor: str,
    *,
    job: str = "anything",
    fails: bool = False,
    earlier: Sequence[tuple[str, Mapping[str, str]]] = (),
    unfinished: Mapping[str, str] | None = None,
    waiting: str | None = None,
) -> dg.RunRequest | dg.SkipReason:
    """Evaluate a sensor after a run with `tags`; earlier runs have ended, oldest first."""
    instance = dg.DagsterInstance.ephemeral()
    for name, its_tags in earlier:
        job_of(name).execute_in_process(instance=instance, tags=dict(its_tags))
    if unfinished is not None:
        instance.create_run_for_job(job_of("under_way"), tags=dict(unfinished))
    if waiting is not None:
        instance.create_run_for_job(job_of(waiting))
    result = job_of(job, fails=fails).execute_in_process(
        instance=instance, tags=dict(tags), raise_on_error=False
    )
    definition = {each.name: each for each in followers(GRID, JOBS)}[sensor]
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


def covered(request: dg.RunRequest | dg.SkipReason) -> tuple[str, str]:
    assert isinstance(request, dg.RunRequest), request
    assert request.run_key is not None
    return request.tags[RANGE_START_TAG], request.tags[RANGE_END_TAG]


def reason(outcome: dg.RunRequest | dg.SkipReason) -> str:
    assert isinstance(outcome, dg.SkipReason), outcome
    return str(outcome.skip_message)


@pytest.mark.parametrize("tag", [NIGHTLY_TAG, REINGEST_TAG])
def test_market_follows_the_macro_series_of_a_nightly_run_over_all_tickers(tag: str) -> None:
    request = follow({**WINDOWS, tag: "why"}, MARKET_FOLLOWS_MACRO, job=REFRESH_MACRO)
    assert covered(request) == ("2021-01-01|SPY", "2021-07-01|QQQ")
    assert isinstance(request, dg.RunRequest)
    assert request.tags[tag] == "why"


def test_market_follows_no_other_run_of_the_macro_series() -> None:
    assert "changed nothing" in reason(follow(WINDOW, MARKET_FOLLOWS_MACRO, job=REFRESH_MACRO))
    assert "changed nothing" in reason(follow({**WINDOW, **NIGHTLY}, MARKET_FOLLOWS_MACRO))


@pytest.mark.parametrize("tag", [PARTITION_TAG, RANGE_START_TAG])
def test_portfolio_follows_a_cell_run_from_its_window_to_the_newest(tag: str) -> None:
    request = follow({tag: "2021-01-01|SPY"}, PORTFOLIO_FOLLOWS_MARKET)
    assert covered(request) == ("2021-01-01", "2022-01-01")


def test_portfolio_covers_cell_runs_that_were_skipped_since_its_last_refresh() -> None:
    earlier = [
        ("anything", {PARTITION_TAG: "2020-01-01|SPY"}),
        (REFRESH_PORTFOLIO, WINDOW),
        (REFRESH_MONITORING, {PARTITION_TAG: "2020-01-01|SPY"}),
        ("anything", {PARTITION_TAG: "2020-07-01|QQQ"}),
    ]
    request = follow(CELL, PORTFOLIO_FOLLOWS_MARKET, earlier=earlier)
    assert covered(request) == ("2020-07-01", "2022-01-01")


def test_portfolio_waits_for_the_last_of_several_cell_runs() -> None:
    unfinished = {PARTITION_TAG: "2021-01-01|QQQ"}
    assert "last" in reason(follow(CELL, PORTFOLIO_FOLLOWS_MARKET, unfinished=unfinished))


def test_portfolio_does_not_wait_for_a_portfolio_run_that_read_older_cells() -> None:
    request = follow(CELL, PORTFOLIO_FOLLOWS_MARKET, unfinished=WINDOW)
    assert covered(request) == ("2021-01-01", "2022-01-01")


@pytest.mark.parametrize("tags", [WINDOW, {}, {**CELL, DRIVER_TAG: "odyssey run"}])
def test_portfolio_follows_neither_windows_nor_marts_nor_the_driver(tags: dict[str, str]) -> None:
    reason(follow(tags, PORTFOLIO_FOLLOWS_MARKET))


def test_portfolio_does_not_follow_monitoring() -> None:
    reason(follow(CELL, PORTFOLIO_FOLLOWS_MARKET, job=REFRESH_MONITORING))


@pytest.mark.parametrize(
    ("sensor", "fails"), [(MONITORING_FOLLOWS_PORTFOLIO, False), (MONITORING_FOLLOWS_FAILURE, True)]
)
def test_monitoring_follows_a_portfolio_over_its_windows_and_all_tickers(
    sensor: str, *, fails: bool
) -> None:
    request = follow(WINDOWS, sensor, job=REFRESH_PORTFOLIO, fails=fails)
    assert covered(request) == ("2021-01-01|SPY", "2021-07-01|QQQ")


def test_monitoring_covers_portfolios_that_were_skipped_since_the_last_monitoring() -> None:
    earlier = [
        (REFRESH_PORTFOLIO, {PARTITION_TAG: "2020-01-01"}),
        (REFRESH_MONITORING, CELL),
        (REFRESH_PORTFOLIO, {PARTITION_TAG: "2020-07-01"}),
    ]
    request = follow(WINDOW, MONITORING_FOLLOWS_PORTFOLIO, job=REFRESH_PORTFOLIO, earlier=earlier)
    assert covered(request) == ("2020-07-01|SPY", "2021-01-01|QQQ")


@pytest.mark.parametrize(
    ("tags", "job"),
    [
        (CELL, "anything"), ({}, "anything"), (WINDOW, REFRESH_MACRO),
        ({**WINDOW, DRIVER_TAG: "odyssey run"}, REFRESH_PORTFOLIO),
    ],
)  # fmt: skip
def test_monitoring_follows_nothing_else(tags: dict[str, str], job: str) -> None:
    reason(follow(tags, MONITORING_FOLLOWS_PORTFOLIO, job=job))


@pytest.mark.parametrize(
    ("sensor", "fails"), [(MARTS_FOLLOW_MONITORING, False), (MARTS_FOLLOW_FAILURE, True)]
)
@pytest.mark.parametrize(
    ("tags", "job"),
    [
        (CELL, REFRESH_MONITORING), ({}, RETRAIN), ({}, "promote"), ({}, "rollback"),
        (WINDOW, REFRESH_MACRO),
    ],
)  # fmt: skip
def test_marts_follow_whatever_comes_last_also_when_it_failed(
    tags: dict[str, str], job: str, sensor: str, *, fails: bool
) -> None:
    request = follow(tags, sensor, job=job, fails=fails)
    assert isinstance(request, dg.RunRequest)
    assert request.run_key is not None


@pytest.mark.parametrize(
    ("tags", "job"),
    [
        (CELL, "anything"), (WINDOW, REFRESH_PORTFOLIO), ({}, REFRESH_MARTS), ({}, "maintenance"),
        ({**WINDOW, **NIGHTLY}, REFRESH_MACRO),
        ({DRIVER_TAG: "odyssey run"}, RETRAIN),
    ],
)  # fmt: skip
def test_marts_follow_neither_earlier_stages_nor_themselves_nor_the_driver(
    tags: dict[str, str], job: str
) -> None:
    reason(follow(tags, MARTS_FOLLOW_MONITORING, job=job))


@pytest.mark.parametrize("other", [CELL, WINDOW])
def test_marts_wait_for_the_last_of_several_runs(other: dict[str, str]) -> None:
    outcome = follow({}, MARTS_FOLLOW_MONITORING, job=RETRAIN, unfinished=other)
    assert "last" in reason(outcome)


def test_marts_that_have_not_begun_will_see_a_further_run_too() -> None:
    outcome = follow({}, MARTS_FOLLOW_MONITORING, job=RETRAIN, waiting=REFRESH_MARTS)
    assert "about to be refreshed" in reason(outcome)
    other = follow({}, MARTS_FOLLOW_MONITORING, job=RETRAIN, waiting="maintenance")
    assert isinstance(other, dg.RunRequest)


@pytest.mark.parametrize(
    ("job", "tags", "assets", "stage"),
    [
        (REFRESH_MARTS, {}, None, None),
        ("anything", CELL, None, "market"),
        ("anything", WINDOW, None, "portfolio"),
        (REFRESH_MACRO, WINDOW, None, "macro"),
        ("anything", WINDOW, ["market_data/macro"], "macro"),
        ("anything", WINDOW, ["market_data/macro", "portfolio/weights"], "portfolio"),
        ("anything", WINDOW, ["monitoring/policy_quality"], "portfolio"),
        (REFRESH_MONITORING, CELL, None, "monitoring"),
        ("anything", CELL, ["monitoring/drift", "monitoring/drift_summary"], "monitoring"),
        ("anything", CELL, ["monitoring/drift", "market_data/bars"], "market"),
        (RETRAIN, {}, None, "versions"),
    ],
)
def test_stage_of_a_run_follows_from_its_job_its_assets_or_its_partitions(
    job: str, tags: dict[str, str], assets: list[str] | None, stage: str | None
) -> None:
    selection = None if assets is None else {dg.AssetKey(each.split("/")) for each in assets}
    run = dg.DagsterRun(
        job_name=job,
        tags=tags,
        asset_selection=None if selection is None else frozenset(selection),
    )
    assert stage_of_run(run) == stage
