"""The sensors that tell people: a run failed, a check warned.

They say each thing once: the outbox knows what was sent, whatever cursor a sensor comes back with.
How an alert travels belongs to `notifier`.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
from dagster._core.storage.tags import WILL_RETRY_TAG

from odyssey_assets.infrastructure.check_log import CheckResult, check_results_after
from odyssey_assets.infrastructure.failures import failure_of
from odyssey_assets.infrastructure.home import Home, home_of
from odyssey_assets.infrastructure.notifier import Alert, Notifier
from odyssey_assets.settings import Settings

ON_RUN_FAILURE, ON_WARNING = "on_run_failure", "on_warning"
MAX_LINES = 20
MAX_TICKERS = 10
MAX_AGE = timedelta(days=7)


def alert_sensors(settings: Settings) -> list[dg.SensorDefinition]:
    """Return the sensors that alert through the channels of the settings."""
    return [_on_run_failure(settings), _on_warning(settings)]


def notifier_of(settings: Settings) -> Notifier:
    """Return what sends alerts of a home."""
    return Notifier(settings.alerts, outbox_of(home_of(settings)))


def outbox_of(home: Home) -> Path:
    """Return the folder of alerts that are on their way."""
    return home.root / "alerts"


def _on_run_failure(settings: Settings) -> dg.SensorDefinition:
    @dg.run_failure_sensor(
        name=ON_RUN_FAILURE,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Tells people about every run that failed, and why.",
    )
    def tell(context: dg.RunFailureSensorContext) -> None:
        run = context.dagster_run
        again = run.tags.get(WILL_RETRY_TAG) == "true"
        further = "It is tried once more." if again else f"Look at run {run.run_id} in the UI."
        notifier_of(settings).send(
            Alert(
                title=f"{run.job_name} failed",
                text=f"{failure_of(context.instance, run.run_id)}\n{further}",
                severity="warning" if again else "error",
                at=datetime.now(UTC),
                source=f"run {run.run_id}",
            )
        )

    return tell


def _on_warning(settings: Settings) -> dg.SensorDefinition:
    @dg.sensor(
        name=ON_WARNING,
        minimum_interval_seconds=60,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Tells people about checks that failed, and delivers what waits.",
    )
    def tell(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        results, cursor = check_results_after(context.instance, context.cursor)
        since = datetime.now(UTC) - MAX_AGE
        failed = [result for result in results if not result.passed and result.at > since]
        notifier = notifier_of(settings)
        for run_id in dict.fromkeys(result.run_id for result in failed):
            own = [result for result in failed if result.run_id == run_id]
            notifier.queue(alert_of(own))
        waiting = notifier.flush()
        reason = f"{len(failed)} of {len(results)} checks failed; {waiting} alerts wait."
        return dg.SensorResult(skip_reason=dg.SkipReason(reason), cursor=cursor)

    return tell


def alert_of(failed: Sequence[CheckResult]) -> Alert:
    """Return the alert about checks of one run that failed; at least one."""
    is_error = any(result.severity == "ERROR" for result in failed)
    lines = [_line(result) for result in failed[:MAX_LINES]]
    if len(failed) > MAX_LINES:
        lines.append(f"and {len(failed) - MAX_LINES} more")
    return Alert(
        title=f"{len(failed)} checks failed" if len(failed) > 1 else "A check failed",
        text="\n".join(lines),
        severity="error" if is_error else "warning",
        at=failed[-1].at,
        source=f"run {failed[0].run_id}",
    )


def _line(result: CheckResult) -> str:
    tickers = list(
        dict.fromkeys(
            str(failure["ticker"]) for failure in result.failures if failure.get("ticker")
        )
    )
    named = ", ".join(tickers[:MAX_TICKERS])
    more = f" and {len(tickers) - MAX_TICKERS} more" if len(tickers) > MAX_TICKERS else ""
    words = "; ".join(part for part in (result.description, named + more) if part)
    return f"{result.severity} {result.asset}: {result.check}" + (f" ({words})" if words else "")
