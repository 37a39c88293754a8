"""When things happen by themselves, and what is made up for after the machine slept."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from odyssey_assets.core.sessions import first_session_from
from odyssey_assets.infrastructure.home import remember_universe
from odyssey_assets.infrastructure.partitions import RANGE_END_TAG, RANGE_START_TAG
from odyssey_assets.infrastructure.run_tags import CAUSE_TAG, NIGHTLY_TAG, SCHEDULE_TAG
from odyssey_assets.infrastructure.schedules import ScheduledJobs, schedules
from odyssey_assets.settings import Settings

NEW_YORK = ZoneInfo("America/New_York")
Tick = Callable[..., dg.RunRequest | str]
CONFIG = {"ops": {"judge": {"config": {"cause": "schedule"}}}}


@dg.job
def something() -> None:
    """Stand for any job."""


JOBS = ScheduledJobs(
    dg.define_asset_job("refresh_macro"), dg.define_asset_job("retrain"), CONFIG, something
)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Return the settings of a home that a full run has filled."""
    (tmp_path / "home").mkdir()
    made = Settings(home=tmp_path / "home", start=date(2020, 1, 1))
    remember_universe(made, is_filled=True)
    return made


@pytest.fixture(scope="module")
def instance() -> Iterator[dg.DagsterInstance]:
    """Return an instance; each tick begins with the runs it names and no others."""
    with dg.instance_for_test() as made:
        yield made


@pytest.fixture
def tick(settings: Settings, instance: dg.DagsterInstance) -> Tick:
    """Return what evaluates a schedule at a moment."""

    def evaluate(
        name: str,
        at: datetime,
        asked: Mapping[str, str] | None = None,
        **changes: Any,
    ) -> dg.RunRequest | str:
        for run in instance.get_runs():
            instance.delete_run(run.run_id)
        if asked is not None:
            instance.create_run_for_job(something, tags=dict(asked))
        schedule = by_name(settings.model_copy(update=changes))[name]
        with dg.build_schedule_context(instance=instance, scheduled_execution_time=at) as context:
            data: Any = schedule.evaluate_tick(context)
        return data.run_requests[0] if data.run_requests else str(data.skip_message)

    return evaluate


def by_name(settings: Settings) -> dict[str, dg.ScheduleDefinition]:
    return {each.name: each for each in schedules(settings, JOBS, longest_horizon=60)}


def evening(year: int, month: int, day: int) -> datetime:
    return datetime(year, month, day, 18, 30, tzinfo=NEW_YORK)


@pytest.mark.parametrize(
    ("at", "session"),
    [
        (evening(2024, 7, 2), "2024-07-02"),
        (evening(2024, 7, 3), "2024-07-03"),  # A half day: New York closed at 13:00.
        (evening(2024, 11, 1).astimezone(UTC), "2024-11-01"),  # 22:30 UTC, summer time.
        (evening(2024, 11, 4).astimezone(UTC), "2024-11-04"),  # 23:30 UTC, winter time.
    ],
)
def test_night_after_a_session_refreshes_its_open_windows(
    tick: Tick, at: datetime, session: str
) -> None:
    request = tick("nightly", at)
    assert isinstance(request, dg.RunRequest)
    assert request.run_key == f"nightly-{session}"
    assert request.tags[NIGHTLY_TAG] == session
    assert request.tags[RANGE_START_TAG] <= request.tags[RANGE_END_TAG]


def test_session_is_processed_once_though_the_clock_was_moved_back(tick: Tick) -> None:
    answer = tick("nightly", evening(2024, 7, 2), {NIGHTLY_TAG: "2024-07-02"})
    assert answer == "The session of 2024-07-02 was asked for already."


def test_holiday_is_skipped_by_name(tick: Tick) -> None:
    answer = tick("nightly", evening(2024, 7, 4), {NIGHTLY_TAG: "2024-07-03"})
    assert answer == "New York does not trade on 2024-07-04: July 4th."


def test_holiday_makes_up_for_the_session_that_the_machine_slept_through(tick: Tick) -> None:
    request = tick("nightly", evening(2024, 7, 4), {NIGHTLY_TAG: "2024-07-01"})
    assert isinstance(request, dg.RunRequest)
    assert request.run_key == "nightly-2024-07-03"


