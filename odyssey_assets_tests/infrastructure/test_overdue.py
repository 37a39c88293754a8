"""A session is made up for when its nightly run did not come, and only then."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from odyssey_assets.infrastructure.driver import DRIVER
from odyssey_assets.infrastructure.home import remember_universe
from odyssey_assets.infrastructure.overdue import overdue_request, overdue_sensor
from odyssey_assets.infrastructure.refresh import DRIVER_TAG
from odyssey_assets.infrastructure.run_tags import NIGHTLY_TAG
from odyssey_assets.settings import Settings

NEW_YORK = ZoneInfo("America/New_York")
JOB = dg.define_asset_job("refresh_macro")


@dg.job
def refresh_market() -> None:
    """Stand for the job."""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Return the settings of a home that a full run has filled."""
    made = Settings(home=tmp_path, start=date(2020, 1, 1))
    remember_universe(made, is_filled=True)
    return made


def ask(
    settings: Settings, at: datetime, instance: dg.DagsterInstance | None = None
) -> dg.RunRequest | str:
    known = instance or dg.DagsterInstance.ephemeral()
    answer = overdue_request(settings, known, at, longest_horizon=60)
    return answer if isinstance(answer, dg.RunRequest) else str(answer.skip_message)


@pytest.mark.parametrize(
    ("at", "session"),
    [
        (datetime(2024, 7, 2, 19, 31, tzinfo=NEW_YORK), "2024-07-02"),
        (datetime(2024, 7, 3, 12, 0, tzinfo=NEW_YORK), "2024-07-02"),
        (datetime(2024, 7, 3, 15, 0, tzinfo=NEW_YORK), None),  # A half day is over, not overdue.
        (datetime(2024, 7, 3, 18, 31, tzinfo=NEW_YORK), None),
        (datetime(2024, 7, 4, 12, 0, tzinfo=NEW_YORK), "2024-07-03"),  # On a holiday.
        (datetime(2024, 7, 7, 12, 0, tzinfo=NEW_YORK), "2024-07-05"),  # On a Sunday.
    ],
)
def test_session_is_overdue_an_hour_after_its_night(
    settings: Settings, at: datetime, session: str | None
) -> None:
    answer = ask(settings, at)
    if session is None:
        assert "not overdue" in str(answer)
    else:
        assert isinstance(answer, dg.RunRequest)
        assert answer.run_key == f"nightly-{session}"


def test_session_that_was_asked_for_is_not_overdue(settings: Settings) -> None:
    instance = dg.DagsterInstance.ephemeral()
    instance.create_run_for_job(refresh_market, tags={NIGHTLY_TAG: "2024-07-02"})
    at = datetime(2024, 7, 3, 12, tzinfo=NEW_YORK)
    assert "asked for already" in str(ask(settings, at, instance))
    later = datetime(2024, 7, 3, 23, tzinfo=NEW_YORK)
    assert isinstance(ask(settings, later, instance), dg.RunRequest)


def test_session_that_the_run_command_brought_is_not_overdue(settings: Settings) -> None:
    instance = dg.DagsterInstance.ephemeral()
    long_ago = datetime(2024, 7, 3, 12, tzinfo=NEW_YORK)
    instance.create_run_for_job(refresh_market)
    assert isinstance(ask(settings, long_ago, instance), dg.RunRequest)
    instance.create_run_for_job(refresh_market, tags={DRIVER_TAG: DRIVER})
    assert "has brought" in str(ask(settings, long_ago, instance))
    far_ahead = datetime.now(UTC) + timedelta(days=30)
    assert "has brought" not in str(ask(settings, far_ahead, instance))


def test_sensor_asks_at_the_second_look_so_that_the_schedule_may_come_first(
    settings: Settings,
) -> None:
    at_midnight = settings.schedules.model_copy(update={"nightly": "00:00"})  # Long over.
    late = settings.model_copy(update={"schedules": at_midnight})
    sensor = overdue_sensor(late, JOB, longest_horizon=60)
    instance = dg.DagsterInstance.ephemeral()
    first = sensor.evaluate_tick(dg.build_sensor_context(instance=instance))
    assert not first.run_requests
    assert "the next look asks" in str(first.skip_message)
    context = dg.build_sensor_context(instance=instance, cursor=first.cursor)
    second = sensor.evaluate_tick(context)
    assert [each.run_key for each in second.run_requests or ()] == [first.cursor]
    assert second.cursor != first.cursor
