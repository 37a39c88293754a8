"""Cool-down in sessions, budget in tickers and policies a day."""

from datetime import date, timedelta

import pandas as pd
import pytest

from odyssey_assets.core.sessions import sessions_between
from odyssey_assets.monitoring.ledgers import RETRAINING_EVENTS
from odyssey_assets.monitoring.retraining.admission import sessions_after
from odyssey_assets.monitoring.retraining.settlement import failed, finished, unasked
from odyssey_assets.settings_sections import RetrainingSettings
from odyssey_assets_tests.monitoring.retraining.found_events import (
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
FIRST = date(2024, 7, 31)
SESSIONS = [day.date() for day in sessions_between(FIRST, date(2024, 12, 31))]
SETTINGS = RetrainingSettings(cooldown_sessions=5, daily_budget=2)


def settled(*tickers: str) -> pd.DataFrame:
    """Return the ledger after retraining tickers as of `FIRST`, two months ago."""
    at = NOW - timedelta(days=60)
    asked = plan(findings(*tickers, as_of=FIRST), EMPTY, now=at)
    decided = promotions(*[promotion(ticker, "rejected", at) for ticker in tickers])
    return joined(
        asked.rows,
        finished(asked.rows, asked.batches[0].run_key, "r", decided, at, policies=POLICIES),
    )


@pytest.mark.parametrize(("passed", "is_due"), [(0, False), (4, False), (5, True), (60, True)])
def test_ticker_waits_for_the_sessions_of_the_cool_down(passed: int, *, is_due: bool) -> None:
    found = findings("INTC", as_of=SESSIONS[passed], cause="decay")
    made = plan(found, settled("INTC"), settings=SETTINGS)
    assert bool(made.batches) == is_due
    expected = ("requested", None) if is_due else ("suppressed", "cooling_down")
    assert made.rows["state"].item() == expected[0]
    assert is_due or f"{passed} of 5 sessions" in made.rows["reason"].item()


def test_cool_down_holds_only_its_own_ticker() -> None:
    made = plan(findings("INTC", "HYG", as_of=SESSIONS[1]), settled("INTC"), settings=SETTINGS)
    assert [batch.subjects for batch in made.batches] == [("HYG",)]


def test_clock_that_was_moved_shortens_no_cool_down() -> None:
    found = findings("INTC", as_of=SESSIONS[4])
    for days in (-4000, 4000):
        now = NOW + timedelta(days=days)
        assert plan(found, settled("INTC"), settings=SETTINGS, now=now).batches == ()


def test_older_finding_read_late_waits_too() -> None:
    found = findings("INTC", as_of=date(2024, 7, 15))
    assert plan(found, settled("INTC"), settings=SETTINGS).batches == ()


def test_retraining_that_failed_is_tried_again_at_the_next_finding() -> None:
    asked = plan(findings("INTC", as_of=FIRST), EMPTY)
    ledger = joined(asked.rows, failed(asked.rows, asked.batches[0].run_key, "r", "disk full", NOW))
    same = plan(findings("INTC", as_of=FIRST), ledger, settings=SETTINGS)
    assert (len(same.rows), same.batches) == (0, ())
    later = plan(findings("INTC", as_of=SESSIONS[1]), ledger, settings=SETTINGS)
    assert [batch.subjects for batch in later.batches] == [("INTC",)]


def test_tickers_over_the_daily_budget_wait() -> None:
    made = plan(findings("A", "B", "C", "D"), EMPTY, settings=SETTINGS)
    assert [batch.subjects for batch in made.batches] == [("A", "B")]
    refused = made.rows[made.rows["state"] == "suppressed"]
    assert sorted(refused["ticker"]) == ["C", "D"]
    assert set(refused["outcome"]) == {"over_budget"}


def test_budget_counts_what_was_asked_for_earlier_on_the_same_day_in_new_york() -> None:
    first = plan(findings("A"), EMPTY, settings=SETTINGS)
    keys = {first.batches[0].run_key}
    again = plan(findings("B", "C"), first.rows, settings=SETTINGS, run_keys=keys)
    assert [batch.subjects for batch in again.batches] == [("B",)]
    after_utc_midnight = NOW + timedelta(hours=3)
    night = plan(
        findings("B", "C"), first.rows, settings=SETTINGS, run_keys=keys, now=after_utc_midnight
    )
    assert [batch.subjects for batch in night.batches] == [("B",)]
    tomorrow = plan(
        findings("B", "C"), first.rows, settings=SETTINGS, run_keys=keys,
        now=NOW + timedelta(days=1),
    )  # fmt: skip
    assert [batch.subjects for batch in tomorrow.batches] == [("B", "C")]


def test_budget_leaves_scheduled_retrainings_aside() -> None:
    ledger = unasked("r", ["C", "D"], "schedule", FIRST, "monthly", NOW)
    made = plan(findings("A", "B"), ledger, settings=SETTINGS)
    assert [batch.subjects for batch in made.batches] == [("A", "B")]


@pytest.mark.parametrize(
    ("day", "last", "expected"),
    [
        (date(2024, 7, 3), date(2024, 7, 5), 1),  # Independence Day lies between.
        (date(2024, 7, 5), date(2024, 7, 8), 1),  # A weekend.
        (date(2024, 7, 5), date(2024, 7, 5), 0),
        (date(2024, 7, 8), date(2024, 7, 5), 0),
    ],
)
def test_sessions_after_counts_what_the_exchange_trades(
    day: date, last: date, expected: int
) -> None:
    assert sessions_after(day, last) == expected


def test_scheduled_retraining_that_has_ended_makes_no_finding_wait() -> None:
    at = NOW - timedelta(days=60)
    asked = unasked("r", ["INTC"], "schedule", FIRST, "monthly", at)
    decided = promotions(promotion("INTC", "rejected", at))
    ledger = joined(asked, finished(asked, "monthly", "r", decided, at, policies=POLICIES))
    made = plan(findings("INTC", as_of=SESSIONS[1]), ledger, settings=SETTINGS)
    assert [batch.subjects for batch in made.batches] == [("INTC",)]


def settled_policy(decision: str) -> pd.DataFrame:
    """Return the ledger after retraining a policy as of `FIRST`, two months ago."""
    at = NOW - timedelta(days=60)
    asked = plan(policy_findings("ppo", as_of=FIRST), EMPTY, now=at)
    decided = promotions(promotion("ppo", decision, at, kind="policy"))
    key = asked.batches[0].run_key
    return joined(asked.rows, finished(asked.rows, key, "r", decided, at, policies=POLICIES))


@pytest.mark.parametrize(("passed", "is_due"), [(1, False), (4, False), (5, True)])
def test_policy_waits_for_the_sessions_of_the_cool_down(passed: int, *, is_due: bool) -> None:
    found = policy_findings("ppo", as_of=SESSIONS[passed])
    made = plan(found, settled_policy("rejected"), settings=SETTINGS)
    assert bool(made.batches) == is_due
    assert is_due or made.rows["outcome"].item() == "cooling_down"


def test_cool_down_of_a_policy_holds_no_ticker_and_that_of_a_ticker_no_policy() -> None:
    beside = plan(findings("INTC", as_of=SESSIONS[1]), settled_policy("pending"), settings=SETTINGS)
    assert [batch.subjects for batch in beside.batches] == [("INTC",)]
    made = plan(policy_findings("ppo", as_of=SESSIONS[1]), settled("INTC"), settings=SETTINGS)
    assert [batch.subjects for batch in made.batches] == [("ppo",)]


def test_policy_counts_like_a_ticker_in_the_budget() -> None:
    found = (*findings("A", cause="decay"), *policy_findings("ppo"), *findings("B", "C"))
    made = plan(found, EMPTY, settings=SETTINGS)
    assert [batch.subjects for batch in made.batches] == [("A", "ppo")]
    refused = made.rows[made.rows["state"] == "suppressed"]
    assert sorted(refused["ticker"]) == ["B", "C"]
    assert set(refused["outcome"]) == {"over_budget"}
    assert set(refused["reason"]) == {"the day's 2 were asked for already"}
    later = plan(
        findings("B", "C"),
        plan(policy_findings("ppo"), EMPTY, settings=SETTINGS).rows,
        settings=SETTINGS,
    )
    assert ("B",) in [batch.subjects for batch in later.batches]
    assert later.rows.set_index("ticker")["outcome"].dropna().to_dict() == {"C": "over_budget"}


def test_policy_over_the_budget_waits() -> None:
    made = plan((*findings("A", "B"), *policy_findings("ppo")), EMPTY, settings=SETTINGS)
    assert [batch.subjects for batch in made.batches] == [("A", "B")]
    assert made.rows.set_index("ticker").loc["ppo", "outcome"] == "over_budget"


def test_monthly_retraining_of_a_policy_makes_no_finding_wait() -> None:
    at = NOW - timedelta(days=60)
    asked = unasked("r", ["INTC", "ppo"], "schedule", FIRST, "monthly", at)
    assert plan(policy_findings("ppo", as_of=SESSIONS[1]), asked, settings=SETTINGS).batches == ()
    decided = promotions(promotion("ppo", "rejected", at, kind="policy"))
    ledger = joined(asked, finished(asked, "monthly", "r", decided, at, policies=POLICIES))
    made = plan(policy_findings("ppo", as_of=SESSIONS[1]), ledger, settings=SETTINGS)
    assert [batch.subjects for batch in made.batches] == [("ppo",)]
