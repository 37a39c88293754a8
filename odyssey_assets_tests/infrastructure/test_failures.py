"""A failed run in one line."""

import dagster as dg
import pytest

from odyssey_assets.errors import TrainingError
from odyssey_assets.infrastructure.failures import failure_of


def fail(error: Exception) -> str:
    @dg.op
    def fit() -> None:
        raise error

    @dg.job
    def retrain() -> None:
        fit()

    instance = dg.DagsterInstance.ephemeral()
    result = retrain.execute_in_process(instance=instance, raise_on_error=False)
    return failure_of(instance, result.run_id)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (TrainingError("The disk is full."), "fit: The disk is full."),
        (ValueError("negative: -1"), "fit: ValueError: negative: -1"),
    ],
)
def test_failure_is_the_first_steps_own_words(error: Exception, expected: str) -> None:
    assert fail(error) == expected


def test_run_that_failed_without_a_step_says_so() -> None:
    @dg.job
    def empty() -> None:
        """Do nothing."""

    instance = dg.DagsterInstance.ephemeral()
    run = instance.create_run_for_job(empty)
    assert failure_of(instance, run.run_id) == "It was stopped without a word."
    instance.report_run_failed(run, "The process was killed.")
    assert failure_of(instance, run.run_id) == "The process was killed."
