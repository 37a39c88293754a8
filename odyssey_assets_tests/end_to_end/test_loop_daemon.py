"""The loop under the real daemon: a drift retrains once, whoever is killed in between."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import dagster as dg
import pandas as pd
import psutil
import pytest
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.scheduler.instigation import (
    InstigatorTick,
    ScheduleInstigatorData,
    SensorInstigatorData,
    TickStatus,
)

from odyssey_assets.definitions import build_defs
from odyssey_assets.infrastructure.driver import open_instance, run_job
from odyssey_assets.infrastructure.home import Home
from odyssey_assets.infrastructure.partitions import range_tags
from odyssey_assets.infrastructure.refresh import (
    REFRESH_MACRO,
    REFRESH_MARKET,
    REFRESH_MARTS,
    REFRESH_MONITORING,
    REFRESH_PORTFOLIO,
    RETRAIN,
)
from odyssey_assets.infrastructure.run_tags import BATCH_TAG, NIGHTLY_TAG
from odyssey_assets.monitoring.ledgers import RETRAINING_EVENTS
from odyssey_assets.monitoring.retraining.automation import ON_DRIFT
from odyssey_assets.monitoring.retraining.settling.automation import ON_RETRAINING
from odyssey_assets_tests import tiny_market
from odyssey_assets_tests.end_to_end.small_market import ODYSSEY, open_warehouse
from odyssey_assets_tests.end_to_end.test_server import (
    ENDED,
    Run,
    free_port,
    is_up,
    launch,
    runs,
    wait_for,
)
from odyssey_assets_tests.infrastructure.alert_servers import Webhook, webhook

WINDOW = tiny_market.WINDOWS[-1]
CELLS = range_tags(f"{WINDOW}|{tiny_market.TICKERS[0]}", f"{WINDOW}|{tiny_market.TICKERS[-1]}")
STAGES = (REFRESH_MACRO, REFRESH_MARKET, REFRESH_PORTFOLIO, REFRESH_MONITORING, REFRESH_MARTS)
ALERTED = "inputs_have_not_drifted"


@dataclass(frozen=True)
class LoopHome:
    """A home whose newest window looks drifted.

    Attributes:
        root: Its folder.
        environment: Of its processes.
        box: The webhook that gets its alerts.
    """

    root: Path
    environment: Mapping[str, str]
    box: Webhook

    @property
    def ledger(self) -> pd.DataFrame:
        return open_warehouse(self.root).read(RETRAINING_EVENTS)

    def states(self) -> list[str]:
        return sorted(self.ledger["state"])

    def has_schedule(self, name: str) -> bool:
        """Return whether the daemon has looked at a schedule."""
        with open_instance(Home(self.root)) as instance:
            states = instance.all_instigator_state(instigator_type=InstigatorType.SCHEDULE)
        return name in {state.instigator_name for state in states}

    def last_tick(self, sensor: str) -> float:
        """Return when a sensor ticked last, seconds since the epoch; 0 if it never did."""
        with open_instance(Home(self.root)) as instance:
            states = instance.all_instigator_state(instigator_type=InstigatorType.SENSOR)
        for state in states:
            data = state.instigator_data
            if state.instigator_name == sensor and isinstance(data, SensorInstigatorData):
                return data.last_tick_timestamp or 0.0
        return 0.0


@pytest.fixture
def home(tiny_copy: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopHome]:
    """Return a home in which so many false alarms are allowed that every ticker drifts."""
    with webhook() as box:
        changes = {
            **tiny_market.ENVIRONMENT,
            "ODYSSEY_HOME": str(tiny_copy),
            "DAGSTER_HOME": "",
            "ODYSSEY_REPORTS_PORT": "0",
            "ODYSSEY_RETRAINING__IS_AUTOMATIC": "true",
            "ODYSSEY_DRIFT__FALSE_ALARM_RATE": "0.99",
            "ODYSSEY_ALERTS__WEBHOOK_URL": box.url,
        }
        for name, value in changes.items():
            monkeypatch.setenv(name, value)
        yield LoopHome(tiny_copy, {**os.environ, **changes}, box)


@contextmanager
def served(home: LoopHome, log: Path) -> Iterator[int]:
    """Serve a home until the end of the block, then kill every process at once; yield the port."""
    port = free_port()
    with (
        log.open("w") as output,
        subprocess.Popen(
            [ODYSSEY, "ui", "--port", str(port)],
            env=home.environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        try:
            wait_for(lambda: is_up(port), 180, "the webserver's start")
            yield port
        finally:
            own = psutil.Process(process.pid)
            for one in [*own.children(recursive=True), own]:
                one.send_signal(signal.SIGKILL)


def tick_that_dies(home: LoopHome) -> str:
    """Run the check, then a tick of on_drift whose request is never launched; return its key."""
    definitions = build_defs()
    with open_instance(Home(home.root)) as instance:
        outcome = run_job(definitions, instance, REFRESH_MONITORING, CELLS, lambda _: None)
        assert outcome.is_success, outcome.errors
        repository = definitions.get_repository_def()
        resources = {
            name: definitions.resources[name]  # type: ignore[index]
            for name in ("settings", "warehouse")
        }
        context = dg.build_sensor_context(instance=instance, resources=resources)
        data = repository.get_sensor_def(ON_DRIFT).evaluate_tick(context)
    (request,) = data.run_requests or ()
    assert request.run_key is not None
    return request.run_key


def fall_asleep(home: LoopHome, schedule: str, days: int) -> None:
    """Let a stopped daemon have looked at a schedule for the last time days ago."""
    with open_instance(Home(home.root)) as instance:
        (state,) = [
            each
            for each in instance.all_instigator_state(instigator_type=InstigatorType.SCHEDULE)
            if each.instigator_name == schedule
        ]
        data = state.instigator_data
        assert isinstance(data, ScheduleInstigatorData)
        then = time.time() - days * 24 * 3600
        slept = ScheduleInstigatorData(data.cron_schedule, then, last_iteration_timestamp=then)
        instance.update_instigator_state(state.with_data(slept))


def ticks_of(home: LoopHome, schedule: str) -> list[InstigatorTick]:
    with open_instance(Home(home.root)) as instance:
        return [
            tick
            for state in instance.all_instigator_state(instigator_type=InstigatorType.SCHEDULE)
            if state.instigator_name == schedule
            for tick in instance.get_ticks(state.instigator_origin_id, state.selector_id)
        ]


def ended(port: int, job: str) -> list[Run]:
    return [
        run
        for run in runs(port).values()
        if run.job == job and run.status in ("SUCCESS", "FAILURE")
    ]


def ticked(home: LoopHome, since: float, *sensors: str) -> Callable[[], bool]:
    return lambda: all(home.last_tick(sensor) > since for sensor in sensors)


@pytest.mark.timeout(1500)
def test_drift_retrains_once_though_the_daemon_is_killed_before_and_after(
    home: LoopHome, tmp_path: Path
) -> None:
    run_key = tick_that_dies(home)
    assert home.states() == ["requested"] * 2

    with served(home, tmp_path / "first.log") as port:
        wait_for(lambda: bool(ended(port, RETRAIN)), 400, "the retraining")
        (retraining,) = ended(port, RETRAIN)
        assert retraining.tags[BATCH_TAG] == run_key
        assert retraining.status == "SUCCESS"
        wait_for(lambda: home.states().count("finished") == 2, 200, "its settlement")
        wait_for(lambda: bool(ended(port, REFRESH_MARTS)), 300, "the marts after it")
        wait_for(lambda: any(ALERTED in text for text in home.box.texts), 200, "the alert")
    settled = home.ledger
    assert sorted(settled["state"]) == ["finished"] * 2 + ["requested"] * 2 + ["started"] * 2
    assert set(settled["ticker"]) == set(tiny_market.TICKERS)
    assert set(settled["batch"]) == {run_key}
    outcomes = set(settled.loc[settled["state"] == "finished", "outcome"])
    assert outcomes <= {"promoted", "rejected", "pending"}

    restarted = time.time()
    with served(home, tmp_path / "second.log") as port:
        wait_for(ticked(home, restarted, ON_DRIFT, ON_RETRAINING), 300, "the sensors' next look")
        assert len([run for run in runs(port).values() if run.job == RETRAIN]) == 1
    pd.testing.assert_frame_equal(home.ledger, settled)
    assert len([text for text in home.box.texts if ALERTED in text]) == 1


@pytest.mark.timeout(900)
def test_ticks_missed_in_days_of_sleep_are_made_up_once(home: LoopHome, tmp_path: Path) -> None:
    with served(home, tmp_path / "first.log"):
        wait_for(lambda: home.has_schedule("nightly"), 200, "the daemon's first look")
    assert ticks_of(home, "nightly") == []
    fall_asleep(home, "nightly", days=10)
    woken = time.time()
    with served(home, tmp_path / "second.log"):
        wait_for(lambda: bool(ticks_of(home, "nightly")), 200, "the missed tick")
        wait_for(ticked(home, time.time(), ON_DRIFT), 200, "a further look of the daemon")
        (tick,) = ticks_of(home, "nightly")
    assert tick.status == TickStatus.SKIPPED
    assert "2022-06-30" in str(tick.skip_reason)
    assert 0 < woken - tick.timestamp < 4 * 24 * 3600  # A long weekend at most.
    at = datetime.fromtimestamp(tick.timestamp, ZoneInfo("America/New_York"))
    assert (at.hour, at.minute) == (18, 30)


@pytest.mark.timeout(1500)
def test_nightly_run_is_followed_through_every_stage_to_the_marts(
    home: LoopHome, tmp_path: Path
) -> None:
    with served(home, tmp_path / "ui.log") as port:
        before = set(runs(port))
        tags = {**range_tags(WINDOW, WINDOW), NIGHTLY_TAG: "2022-06-30"}
        launch(port, REFRESH_MACRO, tags)
        wait_for(lambda: bool(new_runs(port, before, REFRESH_MARTS)), 900, "the marts")
        for job in STAGES:
            assert {run.status for run in new_runs(port, before, job)} == {"SUCCESS"}, job
        (market,) = new_runs(port, before, REFRESH_MARKET)
        assert {name: market.tags[name] for name in CELLS} == CELLS
        assert market.tags[NIGHTLY_TAG] == "2022-06-30"


def new_runs(port: int, before: Collection[str], job: str) -> list[Run]:
    """Return the runs of a job that have ended since."""
    return [
        run
        for run_id, run in runs(port).items()
        if run.job == job and run_id not in before and run.status in ENDED
    ]
