"""Run keys, and how the job is configured."""

import pytest

from odyssey_assets.errors import SettingsError
from odyssey_assets.monitoring.ledgers import RETRAINING_EVENTS
from odyssey_assets.monitoring.retraining.requests import retrain_config, run_config
from odyssey_assets.settings import Settings
from odyssey_assets_tests.monitoring.retraining.found_events import (
    findings,
    plan,
    policy_findings,
)

EMPTY = RETRAINING_EVENTS.empty()
SETTINGS = Settings(tickers=("HYG", "INTC", "SPY"))


def without_learned_policies() -> Settings:
    portfolio = SETTINGS.portfolio.model_copy(update={"policies": ("equal_weight", "momentum")})
    return SETTINGS.model_copy(update={"portfolio": portfolio})


def test_run_key_follows_from_the_events_and_the_requester() -> None:
    one = plan(findings("INTC", "HYG"), EMPTY).batches[0].run_key
    assert plan(findings("HYG", "INTC"), EMPTY).batches[0].run_key == one
    assert plan(findings("INTC"), EMPTY).batches[0].run_key != one
    other = plan(findings("INTC", "HYG"), EMPTY, requester="on_drift").batches[0].run_key
    assert other.startswith("on_drift-retrain-")


def test_job_is_configured_by_the_batch() -> None:
    (batch,) = plan(findings("INTC", "HYG"), EMPTY).batches
    assert run_config(batch, SETTINGS) == {
        "ops": {
            "fit_challengers": {"config": {"tickers": ["HYG", "INTC"], "as_of": None}},
            "train_policy_challengers": {"config": {"policies": [], "as_of": None}},
            "judge": {"config": {"batch": batch.run_key, "cause": "drift", "actor": "gate"}},
        }
    }
    asked = retrain_config(("SPY",), ("ppo",), "schedule", None, "schedule")["ops"]
    assert asked["judge"]["config"] == {"batch": None, "cause": "schedule", "actor": "schedule"}
    assert asked["fit_challengers"]["config"]["tickers"] == ["SPY"]
    assert asked["train_policy_challengers"]["config"]["policies"] == ["ppo"]


def test_batch_of_both_kinds_names_each_where_it_is_made_anew() -> None:
    found = (*findings("INTC", "HYG", cause="decay"), *policy_findings("ppo"))
    (batch,) = plan(found, EMPTY).batches
    assert batch.subjects == ("HYG", "INTC", "ppo")
    ops = run_config(batch, SETTINGS)["ops"]
    assert ops["fit_challengers"]["config"]["tickers"] == ["HYG", "INTC"]
    assert ops["train_policy_challengers"]["config"]["policies"] == ["ppo"]


def test_what_the_settings_name_no_longer_is_left_out() -> None:
    found = (*findings("GONE", "HYG", cause="decay"), *policy_findings("ppo"))
    (batch,) = plan(found, EMPTY).batches
    ops = run_config(batch, without_learned_policies())["ops"]
    assert ops["fit_challengers"]["config"]["tickers"] == ["HYG"]
    assert ops["train_policy_challengers"]["config"]["policies"] == []


def test_rule_is_never_trained_whatever_it_is_called() -> None:
    (batch,) = plan(policy_findings("momentum"), EMPTY).batches
    ops = run_config(batch, SETTINGS)["ops"]
    assert ops["fit_challengers"]["config"]["tickers"] == []
    assert ops["train_policy_challengers"]["config"]["policies"] == []


def test_policy_that_the_catalog_does_not_know_is_refused() -> None:
    portfolio = SETTINGS.portfolio.model_copy(update={"policies": ("oracle",)})
    (batch,) = plan(policy_findings("oracle"), EMPTY).batches
    with pytest.raises(SettingsError, match="oracle"):
        run_config(batch, SETTINGS.model_copy(update={"portfolio": portfolio}))
