"""What came of a request, entered once."""

from datetime import timedelta

import pandas as pd
import pytest

from odyssey_assets.monitoring.ledgers import RETRAINING_EVENTS
from odyssey_assets.monitoring.retraining.events import events_of
from odyssey_assets.monitoring.retraining.findings import Cause
from odyssey_assets.monitoring.retraining.settlement import (
    failed,
    fetched_again,
    finished,
    started,
    unasked,
    unsettled_batches,
    unsettled_reingests,
)
from odyssey_assets.settings_sections import RetrainingSettings
from odyssey_assets_tests.monitoring.retraining.found_events import (
    KNOWN,
    NOW,
    POLICIES,
    findings,
    joined,
    plan,
    policy_findings,
    promotion,
    promotions,
)

EMPTY = RETRAINING_EVENTS.empty()
LATER = NOW + timedelta(minutes=5)
ASKED = plan(findings("INTC", "HYG"), EMPTY)
KEY = ASKED.batches[0].run_key
MIXED = plan((*findings("INTC", cause="decay"), *policy_findings("ppo")), EMPTY)
MIXED_KEY = MIXED.batches[0].run_key
FETCHING = plan(findings("INTC", "HYG", cause="data_quality"), EMPTY)
FETCH_KEY = FETCHING.reingests[0].run_key


def outcomes(rows: pd.DataFrame) -> dict[str, str]:
    return dict(zip(rows["ticker"], rows["outcome"].fillna(""), strict=True))


def test_started_events_stay_unsettled_until_they_have_an_outcome() -> None:
    begun = joined(ASKED.rows, started(ASKED.rows, KEY, "r1", LATER))
    assert {event.state for event in events_of(begun)} == {"started"}
    assert unsettled_batches(begun) == ASKED.batches
    decided = promotions(promotion("INTC", "promoted", LATER), promotion("HYG", "rejected", LATER))
    ended = joined(begun, finished(begun, KEY, "r1", decided, LATER, policies=POLICIES))
    assert unsettled_batches(ended) == ()


def test_outcome_is_the_gates_decision_with_its_reason() -> None:
    decided = promotions(promotion("INTC", "promoted", LATER), promotion("HYG", "pending", LATER))
    rows = finished(ASKED.rows, KEY, "r1", decided, LATER, policies=POLICIES)
    assert outcomes(rows) == {"INTC": "promoted", "HYG": "pending"}
    assert set(rows["reason"]) == {"promoted because", "pending because"}
    assert set(rows["run_id"]) == {"r1"}


def test_decision_about_the_event_comes_before_a_newer_one_about_its_ticker() -> None:
    ids = {event.ticker: event.event_id for event in events_of(ASKED.rows)}
    decided = promotions(
        promotion("INTC", "rejected", LATER, ids["INTC"]),
        promotion("INTC", "promoted", LATER + timedelta(hours=1)),
        promotion("HYG", "rejected", LATER),
        promotion("HYG", "pending", LATER + timedelta(hours=1)),
    )
    rows = finished(ASKED.rows, KEY, "r1", decided, LATER, policies=POLICIES)
    assert outcomes(rows) == {"INTC": "rejected", "HYG": "pending"}


def test_decisions_before_the_request_and_successions_are_not_its_outcome() -> None:
    decided = promotions(
        promotion("INTC", "promoted", NOW - timedelta(days=1)),
        promotion("HYG", "succeeded", LATER),
    )
    rows = finished(ASKED.rows, KEY, "r1", decided, LATER, policies=POLICIES)
    assert outcomes(rows) == {"INTC": "failed", "HYG": "failed"}
    assert rows["reason"].str.contains("no decision").all()


def test_model_of_the_same_data_that_was_judged_before_is_no_failure() -> None:
    as_of = {event.ticker: event.as_of for event in events_of(ASKED.rows)}
    earlier = promotion("INTC", "rejected", NOW - timedelta(hours=1))
    decided = promotions(earlier | {"as_of": pd.Timestamp(as_of["INTC"])})
    rows = finished(ASKED.rows, KEY, "r1", decided, LATER, policies=POLICIES)
    assert outcomes(rows) == {"INTC": "unchanged_data", "HYG": "failed"}


def test_failed_run_says_why_and_is_settled_once() -> None:
    rows = failed(ASKED.rows, KEY, "r1", "disk full", LATER)
    assert set(rows["outcome"]) == {"failed"}
    assert set(rows["reason"]) == {"disk full"}
    ledger = joined(ASKED.rows, rows)
    assert failed(ledger, KEY, "r1", "again", LATER).empty
    assert finished(ledger, KEY, "r1", promotions(), LATER, policies=POLICIES).empty
    assert started(ledger, KEY, "r1", LATER).empty


def test_request_of_another_key_is_left_alone() -> None:
    assert failed(ASKED.rows, "run-retrain-other", "r1", "disk full", LATER).empty


def test_same_bars_again_settle_the_event_and_others_are_learned_from() -> None:
    assert unsettled_reingests(FETCHING.rows) == FETCHING.reingests
    changed = {"INTC": True, "HYG": False}
    rows = fetched_again(FETCHING.rows, FETCH_KEY, "r1", changed, RetrainingSettings(), now=LATER)
    states = dict(zip(rows["ticker"], rows["state"], strict=True))
    assert states == {"INTC": "requested", "HYG": "finished"}
    assert outcomes(rows) == {"INTC": "", "HYG": "unchanged_data"}
    ledger = joined(FETCHING.rows, rows)
    assert unsettled_reingests(ledger) == ()
    (batch,) = unsettled_batches(ledger)
    assert (batch.subjects, batch.cause) == (("INTC",), "data_quality")
    assert plan((), ledger).batches == (batch,)


