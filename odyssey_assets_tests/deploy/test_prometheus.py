"""The Prometheus configuration: valid, about metrics that exist, and every alert can fire."""

import re
from typing import Any

import pytest

from odyssey_assets_tests.deploy.rules import (
    DEPLOY,
    PROMETHEUS,
    alert_rules,
    load,
    metric_names,
    promtool,
)
from odyssey_assets_tests.samples import Samples

SEVERITIES = {"critical", "warning", "info"}
ASKED_FOR = {
    "OdysseyScrapeDown", "OdysseyRunFailed", "OdysseyDataOlderThanOneSessionDay", "OdysseyDrift",
    "OdysseyDirectionAccuracyBelowHalf",
}  # fmt: skip


def test_configuration_is_valid_for_prometheus() -> None:
    done = promtool("check", "config", "prometheus.yml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_rules_fire_and_stay_silent_as_their_unit_tests_say() -> None:
    done = promtool("test", "rules", "alerts_test.yml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_exposition_follows_the_conventions_of_prometheus(exposition: str) -> None:
    done = promtool("check", "metrics", text=exposition)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_every_metric_of_the_rules_is_exposed(exposed: Samples) -> None:
    read = {name for rule in alert_rules() for name in metric_names(rule["expr"])}
    assert read
    assert read - set(exposed) == set()


def test_every_alert_fires_in_a_unit_test() -> None:
    cases = [
        case
        for test in load(PROMETHEUS / "alerts_test.yml")["tests"]
        for case in test["alert_rule_test"]
    ]
    fired = {case["alertname"] for case in cases if case["exp_alerts"]}
    assert fired == {rule["alert"] for rule in alert_rules()}
    assert fired >= ASKED_FOR


@pytest.mark.parametrize("rule", alert_rules(), ids=lambda rule: rule["alert"])
def test_alert_says_how_bad_it_is_what_happened_and_what_to_do(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in SEVERITIES
    assert set(rule["annotations"]) == {"summary", "description"}
    assert all(text.strip().endswith(".") for text in rule["annotations"].values())


def test_alert_that_is_about_a_job_of_odyssey_does_not_use_prometheus_own_label() -> None:
    """Prometheus renames a label `job` of what it scrapes."""
    for rule in alert_rules():
        if "up{" not in rule["expr"]:
            assert "job=" not in rule["expr"]
            assert "$labels.job " not in str(rule["annotations"])


def test_scraped_address_and_rule_file_are_the_ones_there_are() -> None:
    configuration = load(PROMETHEUS / "prometheus.yml")
    assert [(PROMETHEUS / name).exists() for name in configuration["rule_files"]] == [True]
    (scrape,) = configuration["scrape_configs"]
    assert scrape["job_name"] == "odyssey"
    assert scrape["static_configs"] == [{"targets": ["127.0.0.1:9464"]}]


def test_readme_lists_every_alert_with_its_severity() -> None:
    listed = set(
        re.findall(r"^\| (Odyssey\w+) \| (\w+) \|", (DEPLOY / "README.md").read_text(), re.M)
    )
    assert listed == {(rule["alert"], rule["labels"]["severity"]) for rule in alert_rules()}
