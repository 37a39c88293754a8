"""When marts follow a table run, and when they leave it alone."""

import dagster as dg
import pytest

from odyssey_assets.infrastructure.partitions import RANGE_START_TAG
from odyssey_assets.infrastructure.refresh import (
    DRIVER_TAG,
    PARTITION_TAG,
    REFRESH_MARTS,
    is_table_run,
    marts_follow_market,
)


@dg.op
def nothing() -> None:
    """Do nothing."""


@dg.job
def tables() -> None:
    nothing()


def follow(
    tags: dict[str, str], unfinished: dict[str, str] | None = None
) -> dg.RunRequest | dg.SkipReason:
    """Evaluate the sensor after a successful run with `tags`, beside an unfinished run."""
    instance = dg.DagsterInstance.ephemeral()
    if unfinished is not None:
        instance.create_run_for_job(tables, tags=unfinished)
    result = tables.execute_in_process(instance=instance, tags=tags)
    marts = dg.define_asset_job(REFRESH_MARTS, selection="*")
    context = dg.build_run_status_sensor_context(
        sensor_name="marts_follow_market",
        dagster_event=result.get_run_success_event(),
        dagster_instance=instance,
        dagster_run=result.dagster_run,
    )
    outcome = marts_follow_market(marts)(context)
    assert isinstance(outcome, dg.RunRequest | dg.SkipReason)
    return outcome


@pytest.mark.parametrize("tag", [PARTITION_TAG, RANGE_START_TAG])
def test_marts_follow_a_table_run_of_the_ui_once(tag: str) -> None:
    request = follow({tag: "2024-01-01|SPY"})
    assert isinstance(request, dg.RunRequest)
    assert request.run_key is not None


def test_marts_do_not_follow_a_run_of_the_driver() -> None:
    outcome = follow({PARTITION_TAG: "2024-01-01|SPY", DRIVER_TAG: "odyssey run"})
    assert isinstance(outcome, dg.SkipReason)
    assert "odyssey run" in str(outcome.skip_message)


def test_marts_do_not_follow_themselves() -> None:
    assert isinstance(follow({}), dg.SkipReason)


def test_marts_wait_for_the_last_of_several_table_runs() -> None:
    outcome = follow(
        {PARTITION_TAG: "2024-01-01|SPY"}, unfinished={PARTITION_TAG: "2024-01-01|QQQ"}
    )
    assert isinstance(outcome, dg.SkipReason)
    assert "last" in str(outcome.skip_message)


def test_run_without_partition_is_no_table_run() -> None:
    assert not is_table_run(dg.DagsterRun(job_name=REFRESH_MARTS))
