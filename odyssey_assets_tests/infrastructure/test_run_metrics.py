"""Figures of runs: read from the history that Dagster itself writes."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from odyssey_assets.errors import WarehouseError
from odyssey_assets.infrastructure.driver import open_instance, run_job
from odyssey_assets.infrastructure.home import Home
from odyssey_assets.infrastructure.run_metrics import RunMetrics
from odyssey_assets_tests.samples import Samples, samples_of

FIGURES = {
    "odyssey_run_duration_seconds", "odyssey_run_is_failed", "odyssey_run_end_timestamp_seconds",
    "odyssey_runs_recent", "odyssey_runs_in_progress", "odyssey_stage_duration_seconds",
    "odyssey_stage_is_failed", "odyssey_check_is_passed",
}  # fmt: skip


def definitions_of(*, is_broken: bool = False, is_plausible: bool = True) -> dg.Definitions:
    @dg.asset(key=["prices", "bars"])
    def fetch_bars() -> None: ...

    @dg.asset(key=["staging", "stg_bars"], deps=[fetch_bars])
    def build_staging() -> None:
        if is_broken:
            raise ValueError("nonsense")

    @dg.asset_check(asset=fetch_bars)
    def bars_are_plausible() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=is_plausible, severity=dg.AssetCheckSeverity.WARN)

    @dg.asset_check(asset=fetch_bars)
    def bars_are_whole() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=True)

    jobs = [
        dg.define_asset_job("refresh", selection="*"),
        dg.define_asset_job("refresh_bars", dg.AssetSelection.assets(fetch_bars)),
    ]
    return dg.Definitions(
        assets=[fetch_bars, build_staging],
        asset_checks=[bars_are_plausible, bars_are_whole],
        jobs=jobs,
    )


class Runs:
    """A home's instance, jobs that run on it, and the figures of its history."""

    def __init__(self, home: Home) -> None:
        self.instance = open_instance(home)
        self.history = home.dagster / "history"
        self.metrics = RunMetrics(self.history)

    def run(
        self, job: str = "refresh", *, is_broken: bool = False, is_plausible: bool = True
    ) -> str:
        definitions = definitions_of(is_broken=is_broken, is_plausible=is_plausible)
        return run_job(definitions, self.instance, job, {}, lambda _: None).run_id

    def samples(self) -> Samples:
        return samples_of(self.metrics.families())