def test_home_that_no_run_has_filled_is_left_alone(tick: Tick, tmp_path: Path) -> None:
    for name in ("nightly", "monthly"):
        answer = tick(name, evening(2024, 7, 2), home=tmp_path / "other")
        assert isinstance(answer, str)
        assert "odyssey run" in answer


def test_history_with_an_end_has_no_nights_after_it(tick: Tick) -> None:
    end = date(2024, 6, 28)
    answer = tick("nightly", evening(2024, 7, 2), end=end)
    assert isinstance(answer, str)
    assert "2024-06-28" in answer
    assert isinstance(tick("nightly", evening(2024, 6, 28), end=end), dg.RunRequest)


def test_schedules_tick_in_new_york_as_the_settings_say(settings: Settings) -> None:
    found = by_name(settings)
    assert {name: each.cron_schedule for name, each in found.items()} == {
        "nightly": "30 18 * * 1-5", "monthly": "0 22 * * 1-5", "weekly": "0 10 * * 6",
    }  # fmt: skip
    assert {each.execution_timezone for each in found.values()} == {"America/New_York"}
    assert {each.default_status for each in found.values()} == {dg.DefaultScheduleStatus.RUNNING}
    changed = settings.schedules.model_copy(
        update={"nightly": "06:05", "monthly_day": 15, "weekly_day": 0}
    )
    found = by_name(settings.model_copy(update={"schedules": changed}))
    assert [each.cron_schedule for each in found.values()] == [
        "5 6 * * 1-5", "0 22 * * 1-5", "0 10 * * 0",
    ]  # fmt: skip


def test_month_retrains_everything_once(tick: Tick) -> None:
    at = datetime(2024, 8, 1, 22, tzinfo=NEW_YORK)
    request = tick("monthly", at)
    assert isinstance(request, dg.RunRequest)
    assert request.run_config == CONFIG
    assert request.tags[CAUSE_TAG] == "schedule"
    answer = tick("monthly", at, {SCHEDULE_TAG: "monthly-2024-08"})
    assert answer == "monthly-2024-08 was asked for already."


@pytest.mark.parametrize(
    ("day", "monthly_day", "tick_name"),
    [
        (date(2024, 7, 1), 4, None),
        (date(2024, 7, 4), 4, None),  # A holiday.
        (date(2024, 7, 5), 4, "monthly-2024-07"),
        (date(2024, 9, 30), 28, "monthly-2024-09"),  # The 28th was a Saturday.
        (date(2026, 3, 2), 28, "monthly-2026-02"),  # The first session after lies in March.
    ],
)
def test_month_retrains_on_the_first_session_from_its_day(
    tick: Tick, day: date, monthly_day: int, tick_name: str | None, settings: Settings
) -> None:
    changed = settings.schedules.model_copy(update={"monthly_day": monthly_day})
    at = datetime(day.year, day.month, day.day, 22, tzinfo=NEW_YORK)
    answer = tick("monthly", at, schedules=changed)
    assert (answer.run_key if isinstance(answer, dg.RunRequest) else None) == tick_name


def test_month_that_was_slept_through_is_made_up_for_where_a_home_was_at_work(
    tick: Tick,
) -> None:
    session = datetime.now(NEW_YORK).date() + timedelta(days=60)
    due = first_session_from(session.replace(day=1))
    later = datetime.combine(first_session_from(due + timedelta(days=1)), time(22), NEW_YORK)
    fresh = tick("monthly", datetime(2024, 8, 6, 22, tzinfo=NEW_YORK), {"other": "run"})
    assert fresh == "monthly-2024-08 was due on 2024-08-01, before this home had any run."
    answer = tick("monthly", later, {"other": "run"})
    assert isinstance(answer, dg.RunRequest)
    assert answer.run_key == f"monthly-{due:%Y-%m}"


def test_week_is_tidied_up_once(tick: Tick) -> None:
    at = datetime(2024, 8, 3, 10, tzinfo=NEW_YORK)
    assert isinstance(tick("weekly", at), dg.RunRequest)
    assert isinstance(tick("weekly", at, {SCHEDULE_TAG: "weekly-2024-08-03"}), str)
