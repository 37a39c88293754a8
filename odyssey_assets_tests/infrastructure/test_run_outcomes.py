"""A request and its attempts are one thing."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
from dagster._core.storage.tags import ROOT_RUN_ID_TAG, WILL_RETRY_TAG

from odyssey_assets.infrastructure.refresh import DRIVER_TAG
from odyssey_assets.infrastructure.run_outcomes import outcome_of_request, outcome_of_run
from odyssey_assets.infrastructure.run_tags import BATCH_TAG

BATCH = {BATCH_TAG: "run-retrain-1"}
RETRIED = {**BATCH, WILL_RETRY_TAG: "true"}
FINAL = {**BATCH, WILL_RETRY_TAG: "false"}


@dg.op(config_schema={"fails": bool})
def work(context: dg.OpExecutionContext) -> None:
    if context.op_config["fails"]:
        raise RuntimeError


@dg.job
def retrain() -> None:
    work()


def attempt(instance: dg.DagsterInstance, state: str, tags: dict[str, str]) -> str:
    """Make a run that succeeded, failed or is under way; return its id."""
    config = {"ops": {"work": {"config": {"fails": state == "failed"}}}}
    if state == "under way":
        return instance.create_run_for_job(retrain, run_config=config, tags=tags).run_id
    result = retrain.execute_in_process(
        instance=instance, run_config=config, tags=tags, raise_on_error=False
    )
    return result.run_id


@pytest.mark.parametrize(
    ("attempts", "state"),
    [
        ([], None),
        ([("succeeded", BATCH)], "succeeded"),
        ([("under way", BATCH)], "under_way"),
        ([("failed", BATCH)], "failed"),
        ([("failed", RETRIED)], "under_way"),
        ([("failed", {**RETRIED, DRIVER_TAG: "odyssey run"})], "failed"),
        ([("failed", RETRIED), ("failed", FINAL)], "failed"),
        ([("failed", RETRIED), ("under way", BATCH)], "under_way"),
        ([("failed", RETRIED), ("succeeded", BATCH)], "succeeded"),
        ([("succeeded", BATCH), ("failed", BATCH)], "succeeded"),
    ],
)
def test_request_goes_as_its_attempts_together(
    attempts: Sequence[tuple[str, dict[str, str]]], state: str | None
) -> None:
    instance = dg.DagsterInstance.ephemeral()
    ids = [attempt(instance, how, tags) for how, tags in attempts]
    outcome = outcome_of_request(instance, BATCH_TAG, "run-retrain-1", datetime.now(UTC))
    assert (outcome and outcome.state) == state
    assert outcome is None or outcome.run.run_id in ids
    assert outcome_of_request(instance, BATCH_TAG, "other", datetime.now(UTC)) is None


def test_retry_that_never_comes_is_not_waited_for_for_ever() -> None:
    instance = dg.DagsterInstance.ephemeral()
    attempt(instance, "failed", RETRIED)
    later = datetime.now(UTC) + timedelta(hours=1)
    outcome = outcome_of_request(instance, BATCH_TAG, "run-retrain-1", later)
    assert outcome is not None
    assert outcome.state == "failed"


def test_run_and_its_retries_go_as_one() -> None:
    instance = dg.DagsterInstance.ephemeral()
    first = attempt(instance, "failed", RETRIED)
    outcome = outcome_of_run(instance, first, datetime.now(UTC))
    assert outcome is not None
    assert outcome.state == "under_way"
    attempt(instance, "succeeded", {ROOT_RUN_ID_TAG: first})
    outcome = outcome_of_run(instance, first, datetime.now(UTC))
    assert outcome is not None
    assert outcome.state == "succeeded"
    assert outcome_of_run(instance, "deleted", datetime.now(UTC)) is None
