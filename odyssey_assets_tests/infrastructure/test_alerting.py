"""People hear of every failed run and every failed check, once."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.storage.tags import WILL_RETRY_TAG

from odyssey_assets.infrastructure.alerting import (
    ON_RUN_FAILURE,
    ON_WARNING,
    alert_of,
    alert_sensors,
    outbox_of,
)
from odyssey_assets.infrastructure.check_log import CheckResult
from odyssey_assets.infrastructure.home import Home
from odyssey_assets.settings import Settings
from odyssey_assets.settings_sections import AlertSettings
from odyssey_assets_tests.infrastructure.alert_servers import Webhook, silent_server, webhook

BARS = dg.AssetKey(["market_data", "bars"])
RESULT = CheckResult(
    storage_id=1, at=datetime(2024, 7, 1, tzinfo=UTC), run_id="r1", asset="market_data.bars",
    check="bars_are_fresh", passed=False, severity="WARN", description="", failures=(),
)  # fmt: skip


@pytest.fixture
def box() -> Iterator[Webhook]:
    """Serve a webhook."""
    with webhook() as served:
        yield served


def settings(root: Path, url: str) -> Settings:
    return Settings(home=root, alerts=AlertSettings(webhook_url=url, timeout_s=0.5))


def sensor(settings: Settings, name: str) -> dg.SensorDefinition:
    return {each.name: each for each in alert_sensors(settings)}[name]


def fail(instance: dg.DagsterInstance, **tags: str) -> dg.ExecuteInProcessResult:
    @dg.op
    def fit() -> None:
        raise RuntimeError("The disk is full.")

    @dg.job
    def retrain() -> None:
        fit()

    return retrain.execute_in_process(instance=instance, raise_on_error=False, tags=tags)


def tell_of(result: dg.ExecuteInProcessResult, instance: dg.DagsterInstance, at: Settings) -> None:
    event = next(each for each in result.all_events if each.is_job_failure)
    context = dg.build_run_status_sensor_context(
        sensor_name=ON_RUN_FAILURE,
        dagster_event=event,
        dagster_instance=instance,
        dagster_run=instance.get_run_by_id(result.run_id) or result.dagster_run,
    ).for_run_failure()
    sensor(at, ON_RUN_FAILURE)(context)


def check(instance: dg.DagsterInstance, *, passes: bool = False) -> str:
    @dg.asset(key=BARS)
    def bars() -> None:
        """Stand for a table."""

    @dg.asset_check(asset=BARS, name="bars_are_fresh")
    def are_fresh() -> dg.AssetCheckResult:
        failures = [{"ticker": "INTC", "window": "2024-07-01"}]
        return dg.AssetCheckResult(
            passed=passes,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={"failed_partitions": failures},
        )

    return dg.materialize([bars, are_fresh], instance=instance).run_id


def tick(instance: dg.DagsterInstance, at: Settings, cursor: str | None = None) -> Any:
    context = dg.build_sensor_context(instance=instance, cursor=cursor)
    return sensor(at, ON_WARNING).evaluate_tick(context)


def test_failed_run_is_told_once_with_its_cause(tmp_path: Path, box: Webhook) -> None:
    instance = dg.DagsterInstance.ephemeral()
    result = fail(instance)
    for _ in range(2):
        tell_of(result, instance, settings(tmp_path, box.url))
    (text,) = box.texts
    assert text.startswith("[error] retrain failed\nfit: RuntimeError: The disk is full.")
    assert result.run_id in text


def test_run_that_is_tried_again_is_a_warning(tmp_path: Path, box: Webhook) -> None:
    instance = dg.DagsterInstance.ephemeral()
    tell_of(fail(instance, **{WILL_RETRY_TAG: "true"}), instance, settings(tmp_path, box.url))
    (text,) = box.texts
    assert text.startswith("[warning]")
    assert "tried once more" in text


def test_failed_check_is_told_once_whatever_the_cursor(tmp_path: Path, box: Webhook) -> None:
    instance, at = dg.DagsterInstance.ephemeral(), settings(tmp_path, box.url)
    check(instance)
    first = tick(instance, at)
    assert first.skip_message == "1 of 1 checks failed; 0 alerts wait."
    tick(instance, at, None)
    tick(instance, at, first.cursor)
    (text,) = box.texts
    assert text == "[warning] A check failed\nWARN market_data.bars: bars_are_fresh (INTC)"
    check(instance)
    tick(instance, at, first.cursor)
    assert len(box.texts) == 2


def test_check_that_passes_is_not_told(tmp_path: Path, box: Webhook) -> None:
    instance = dg.DagsterInstance.ephemeral()
    check(instance, passes=True)
    tick(instance, settings(tmp_path, box.url))
    assert box.texts == []


def test_webhook_that_hangs_keeps_the_alert_and_the_next_tick_delivers_it(
    tmp_path: Path, box: Webhook
) -> None:
    instance = dg.DagsterInstance.ephemeral()
    check(instance)
    with silent_server() as port:
        hung = tick(instance, settings(tmp_path, f"http://127.0.0.1:{port}"))
    assert hung.skip_message == "1 of 1 checks failed; 1 alerts wait."
    assert len(list(outbox_of(Home(tmp_path)).glob("*.json"))) == 1
    later = tick(instance, settings(tmp_path, box.url), hung.cursor)
    assert later.skip_message == "0 of 0 checks failed; 0 alerts wait."
    assert len(box.texts) == 1


@pytest.mark.parametrize(
    ("change", "severity"), [({}, "warning"), ({"severity": "ERROR"}, "error")]
)
def test_alert_is_as_bad_as_its_worst_check(change: dict[str, Any], severity: str) -> None:
    assert alert_of([RESULT, replace(RESULT, **change)]).severity == severity


def test_alert_stays_short_and_says_what_it_leaves_out() -> None:
    tickers = tuple({"ticker": f"T{number}"} for number in range(15))
    many = [replace(RESULT, check=f"check_{number}", failures=tickers) for number in range(25)]
    alert = alert_of(many)
    lines = alert.text.splitlines()
    assert alert.title == "25 checks failed"
    assert len(lines) == 21
    assert lines[-1] == "and 5 more"
    assert "T9 and 5 more" in lines[0]
    assert "T10" not in lines[0]


def test_old_failures_are_not_told_when_a_home_is_watched_for_the_first_time(
    tmp_path: Path, box: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    instance = dg.DagsterInstance.ephemeral()
    check(instance)
    monkeypatch.setattr("odyssey_assets.infrastructure.alerting.MAX_AGE", timedelta(0))
    tick(instance, settings(tmp_path, box.url))
    assert box.texts == []
