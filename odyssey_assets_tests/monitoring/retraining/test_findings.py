"""What failed checks say about tickers, and that the same finding is always the same event."""

import json
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from odyssey_assets.core.hashing import hash_mapping
from odyssey_assets.core.windows import parse_window
from odyssey_assets.monitoring.retraining.findings import (
    EVENT_ID_LENGTH,
    cause_of,
    findings_of,
)
from odyssey_assets_tests.monitoring.retraining.found_events import (
    KNOWN,
    WINDOW,
    evaluation,
    failure,
    findings,
    policy_failure,
    policy_findings,
)


def test_finding_carries_what_the_check_listed() -> None:
    (found,) = findings_of([evaluation("drift", failure("INTC", value=0.01, threshold=0.02))])
    assert (found.ticker, found.window, found.as_of) == ("INTC", parse_window(WINDOW), KNOWN)
    assert (found.cause, found.value, found.threshold) == ("drift", 0.01, 0.02)
    assert found.check == "monitoring.drift_summary.inputs_have_not_drifted"


@pytest.mark.parametrize(
    "changes",
    [
        {"passed": True},
        {"asset": "forecasting.folds", "check": "model_beats_the_historical_mean"},
        {"asset": "monitoring.drift_summary", "check": "fulfils_its_contract"},
    ],
)
def test_evaluation_that_passed_or_is_not_watched_finds_nothing(changes: dict[str, object]) -> None:
    assert findings_of([evaluation("drift", failure("INTC"), **changes)]) == ()


def test_market_data_counts_when_it_is_wrong_and_not_when_it_is_late() -> None:
    assert cause_of(evaluation("data_quality")) == "data_quality"
    assert cause_of(evaluation("data_quality", check="prices_are_positive")) == "data_quality"
    assert cause_of(evaluation("data_quality", severity="WARN")) is None
    assert cause_of(evaluation("data_quality", asset="market_data.quarantine")) is None


def test_window_that_fails_at_several_sessions_is_one_finding_of_the_latest() -> None:
    early, late = failure("INTC", as_of="2024-07-31"), failure("INTC", as_of="2024-08-29")
    for order in ([early, late], [late, early]):
        (found,) = findings_of([evaluation("drift", *order)])
        assert found.as_of == date(2024, 8, 29)


def test_failure_without_details_is_a_finding_of_the_last_known_session() -> None:
    (found,) = findings_of([evaluation("data_quality")])
    assert (found.ticker, found.as_of, found.window) == (None, KNOWN, parse_window(WINDOW))


@pytest.mark.parametrize("broken", ["not a day", None, 7, "2024-07-02"])
def test_malformed_window_and_session_fall_back_to_what_is_known(broken: object) -> None:
    entry = failure("INTC", window=broken, as_of=None)
    (found,) = findings_of([evaluation("data_quality", entry)])
    assert (found.window, found.as_of) == (parse_window(WINDOW), KNOWN)


@pytest.mark.parametrize("value", ["-5.0, expected more", None, float("nan"), True])
def test_value_that_is_no_number_is_left_out(value: object) -> None:
    (found,) = findings_of([evaluation("data_quality", failure("INTC", value=value))])
    assert found.value is None


def test_event_is_the_same_through_json_and_in_another_run() -> None:
    entry = failure("INTC", value=0.1 + 0.2)
    (one,) = findings_of([evaluation("drift", entry)])
    read = json.loads(json.dumps(entry))
    (two,) = findings_of([evaluation("drift", read, run_id="another", storage_id=99)])
    assert one.event_id == two.event_id


def test_events_differ_by_every_part_of_their_identity() -> None:
    entries = [
        failure("INTC"), failure("HYG"), failure("INTC", value=0.5),
        failure("INTC", as_of="2024-10-01"), failure("INTC", window="2024-01-01"),
    ]  # fmt: skip
    ids = {findings_of([evaluation("drift", entry)])[0].event_id for entry in entries}
    ids.add(findings_of([evaluation("decay", failure("INTC"))])[0].event_id)
    assert len(ids) == len(entries) + 1


@given(st.permutations(["AAPL", "INTC", "HYG", "SPY"]))
def test_findings_do_not_depend_on_the_order_of_the_log(tickers: list[str]) -> None:
    assert findings(*tickers) == findings("AAPL", "HYG", "INTC", "SPY")


def test_decayed_policy_is_a_finding_under_its_name() -> None:
    entry = policy_failure("ppo", value=-2.5, threshold=-1.0)
    check = {"asset": "monitoring.policy_quality", "check": "policies_have_not_decayed"}
    (found,) = findings_of([evaluation("decay", entry, **check)])
    assert (found.ticker, found.window, found.as_of) == ("ppo", parse_window(WINDOW), KNOWN)
    assert (found.cause, found.value, found.threshold) == ("decay", -2.5, -1.0)
    assert found.check == "monitoring.policy_quality.policies_have_not_decayed"
    again = findings_of([evaluation("decay", json.loads(json.dumps(entry)), **check)])
    assert again == (found,)
    other = findings_of([evaluation("decay", entry | {"policy": "sac"}, **check)])
    assert other[0].event_id != found.event_id


def test_ticker_comes_before_a_policy_where_a_check_lists_both() -> None:
    (found,) = findings_of([evaluation("drift", failure("INTC", policy="ppo"))])
    assert found.ticker == "INTC"


def test_policies_of_one_window_are_findings_beside_those_of_tickers() -> None:
    both = (*findings("INTC", cause="decay"), *policy_findings("ppo"))
    assert [each.ticker for each in both] == ["INTC", "ppo"]
    early = policy_failure("ppo", as_of="2024-08-30")
    check = {"asset": "monitoring.policy_quality", "check": "policies_have_not_decayed"}
    assert findings_of([evaluation("decay", early, policy_failure("ppo"), **check)]) == both[1:]


@pytest.mark.parametrize("ticker", ["INTC", None])
def test_identity_of_a_tickers_finding_is_that_of_ledgers_kept_so_far(ticker: str | None) -> None:
    """The hash that ledgers hold: entered events must be known again."""
    identity = {
        "check": "monitoring.drift_summary.inputs_have_not_drifted", "ticker": ticker,
        "window": WINDOW, "as_of": KNOWN.isoformat(), "value": 0.01,
    }  # fmt: skip
    assert findings(ticker)[0].event_id == hash_mapping(identity)[:EVENT_ID_LENGTH]
