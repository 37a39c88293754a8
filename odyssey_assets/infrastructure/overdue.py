"""The sensor that looks after the nightly schedule: a session that nobody processed is made up for.

Dagster's schedules go by the clock. One that was set ahead and back again silences them until the
day it had shown; a tick that failed too often is not repeated. Sessions are counted here, so that
each is processed once, whatever became of its tick.
"""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import (
    UnresolvedAssetJobDefinition,
)

from odyssey_assets.core.sessions import last_completed_session
from odyssey_assets.infrastructure.driver import DRIVER
from odyssey_assets.infrastructure.refresh import DRIVER_TAG, REFRESH_MARKET
from odyssey_assets.infrastructure.schedules import NEW_YORK, nightly_request
from odyssey_assets.settings import Settings

ON_OVERDUE = "on_overdue"
GRACE = timedelta(hours=1)
NOTHING_SEEN = "-"  # Dagster keeps the former cursor when it is given an empty one.


def overdue_sensor(
    settings: Settings, macro_job: UnresolvedAssetJobDefinition, longest_horizon: int
) -> dg.SensorDefinition:
    """Return the sensor.

    Args:
        settings: When the nightly run is due.
        macro_job: First of the nightly jobs; the others follow it.
        longest_horizon: Sessions until the last outcome of a forecast is known.
    """

    @dg.sensor(
        name=ON_OVERDUE,
        job=macro_job,
        default_status=dg.DefaultSensorStatus.RUNNING,
        minimum_interval_seconds=600,
        description="Makes up for a session whose nightly run did not come.",
    )
    def look(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        now = datetime.now(UTC)
        answer = overdue_request(settings, context.instance, now, longest_horizon)
        if isinstance(answer, dg.SkipReason):
            return dg.SensorResult(skip_reason=answer, cursor=NOTHING_SEEN)
        if context.cursor != answer.run_key:
            # Just woken up: the schedule itself makes up for the tick within a minute.
            reason = f"{answer.run_key} is overdue; the next look asks for it."
            return dg.SensorResult(skip_reason=dg.SkipReason(reason), cursor=answer.run_key)
        return dg.SensorResult(run_requests=[answer], cursor=NOTHING_SEEN)

    return look


def overdue_request(
    settings: Settings, instance: dg.DagsterInstance, now: datetime, longest_horizon: int
) -> dg.RunRequest | dg.SkipReason:
    """Return the request of a nightly run that should long have come, or why there is none.

    Args:
        settings: When the nightly run is due.
        instance: Knows what was asked for already.
        now: The moment.
        longest_horizon: Sessions until the last outcome of a forecast is known.
    """
    session = last_completed_session(now)
    at = time.fromisoformat(settings.schedules.nightly)
    due = datetime.combine(session, at, ZoneInfo(NEW_YORK))
    if now < due + GRACE:
        return dg.SkipReason(f"The nightly run of {session} is not overdue.")
    brought = dg.RunsFilter(
        job_name=REFRESH_MARKET, created_after=due.astimezone(UTC), tags={DRIVER_TAG: DRIVER}
    )
    if instance.get_runs(brought, limit=1):
        return dg.SkipReason(f"`odyssey run` has brought the session of {session}.")
    return nightly_request(settings, instance, now, longest_horizon)