def test_changed_data_of_a_ticker_that_cools_down_is_not_learned_from() -> None:
    at = NOW - timedelta(days=1)
    before = plan(findings("INTC", as_of=KNOWN), EMPTY, now=at)
    settled = joined(
        before.rows,
        finished(
            before.rows, before.batches[0].run_key, "r0",
            promotions(promotion("INTC", "rejected", at)), at, policies=POLICIES,
        ),
    )  # fmt: skip
    fetching = plan(findings("INTC", cause="data_quality"), settled)
    ledger = joined(settled, fetching.rows)
    key = fetching.reingests[0].run_key
    rows = fetched_again(ledger, key, "r1", {"INTC": True}, RetrainingSettings(), now=LATER)
    assert outcomes(rows) == {"INTC": "cooling_down"}


def test_fetch_that_failed_learns_nothing() -> None:
    rows = failed(FETCHING.rows, FETCH_KEY, "r1", "still broken", LATER)
    ledger = joined(FETCHING.rows, rows)
    assert set(outcomes(rows).values()) == {"failed"}
    assert unsettled_reingests(ledger) == ()
    assert unsettled_batches(ledger) == ()


@pytest.mark.parametrize("cause", ["schedule", "person"])
def test_retraining_that_no_finding_asked_for_has_events_too(cause: Cause) -> None:
    rows = unasked("r1", ["INTC", "HYG"], cause, KNOWN, "r1", NOW)
    assert rows["event_id"].nunique() == 2
    again = unasked("r1", ["INTC"], cause, KNOWN, "r1", LATER)
    assert again["event_id"].isin(rows["event_id"]).all()
    decided = promotions(promotion("INTC", "promoted", LATER), promotion("HYG", "rejected", LATER))
    settled = finished(rows, "r1", "r1", decided, LATER, policies=POLICIES)
    assert outcomes(settled) == {"INTC": "promoted", "HYG": "rejected"}


def test_window_that_opened_waits_for_the_judgement_of_its_models() -> None:
    rows = unasked("r1", ["INTC"], "new_window", KNOWN, "r1", NOW)
    assert outcomes(finished(rows, "r1", "r1", promotions(), LATER, policies=POLICIES)) == {
        "INTC": "pending"
    }


@pytest.mark.parametrize("decision", ["promoted", "rejected", "pending"])
def test_outcome_of_a_policy_is_the_gates_decision_about_a_policy(decision: str) -> None:
    decided = promotions(
        promotion("ppo", decision, LATER, kind="policy"),
        promotion("ppo", "promoted", LATER + timedelta(hours=1), kind="forecaster"),
        promotion("INTC", "rejected", LATER),
        promotion("INTC", "promoted", LATER + timedelta(hours=1), kind="policy"),
    )
    rows = finished(MIXED.rows, MIXED_KEY, "r1", decided, LATER, policies=POLICIES)
    assert outcomes(rows) == {"INTC": "rejected", "ppo": decision}
    assert rows.set_index("ticker").loc["ppo", "reason"] == f"{decision} because"


def test_policys_own_decision_comes_before_a_newer_one_about_it() -> None:
    ids = {event.ticker: event.event_id for event in events_of(MIXED.rows)}
    decided = promotions(
        promotion("ppo", "rejected", LATER, ids["ppo"], kind="policy"),
        promotion("ppo", "promoted", LATER + timedelta(hours=1), kind="policy"),
    )
    rows = finished(MIXED.rows, MIXED_KEY, "r1", decided, LATER, policies=POLICIES)
    assert outcomes(rows)["ppo"] == "rejected"


def test_policy_of_the_same_data_that_was_judged_before_is_no_failure() -> None:
    as_of = {"as_of": pd.Timestamp(KNOWN)}
    earlier = promotion("ppo", "rejected", NOW - timedelta(hours=1), kind="policy") | as_of
    rows = finished(MIXED.rows, MIXED_KEY, "r1", promotions(earlier), LATER, policies=POLICIES)
    assert outcomes(rows) == {"INTC": "failed", "ppo": "unchanged_data"}
    forecaster = earlier | {"kind": "forecaster"}
    rows = finished(MIXED.rows, MIXED_KEY, "r1", promotions(forecaster), LATER, policies=POLICIES)
    assert outcomes(rows)["ppo"] == "failed", "a forecaster of that name is somebody else"


@pytest.mark.parametrize("decision", ["succeeded", "unproven", "rolled_back"])
def test_policy_without_a_word_of_the_gate_has_failed(decision: str) -> None:
    decided = promotions(promotion("ppo", decision, LATER, kind="policy"))
    rows = finished(MIXED.rows, MIXED_KEY, "r1", decided, LATER, policies=POLICIES)
    assert outcomes(rows) == {"INTC": "failed", "ppo": "failed"}
    assert rows["reason"].str.contains("no decision").all()


def test_failed_run_fails_the_policy_too() -> None:
    rows = failed(MIXED.rows, MIXED_KEY, "r1", "disk full", LATER)
    assert outcomes(rows) == {"INTC": "failed", "ppo": "failed"}


def test_policy_that_a_person_retrained_has_an_event_of_its_own() -> None:
    rows = unasked("r1", ["ppo"], "person", KNOWN, "r1", NOW)
    assert list(rows["ticker"]) == ["ppo"]
    decided = promotions(promotion("ppo", "promoted", LATER, kind="policy"))
    settled = finished(rows, "r1", "r1", decided, LATER, policies=POLICIES)
    assert outcomes(settled) == {"ppo": "promoted"}
