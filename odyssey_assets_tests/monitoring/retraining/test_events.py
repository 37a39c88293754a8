"""The ledger as events: the furthest state counts, whatever the clock said."""

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from odyssey_assets.monitoring.ledgers import OUTCOMES, RETRAINING_EVENTS, STATES
from odyssey_assets.monitoring.retraining.events import (
    PROGRESS,
    entry,
    event_of,
    events_of,
    in_batch,
    rows_of,
    utc,
)
from odyssey_assets_tests.monitoring.retraining.found_events import NOW, findings

EVENT = event_of(findings("INTC")[0], "INTC", NOW)


def test_every_state_of_the_ledger_has_its_place() -> None:
    assert set(PROGRESS) == set(STATES)


def test_event_comes_back_from_the_ledger_as_it_was_entered() -> None:
    rows = rows_of([entry(EVENT, "requested", NOW, batch="run-1")])
    (event,) = events_of(rows)
    assert (event.event_id, event.ticker, event.window) == (
        EVENT.event_id, EVENT.ticker, EVENT.window,
    )  # fmt: skip
    assert (event.as_of, event.cause, event.check) == (EVENT.as_of, EVENT.cause, EVENT.check)
    assert (event.value, event.threshold) == (EVENT.value, EVENT.threshold)
    assert (event.batch, event.outcome, event.state) == ("run-1", None, "requested")
    assert event.recorded_at == event.was_requested_at == utc(NOW)


@given(st.permutations(["reingesting", "requested", "started", "finished"]), st.integers(1, 4))
def test_furthest_state_counts_even_if_the_clock_was_moved_back(
    order: list[str], count: int
) -> None:
    entered = order[:count]
    rows = rows_of(
        [entry(EVENT, state, NOW - timedelta(days=day)) for day, state in enumerate(entered)]
    )
    (event,) = events_of(rows)
    assert event.state == max(entered, key=list(PROGRESS).index)
    assert event.is_unsettled == ("finished" not in entered)
    assert (event.was_requested_at is not None) == ("requested" in entered)


def test_ledger_without_rows_has_no_events() -> None:
    assert events_of(RETRAINING_EVENTS.empty()) == ()
    assert events_of(rows_of([])) == ()


def test_batch_holds_only_what_is_not_settled() -> None:
    other = event_of(findings("HYG")[0], "HYG", NOW)
    rows = rows_of(
        [
            entry(EVENT, "requested", NOW, batch="run-1"),
            entry(other, "requested", NOW, batch="run-1"),
            entry(other, "finished", NOW, batch="run-1", outcome=OUTCOMES[0]),
        ]
    )
    assert [event.ticker for event in in_batch(events_of(rows), "run-1")] == ["INTC"]
    assert in_batch(events_of(rows), "run-2") == ()


def test_moment_is_kept_in_utc() -> None:
    eastern = timezone(timedelta(hours=-5))
    assert utc(datetime(2024, 1, 2, 18, tzinfo=eastern)) == datetime(2024, 1, 2, 23)
    assert utc(datetime(2024, 1, 2, 18, tzinfo=UTC)) == utc(datetime(2024, 1, 2, 18))
