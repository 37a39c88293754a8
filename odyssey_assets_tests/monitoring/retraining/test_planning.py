"""Nothing is asked for twice, nothing is lost, and bad data is fetched again first."""

from datetime import date, timedelta

import pandas as pd
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from odyssey_assets.monitoring.ledgers import RETRAINING_EVENTS
from odyssey_assets.monitoring.retraining.planning import EVERY_TICKER
from odyssey_assets.settings_sections import RetrainingSettings
from odyssey_assets_tests.monitoring.retraining.found_events import (
    KNOWN,
    NOW,
    findings,
    joined,
    plan,
    policy_findings,
)

EMPTY = RETRAINING_EVENTS.empty()
TICKERS = ("AAPL", "HYG", "INTC", "SPY")


def states(rows: pd.DataFrame) -> dict[str, str]:
    """Return each ticker's state, with the outcome if there is one."""
    return {
        row["ticker"]: row["state"] + ("" if pd.isna(row["outcome"]) else f" {row['outcome']}")
        for row in rows.to_dict("records")
    }


def test_findings_become_one_request_for_all_tickers() -> None:
    made = plan(findings("INTC", "HYG"), EMPTY)
    (batch,) = made.batches
    assert batch.subjects == ("HYG", "INTC")
    assert batch.cause == "drift"
    assert states(made.rows) == {"HYG": "requested", "INTC": "requested"}
    assert set(made.rows["batch"]) == {batch.run_key}
    assert set(made.rows["event_id"]) == set(batch.event_ids)
    assert made.reingests == ()


def test_nothing_found_asks_for_nothing() -> None:
    made = plan((), EMPTY)
    assert (len(made.rows), made.batches, made.reingests) == (0, (), ())


def test_drift_and_decay_of_one_ticker_are_one_retraining_of_two_events() -> None:
    found = findings("INTC") + findings("INTC", cause="decay")
    made = plan(found, EMPTY)
    assert [batch.subjects for batch in made.batches] == [("INTC",)]
    assert list(made.rows["state"]) == ["requested", "requested"]


def test_request_killed_before_its_run_is_asked_for_again_with_the_same_key() -> None:
    first = plan(findings("INTC", "HYG"), EMPTY)
    again = plan(findings("INTC", "HYG"), first.rows)
    assert again.batches == first.batches
    assert again.rows.empty
    without_findings = plan((), first.rows)
    assert without_findings.batches == first.batches


def test_request_whose_run_exists_is_not_asked_for_again() -> None:
    first = plan(findings("INTC"), EMPTY)
    again = plan(findings("INTC"), first.rows, run_keys={first.batches[0].run_key})
    assert (len(again.rows), again.batches) == (0, ())


def test_requester_leaves_the_requests_of_others_alone_unless_it_recovers_them() -> None:
    first = plan(findings("INTC"), EMPTY, requester="on_drift")
    assert plan((), first.rows, requester="on_failed_check").batches == ()
    assert plan((), first.rows, requester="on").batches == ()
    recovered = plan((), first.rows, requester="run", recovers=("on_drift",))
    assert recovered.batches == first.batches


def test_two_sensors_that_find_one_ticker_retrain_it_once() -> None:
    settings = RetrainingSettings(cooldown_sessions=0)
    first = plan(findings("INTC"), EMPTY, requester="on_drift", settings=settings)
    second = plan(
        findings("INTC", cause="decay"),
        first.rows,
        requester="on_failed_check",
        settings=settings,
        run_keys={first.batches[0].run_key},
    )
    assert second.batches == ()
    assert states(second.rows) == {"INTC": "suppressed cooling_down"}


def test_new_findings_beside_a_lost_request_are_a_request_of_their_own() -> None:
    first = plan(findings("INTC"), EMPTY)
    made = plan(findings("INTC", "HYG"), first.rows)
    assert {batch.subjects for batch in made.batches} == {("INTC",), ("HYG",)}
    assert states(made.rows) == {"HYG": "requested"}


def test_models_that_serve_no_more_are_not_retrained() -> None:
    made = plan(findings("INTC", window="2024-01-01", as_of=date(2024, 6, 28)), EMPTY)
    assert (len(made.rows), made.batches) == (0, ())


def test_without_automatic_retraining_findings_are_noted_only() -> None:
    settings = RetrainingSettings(is_automatic=False)
    found = findings("INTC") + findings("HYG", cause="data_quality")
    made = plan(found, EMPTY, settings=settings)
    assert (made.batches, made.reingests) == ((), ())
    assert states(made.rows) == {"INTC": "suppressed", "HYG": "suppressed"}
    assert made.rows["reason"].str.contains("is_automatic").all()


