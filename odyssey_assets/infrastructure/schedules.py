"""What happens by itself and when: nightly, monthly, weekly, in New York's time.

A schedule that missed ticks while the machine slept gets the newest of them once from Dagster. The
nightly one goes by sessions, not by days: a tick on a holiday makes up for a session that nobody
has processed, else it is skipped and says which holiday it is. A half day is a session like any.
The monthly one looks every evening whether its session was, and makes up for one slept through.
What follows a nightly run belongs to `followers`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import (
    UnresolvedAssetJobDefinition,
)

from odyssey_assets.core.sessions import (
    closing_reason,
    first_session_from,
    last_completed_session,
)
from odyssey_assets.infrastructure.home import held_source, home_of
from odyssey_assets.infrastructure.partitions import open_windows, range_tags
from odyssey_assets.infrastructure.run_tags import CAUSE_TAG, NIGHTLY_TAG, SCHEDULE_TAG
from odyssey_assets.settings import Settings

NEW_YORK = "America/New_York"
MONTHLY_TIME, WEEKLY_TIME = time(22), "0 10"

Answer = dg.RunRequest | dg.SkipReason


@dataclass(frozen=True)
class ScheduledJobs:
    """The jobs that begin by themselves.

    Attributes:
        macro: First of the nightly ones; the others follow it.
        retrain: Monthly, for all tickers and learned policies.
        retrain_config: Its run configuration.
        maintenance: Weekly.
    """

    macro: UnresolvedAssetJobDefinition
    retrain: UnresolvedAssetJobDefinition
    retrain_config: Mapping[str, Any]
    maintenance: dg.JobDefinition


def schedules(
    settings: Settings, jobs: ScheduledJobs, longest_horizon: int
) -> list[dg.ScheduleDefinition]:
    """Return the schedules of a home.

    Args:
        settings: When they tick.
        jobs: What they begin.
        longest_horizon: Sessions until the last outcome of a forecast is known.
    """
    return [
        _nightly(settings, jobs, longest_horizon),
        _monthly(settings, jobs),
        _weekly(settings, jobs),
    ]


def _nightly(
    settings: Settings, jobs: ScheduledJobs, longest_horizon: int
) -> dg.ScheduleDefinition:
    hour, minute = settings.schedules.nightly.split(":")

    @dg.schedule(
        name="nightly",
        job=jobs.macro,
        cron_schedule=f"{int(minute)} {int(hour)} * * 1-5",
        execution_timezone=NEW_YORK,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=(
            "After each session: fetches, computes, forecasts, rebalances, checks, measures drift "
            "and publishes."
        ),
    )
    def nightly(context: dg.ScheduleEvaluationContext) -> Answer:
        moment = context.scheduled_execution_time
        return nightly_request(settings, context.instance, moment, longest_horizon)

    return nightly


def nightly_request(
    settings: Settings, instance: dg.DagsterInstance, moment: datetime, longest_horizon: int
) -> Answer:
    """Return the request of the newest session's nightly run, or why there is nothing to do.

    Args:
        settings: Home and universe.
        instance: Knows what was asked for already.
        moment: The session is the newest that was over by then.
        longest_horizon: Sessions until the last outcome of a forecast is known.
    """
    session = last_completed_session(moment)
    reason = _not_filled(settings) or _ended(settings, session)
    if reason is not None:
        return dg.SkipReason(reason)
    if _was_requested(instance, NIGHTLY_TAG, session.isoformat()):
        return dg.SkipReason(_processed(moment, session))
    windows = open_windows(settings, longest_horizon)
    return dg.RunRequest(
        run_key=f"nightly-{session}",
        tags={
            **range_tags(windows[0].key, windows[-1].key),
            NIGHTLY_TAG: session.isoformat(),
        },
    )


def _monthly(settings: Settings, jobs: ScheduledJobs) -> dg.ScheduleDefinition:
    @dg.schedule(
        name="monthly",
        job=jobs.retrain,
        cron_schedule=f"{MONTHLY_TIME.minute} {MONTHLY_TIME.hour} * * 1-5",
        execution_timezone=NEW_YORK,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=(
            "Challengers of all tickers and learned policies, however well those that serve do."
        ),
    )
    def monthly(context: dg.ScheduleEvaluationContext) -> Answer:
        day = _day(context.scheduled_execution_time)
        tick, session = monthly_retraining(day, settings.schedules.monthly_day)
        reason = _not_filled(settings) or _done(context.instance, tick)
        if reason is None and session < day and not _was_at_work(context.instance, session):
            reason = f"{tick} was due on {session}, before this home had any run."
        if reason is not None:
            return dg.SkipReason(reason)
        return dg.RunRequest(
            run_key=tick,
            run_config=dict(jobs.retrain_config),
            tags={SCHEDULE_TAG: tick, CAUSE_TAG: "schedule"},
        )

    return monthly


def monthly_retraining(day: date, monthly_day: int) -> tuple[str, date]:
    """Return name and session of the newest retraining of everything due by `day`.

    It is due on the first session at or after its day of the month.

    Args:
        day: The day.
        monthly_day: Day of the month, at most 28.
    """
    wanted = day.replace(day=monthly_day)
    while first_session_from(wanted) > day:
        wanted = (wanted.replace(day=1) - timedelta(days=1)).replace(day=monthly_day)
    return f"monthly-{wanted:%Y-%m}", first_session_from(wanted)


def _weekly(settings: Settings, jobs: ScheduledJobs) -> dg.ScheduleDefinition:
    @dg.schedule(
        name="weekly",
        job=jobs.maintenance,
        cron_schedule=f"{WEEKLY_TIME} * * {settings.schedules.weekly_day}",
        execution_timezone=NEW_YORK,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Removes what nobody needs any more: old copies, orphan models, old events.",
    )
    def weekly(context: dg.ScheduleEvaluationContext) -> Answer:
        tick = f"weekly-{_day(context.scheduled_execution_time)}"
        reason = _done(context.instance, tick)
        if reason is not None:
            return dg.SkipReason(reason)
        return dg.RunRequest(run_key=tick, tags={SCHEDULE_TAG: tick})

    return weekly


def _not_filled(settings: Settings) -> str | None:
    home = home_of(settings)
    if held_source(home) == settings.source:
        return None
    return f"No full run of source {settings.source} has filled {home.root}: run `odyssey run`."


def _ended(settings: Settings, session: date) -> str | None:
    if settings.end is None or settings.end >= session:
        return None
    return f"The settings ask for nothing after {settings.end}: remove `end` to go on."


def _processed(scheduled: datetime, session: date) -> str:
    closing = closing_reason(_day(scheduled))
    if closing is None:
        return f"The session of {session} was asked for already."
    return f"New York does not trade on {_day(scheduled)}: {closing}."


def _done(instance: dg.DagsterInstance, tick: str) -> str | None:
    return (
        f"{tick} was asked for already." if _was_requested(instance, SCHEDULE_TAG, tick) else None
    )


def _was_requested(instance: dg.DagsterInstance, tag: str, value: str) -> bool:
    return bool(instance.get_runs(dg.RunsFilter(tags={tag: value}), limit=1))


def _was_at_work(instance: dg.DagsterInstance, session: date) -> bool:
    """Return whether the instance had a run before the evening of a session."""
    evening = datetime.combine(session, MONTHLY_TIME, ZoneInfo(NEW_YORK)).astimezone(UTC)
    return bool(instance.get_runs(dg.RunsFilter(created_before=evening), limit=1))


def _day(moment: datetime) -> date:
    return moment.astimezone(ZoneInfo(NEW_YORK)).date()
