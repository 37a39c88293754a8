"""Run keys, and how the job is configured."""

from odyssey_assets.monitoring.ledgers import RETRAINING_EVENTS
from odyssey_assets.monitoring.retraining.requests import retrain_config, run_config
from odyssey_assets_tests.monitoring.retraining.found_events import findings, plan

EMPTY = RETRAINING_EVENTS.empty()


def test_run_key_follows_from_the_events_and_the_requester() -> None:
    one = plan(findings("INTC", "HYG"), EMPTY).batches[0].run_key
    assert plan(findings("HYG", "INTC"), EMPTY).batches[0].run_key == one
    assert plan(findings("INTC"), EMPTY).batches[0].run_key != one
    other = plan(findings("INTC", "HYG"), EMPTY, requester="on_drift").batches[0].run_key
    assert other.startswith("on_drift-retrain-")


def test_job_is_configured_by_the_batch() -> None:
    (batch,) = plan(findings("INTC", "HYG"), EMPTY).batches
    assert run_config(batch) == {
        "ops": {
            "fit_challengers": {"config": {"tickers": ["HYG", "INTC"], "as_of": None}},
            "judge": {"config": {"batch": batch.run_key, "cause": "drift", "actor": "gate"}},
        }
    }
    assert retrain_config(("SPY",), "schedule", None, "schedule")["ops"]["judge"]["config"] == {
        "batch": None, "cause": "schedule", "actor": "schedule",
    }  # fmt: skip