def test_bad_data_is_fetched_again_from_its_first_window_and_not_learned_from() -> None:
    found = findings("INTC", cause="data_quality", window="2023-01-01")
    found += findings("AAPL", cause="data_quality")
    made = plan(found, EMPTY)
    assert made.batches == ()
    (request,) = made.reingests
    assert request.tickers == ("AAPL", "INTC")
    assert request.first_window.key == "2023-01-01"
    assert states(made.rows) == {"AAPL": "reingesting", "INTC": "reingesting"}
    assert plan(found, made.rows).reingests == made.reingests
    assert plan(found, made.rows, run_keys={request.run_key}).reingests == ()


def test_data_still_bad_after_fetching_is_not_fetched_again_before_the_next_session() -> None:
    first = plan(findings("INTC", cause="data_quality"), EMPTY)
    other = findings("INTC", cause="data_quality", window="2023-01-01")
    made = plan(other, first.rows, run_keys={first.reingests[0].run_key})
    assert made.reingests == ()
    assert states(made.rows) == {"INTC": "suppressed cooling_down"}
    next_day = findings("INTC", cause="data_quality", as_of=KNOWN + timedelta(days=1))
    assert plan(next_day, first.rows).reingests[-1].tickers == ("INTC",)


def test_finding_without_a_ticker_is_noted_once() -> None:
    found = findings(None, cause="data_quality")
    made = plan(found, EMPTY)
    assert states(made.rows) == {EVERY_TICKER: "suppressed"}
    assert (made.batches, made.reingests) == ((), ())
    assert plan(found, made.rows).rows.empty


@effort(deadline=None, max_examples=40)
@given(
    st.lists(st.tuples(st.sampled_from(TICKERS), st.integers(0, 3)), min_size=1, max_size=12),
    st.lists(st.booleans(), min_size=12, max_size=12),
)
def test_whatever_is_read_twice_or_killed_every_ticker_is_asked_for_once(
    read: list[tuple[str, int]], is_killed: list[bool]
) -> None:
    """Ticks see findings in any order and repetition; a killed tick enters rows and no run."""
    ledger, runs = EMPTY, dict[str, tuple[str, ...]]()
    for (ticker, value), dies in zip(read, is_killed, strict=False):
        found = findings(ticker, as_of=KNOWN - timedelta(days=value))
        made = plan(found, ledger, run_keys=set(runs))
        ledger = joined(ledger, made.rows)
        if not dies:
            runs |= {batch.run_key: batch.subjects for batch in made.batches}
    last = plan((), ledger, run_keys=set(runs))
    assert last.rows.empty
    asked = [ticker for tickers in runs.values() for ticker in tickers]
    asked += [ticker for batch in last.batches for ticker in batch.subjects]
    assert sorted(asked) == sorted({ticker for ticker, _ in read})


def test_evaluations_of_a_repeated_run_change_nothing() -> None:
    made = plan(findings("INTC"), EMPTY)
    assert plan(findings("INTC"), made.rows, now=NOW + timedelta(days=3)).rows.empty


def test_two_tickers_and_a_policy_are_one_request() -> None:
    made = plan((*findings("INTC", "HYG", cause="decay"), *policy_findings("ppo")), EMPTY)
    (batch,) = made.batches
    assert batch.subjects == ("HYG", "INTC", "ppo")
    assert (batch.among(("ppo", "sac")), batch.among(TICKERS)) == (("ppo",), ("HYG", "INTC"))
    assert states(made.rows) == {"HYG": "requested", "INTC": "requested", "ppo": "requested"}
    assert set(made.rows["batch"]) == {batch.run_key}
    assert made.reingests == ()


def test_policy_of_an_earlier_window_is_not_retrained() -> None:
    made = plan(policy_findings("ppo", window="2024-01-01", as_of=date(2024, 6, 28)), EMPTY)
    assert (len(made.rows), made.batches) == (0, ())


def test_policys_request_killed_before_its_run_is_asked_for_again_with_the_same_key() -> None:
    first = plan(policy_findings("ppo"), EMPTY)
    assert plan(policy_findings("ppo"), first.rows).batches == first.batches
    done = plan((), first.rows, run_keys={first.batches[0].run_key})
    assert (len(done.rows), done.batches) == (0, ())
