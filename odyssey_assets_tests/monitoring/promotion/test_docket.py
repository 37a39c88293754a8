"""Whoever is not on the docket would get no decision, and whoever would is on it."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from odyssey_assets.monitoring.promotion.docket import docket
from odyssey_assets_tests.monitoring.promotion.courtroom import (
    BEFORE,
    HORIZON,
    TICKER,
    Courtroom,
    settings_of,
    sha_of,
)

TODAY = date(2024, 10, 31)


def challenge(court: Courtroom) -> None:
    unseen = court.session_before(TODAY, 20 + HORIZON)
    court.challenge("new", 0.9, as_of=TODAY, stand_in_as_of=unseen)


def wait(court: Courtroom) -> None:
    court.challenge("new", 0.9, as_of=TODAY)


def decay(court: Courtroom) -> None:
    court.decay("fold", TODAY)


def refit(court: Courtroom) -> None:
    court.evidence.folds["model_sha256"] = sha_of("refitted")


def open_window(court: Courtroom) -> None:
    court.serve("old", 0.5, after=date(2023, 12, 29))
    court.today = date(2024, 6, 28)


@pytest.mark.parametrize("event", [challenge, wait, decay, refit, open_window])
def test_ticker_to_which_something_happened_is_on_the_docket(
    event: Callable[[Courtroom], None], tmp_path: Path
) -> None:
    court, settings = Courtroom(today=TODAY), settings_of(tmp_path)
    court.serve("fold", 0.5)
    assert docket(court.evidence.until(TODAY), settings) == (TICKER,)
    court.judge(settings)
    assert docket(court.evidence.until(TODAY), settings) == ()
    event(court)
    assert docket(court.evidence.until(court.today), settings) == (TICKER,)


def test_ticker_that_waits_stays_on_the_docket_until_it_is_judged(tmp_path: Path) -> None:
    court, settings = Courtroom(today=TODAY), settings_of(tmp_path)
    court.serve("fold", 0.0)
    wait(court)
    court.judge(settings)
    assert docket(court.evidence.until(TODAY), settings) == (TICKER,)
    court.today = date(2024, 12, 16)
    assert not court.judge(settings).empty
    assert docket(court.evidence.until(court.today), settings) == ()


def test_unproven_for_want_of_sessions_stays_on_the_docket(tmp_path: Path) -> None:
    court, settings = Courtroom(today=date(2024, 7, 12)), settings_of(tmp_path)
    court.serve("fold", 0.5, after=BEFORE)
    court.judge(settings)
    assert docket(court.evidence.until(court.today), settings) == (TICKER,)


def test_nobody_is_on_the_docket_of_an_empty_home(tmp_path: Path) -> None:
    court = Courtroom()
    assert docket(court.evidence.until(date(2020, 1, 2)), settings_of(tmp_path)) == ()
    assert docket(court.evidence, settings_of(tmp_path)) == ()