@pytest.fixture(scope="module")
def new_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a home whose Dagster databases are there and empty; tests take a copy."""
    root = tmp_path_factory.mktemp("history") / "home"
    with pytest.MonkeyPatch.context() as patch:
        keep_environment(patch)
        open_instance(Home(root)).dispose()
    return root


@pytest.fixture
def runs(new_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Runs]:
    keep_environment(monkeypatch)
    opened = Runs(Home(Path(shutil.copytree(new_home, tmp_path / "home"))))
    yield opened
    opened.instance.dispose()


def keep_environment(patch: pytest.MonkeyPatch) -> None:
    """Have the patch put back what opening an instance sets."""
    patch.setenv("DAGSTER_HOME", os.environ.get("DAGSTER_HOME", ""))
    patch.setenv("ODYSSEY_HOME", os.environ.get("ODYSSEY_HOME", "var"))


def test_home_without_a_history_has_every_figure_without_values_and_stays_untouched(
    tmp_path: Path,
) -> None:
    found = samples_of(RunMetrics(tmp_path / "dagster" / "history").families())
    assert set(found) == FIGURES
    assert not any(found.values())
    assert list(tmp_path.iterdir()) == []


def test_run_that_succeeded_shows_its_length_and_stages_as_dagster_knows_them(runs: Runs) -> None:
    run_id = runs.run()
    record = runs.instance.get_run_record_by_id(run_id)
    assert record is not None
    assert record.start_time is not None
    assert record.end_time is not None
    found = runs.samples()
    assert set(found) == FIGURES
    assert found["odyssey_run_duration_seconds"] == {
        "job_name=refresh": record.end_time - record.start_time
    }
    assert found["odyssey_run_is_failed"] == {"job_name=refresh": 0.0}
    assert found["odyssey_run_end_timestamp_seconds"] == {
        "job_name=refresh,outcome=success": record.end_time
    }
    assert found["odyssey_runs_recent"] == {"job_name=refresh,outcome=success": 1.0}
    assert found["odyssey_runs_in_progress"] == {"job_name=refresh": 0.0}
    steps = {step.step_key: step for step in runs.instance.get_run_step_stats(run_id)}
    seconds = {
        name: (step.end_time or 0.0) - (step.start_time or 0.0) for name, step in steps.items()
    }
    stages = found["odyssey_stage_duration_seconds"]
    assert set(stages) == {
        f"job_name=refresh,stage={stage}" for stage in ("checks", "prices.bars", "staging")
    }
    assert stages["job_name=refresh,stage=prices.bars"] == pytest.approx(seconds["prices__bars"])
    checked = [value for name, value in seconds.items() if "bars_are_" in name]
    assert len(checked) == 2
    assert stages["job_name=refresh,stage=checks"] == pytest.approx(sum(checked))
    assert set(found["odyssey_stage_is_failed"].values()) == {0.0}


def test_failed_run_shows_until_one_of_the_same_job_succeeds(runs: Runs) -> None:
    runs.run()
    runs.run(is_broken=True)
    runs.run("refresh_bars")
    found = runs.samples()
    assert found["odyssey_run_is_failed"] == {
        "job_name=refresh": 1.0, "job_name=refresh_bars": 0.0,
    }  # fmt: skip
    assert found["odyssey_stage_is_failed"]["job_name=refresh,stage=staging"] == 1.0
    assert found["odyssey_stage_is_failed"]["job_name=refresh,stage=prices.bars"] == 0.0
    ends = found["odyssey_run_end_timestamp_seconds"]
    assert ends["job_name=refresh,outcome=failure"] > ends["job_name=refresh,outcome=success"]
    runs.run()
    found = runs.samples()
    assert found["odyssey_run_is_failed"]["job_name=refresh"] == 0.0
    assert found["odyssey_runs_recent"] == {
        "job_name=refresh,outcome=failure": 1.0,
        "job_name=refresh,outcome=success": 2.0,
        "job_name=refresh_bars,outcome=success": 1.0,
    }


def test_check_shows_its_newest_result_and_severity(runs: Runs) -> None:
    names = {"asset=prices.bars,check=bars_are_whole,severity=error": 1.0}
    runs.run(is_plausible=False)
    assert runs.samples()["odyssey_check_is_passed"] == {
        **names, "asset=prices.bars,check=bars_are_plausible,severity=warn": 0.0,
    }  # fmt: skip
    runs.run("refresh_bars")
    assert runs.samples()["odyssey_check_is_passed"] == {
        **names, "asset=prices.bars,check=bars_are_plausible,severity=warn": 1.0,
    }  # fmt: skip


def test_run_that_has_not_ended_counts_as_in_progress_and_hides_no_result(runs: Runs) -> None:
    runs.run()
    job = definitions_of().resolve_job_def("refresh")
    started = runs.instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED)
    found = runs.samples()
    assert found["odyssey_runs_in_progress"] == {"job_name=refresh": 1.0}
    assert found["odyssey_run_is_failed"] == {"job_name=refresh": 0.0}
    runs.instance.report_run_canceled(started)
    found = runs.samples()
    assert found["odyssey_runs_in_progress"] == {"job_name=refresh": 0.0}
    assert found["odyssey_run_is_failed"] == {"job_name=refresh": 0.0}
    assert found["odyssey_runs_recent"]["job_name=refresh,outcome=canceled"] == 1.0


def test_run_whose_events_were_cleared_away_keeps_its_outcome_and_gets_no_log_anew(
    runs: Runs,
) -> None:
    events = runs.history / "runs" / f"{runs.run()}.db"
    for path in events.parent.glob(f"{events.name}*"):
        path.unlink()
    found = runs.samples()
    assert found["odyssey_run_is_failed"] == {"job_name=refresh": 0.0}
    assert found["odyssey_stage_duration_seconds"] == {}
    assert not events.exists()


def test_scrape_while_a_run_writes_neither_waits_nor_changes_the_run(runs: Runs) -> None:
    seen: list[Samples] = []
    outcome = run_job(
        definitions_of(), runs.instance, "refresh", {}, lambda _: seen.append(runs.samples())
    )
    assert outcome.is_success
    assert seen[0]["odyssey_runs_in_progress"] == {"job_name=refresh": 1.0}
    assert seen[0]["odyssey_run_is_failed"] == {}


@pytest.mark.parametrize("database", ["runs.db", "runs/index.db"])
def test_damaged_history_is_refused_with_the_remedy(runs: Runs, database: str) -> None:
    runs.run()
    for path in runs.history.glob(f"{database}*"):
        path.write_bytes(b"not a database, but long enough to be looked at" * 100)
    with pytest.raises(WarehouseError, match="odyssey doctor"):
        runs.metrics.families()
