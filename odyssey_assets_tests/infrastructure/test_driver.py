"""Jobs in this process: what is reported of success, failure and interruption."""

import gc
import os
import signal
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from odyssey_assets.errors import SettingsError
from odyssey_assets.infrastructure import driver
from odyssey_assets.infrastructure.driver import (
    COLLECTION_THRESHOLDS,
    DRIVER,
    StepEvent,
    close_interrupted_runs,
    open_instance,
    run_job,
)
from odyssey_assets.infrastructure.home import Home
from odyssey_assets.infrastructure.refresh import DRIVER_TAG


def definitions_of(*, is_broken: bool) -> dg.Definitions:
    @dg.asset
    def first() -> dg.MaterializeResult:
        return dg.MaterializeResult(metadata={"dagster/row_count": 7})

    @dg.asset(deps=[first])
    def second() -> None:
        if is_broken:
            raise ValueError("the vendor sent nonsense") from KeyError("close")

    @dg.asset_check(asset=first)
    def is_plausible() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(
            passed=False, severity=dg.AssetCheckSeverity.WARN, metadata={"found": 7}
        )

    job = dg.define_asset_job("refresh", selection="*")
    return dg.Definitions(assets=[first, second], asset_checks=[is_plausible], jobs=[job])


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dg.DagsterInstance:
    monkeypatch.setenv("DAGSTER_HOME", os.environ.get("DAGSTER_HOME", ""))
    monkeypatch.setenv("ODYSSEY_HOME", os.environ.get("ODYSSEY_HOME", "var"))
    return open_instance(Home(tmp_path))


def test_run_job_that_succeeds_reports_steps_rows_and_failed_checks(
    instance: dg.DagsterInstance,
) -> None:
    events: list[StepEvent] = []
    outcome = run_job(definitions_of(is_broken=False), instance, "refresh", {}, events.append)
    assert outcome.is_success
    assert outcome.rows == {"first": 7}
    assert outcome.assets == {"first", "second"}
    assert outcome.warnings == [("first: is_plausible", {"found": 7})]
    assert [event.kind for event in events if event.step == "second"] == ["started", "succeeded"]
    run = instance.get_run_by_id(outcome.run_id)
    assert run is not None
    assert run.tags[DRIVER_TAG] == DRIVER


def test_run_job_that_fails_names_the_step_and_its_cause(instance: dg.DagsterInstance) -> None:
    events: list[StepEvent] = []
    outcome = run_job(definitions_of(is_broken=True), instance, "refresh", {}, events.append)
    assert not outcome.is_success
    assert len(outcome.errors) == 1
    assert outcome.errors[0].startswith("second: ")
    assert "the vendor sent nonsense" in outcome.errors[0]
    assert ("second", "failed") in [(event.step, event.kind) for event in events]


def test_instance_outside_a_checkout_is_refused_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(driver, "INSTANCE_CONFIG", tmp_path / "absent" / "dagster.yaml")
    with pytest.raises(SettingsError, match="make install"):
        open_instance(Home(tmp_path))


KILLED_IN_THE_MIDDLE = """
import sys, time
from pathlib import Path
import dagster as dg
from odyssey_assets.infrastructure.driver import open_instance, run_job
from odyssey_assets.infrastructure.home import Home

@dg.asset(pool="training")
def slow() -> None:
    print("running", flush=True)
    time.sleep(60)

defs = dg.Definitions(assets=[slow], jobs=[dg.define_asset_job("refresh", selection="*")])
run_job(defs, open_instance(Home(Path(sys.argv[1]))), "refresh", {}, lambda event: None)
"""


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGINT])
def test_interrupted_run_leaves_no_run_that_looks_alive_and_no_pool_taken(
    blow: signal.Signals, tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", KILLED_IN_THE_MIDDLE, str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "running"
        process.send_signal(blow)
        assert process.wait(timeout=30) != 0
    taken = instance.event_log_storage.get_concurrency_info("training").claimed_slots
    assert len(taken) == (blow == signal.SIGKILL)
    close_interrupted_runs(instance)
    assert not instance.event_log_storage.get_concurrency_info("training").claimed_slots
    statuses = {run.status for run in instance.get_runs()}
    assert statuses <= {dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED}


@pytest.mark.parametrize("is_broken", [False, True])
def test_run_job_gives_the_garbage_collector_back_as_it_was(
    instance: dg.DagsterInstance, is_broken: bool
) -> None:
    during: set[tuple[int, int, int]] = set()
    before = gc.get_threshold()
    run_job(
        definitions_of(is_broken=is_broken),
        instance,
        "refresh",
        {},
        lambda _: during.add(gc.get_threshold()),
    )
    assert during == {COLLECTION_THRESHOLDS}
    assert gc.get_threshold() == before != COLLECTION_THRESHOLDS
