"""Who serves what is to come, and who served before: the same for forecasters and policies."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from odyssey_assets.core.windows import Window
from odyssey_assets.monitoring.ledgers import PROMOTIONS
from odyssey_assets.monitoring.promotion.court import Court, incumbent_of, serving_before
from odyssey_assets.monitoring.promotion.evidence import ticker_evidence
from odyssey_assets.monitoring.promotion.forecaster_court import ForecasterCourt
from odyssey_assets.settings import Settings
from odyssey_assets_tests.monitoring.promotion.courtroom import (
    HORIZON,
    TICKER,
    WINDOW,
    Courtroom,
    name_of,
    settings_of,
    sha_of,
)
from odyssey_assets_tests.monitoring.promotion.policy_bench import (
    OLDER,
    OWN,
    POLICY,
    PolicyBench,
    policy_name,
    policy_sha,
)

TODAY, FORMER = date(2024, 10, 31), Window(date(2024, 1, 1))


@dataclass(frozen=True)
class Subject:
    """A ticker or a policy whose two windows have a model each.

    Attributes:
        kind: As the ledger has it.
        name: Of the subject.
        sha: SHA-256 of a model by its name.
        stored: Name in the store of a model by its name.
        build: Adds it to a courtroom.
        sit: Returns its court.
        older: Name of the model of the window before.
        own: Of the newest window.
    """

    kind: str
    name: str
    sha: Callable[[str], str]
    stored: Callable[[str], str]
    build: Callable[[Courtroom], Any]
    sit: Callable[[Courtroom, Settings], Court]
    older: str
    own: str

    def row(self, decision: str, model: str, **changed: Any) -> dict[str, Any]:
        """Return a row of the ledger about a model of the newest window."""
        return {
            "kind": self.kind, "subject": self.name, "window": WINDOW.start, "decision": decision,
            "decision_id": f"{decision} {model}", "model_name": self.stored(model),
            "model_sha256": self.sha(model), "model_version": 1, **changed,
        }  # fmt: skip


def build_ticker(room: Courtroom) -> None:
    room.serve("older", 0.0, after=date(2023, 12, 29))
    room.serve("fold", 0.0)


def sit_for_ticker(room: Courtroom, settings: Settings) -> Court:
    known = room.evidence.until(room.today)
    return ForecasterCourt(ticker_evidence(known, TICKER, HORIZON), known, settings)


SUBJECTS = {
    "forecaster": Subject(
        "forecaster", TICKER, sha_of, name_of, build_ticker, sit_for_ticker, "older", "fold"
    ),
    "policy": Subject(
        "policy", POLICY, policy_sha, policy_name,
        lambda room: PolicyBench(room).plant(0.0),
        lambda room, settings: PolicyBench(room).sitting(settings), OLDER, OWN,
    ),
}  # fmt: skip


@pytest.fixture(params=sorted(SUBJECTS))
def subject(request: pytest.FixtureRequest) -> Subject:
    return SUBJECTS[request.param]


@pytest.fixture
def room(subject: Subject) -> Courtroom:
    room = Courtroom(today=TODAY)
    subject.build(room)
    return room


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_of(tmp_path)


def incumbent(
    subject: Subject, room: Courtroom, settings: Settings, *rows: dict[str, Any]
) -> tuple[str, bool]:
    """Return SHA-256 and standing of the incumbent once rows are in the ledger."""
    if rows:
        room.add("ledger", PROMOTIONS, list(rows))
    found = incumbent_of(subject.sit(room, settings))
    assert found is not None
    return found.model.sha256, found.is_champion


def test_windows_own_model_serves_and_is_no_champion_unless_the_ledger_says_so(
    subject: Subject, room: Courtroom, settings: Settings
) -> None:
    own = subject.sha(subject.own)
    assert incumbent(subject, room, settings) == (own, False)
    row = subject.row("succeeded", subject.own, is_champion=True)
    assert incumbent(subject, room, settings, row) == (own, True)


def test_standing_of_a_model_that_was_made_anew_since_is_not_inherited(
    subject: Subject, room: Courtroom, settings: Settings
) -> None:
    row = subject.row("succeeded", "its former self", is_champion=True)
    assert incumbent(subject, room, settings, row) == (subject.sha(subject.own), False)


@pytest.mark.parametrize("is_champion", [True, False])
def test_reign_puts_another_in_its_place(
    is_champion: bool, subject: Subject, room: Courtroom, settings: Settings
) -> None:
    rows = (
        subject.row("succeeded", subject.own, is_champion=True),
        subject.row("promoted", "new", is_champion=is_champion, serves_after=date(2024, 9, 3)),
    )
    expected = (subject.sha("new"), is_champion)
    assert incumbent(subject, room, settings, *rows) == expected


def test_reigns_of_other_windows_kinds_and_subjects_do_not_rule(
    subject: Subject, room: Courtroom, settings: Settings
) -> None:
    other_kind = "policy" if subject.kind == "forecaster" else "forecaster"
    reign = subject.row("promoted", "new", is_champion=True, serves_after=date(2024, 9, 3))
    rows = (
        {**reign, "window": FORMER.start, "serves_after": date(2024, 3, 1)},
        {**reign, "kind": other_kind, "decision_id": "of another kind"},
        {**reign, "subject": "QQQ", "decision_id": "of another"},
    )
    expected = (subject.sha(subject.own), False)
    assert incumbent(subject, room, settings, *rows) == expected


def test_window_without_a_model_has_no_incumbent(
    subject: Subject, room: Courtroom, settings: Settings
) -> None:
    room.evidence.folds["status"] = "skipped"
    room.evidence.policies["status"] = "skipped"
    assert incumbent_of(subject.sit(room, settings)) is None


def former(subject: Subject, room: Courtroom, settings: Settings) -> str | None:
    """Return the SHA-256 of who served before the newest window."""
    table = room.evidence.folds if subject.kind == "forecaster" else room.evidence.policies
    found = serving_before(subject.sit(room, settings), WINDOW, table["window"])
    return None if found is None else found.sha256


def test_who_served_before_is_the_model_of_the_window_before_or_its_last_reign(
    subject: Subject, room: Courtroom, settings: Settings
) -> None:
    assert former(subject, room, settings) == subject.sha(subject.older)
    reign = subject.row("promoted", "new", window=FORMER.start, serves_after=date(2024, 3, 1))
    room.add("ledger", PROMOTIONS, [
        reign,
        subject.row("rolled_back", "last", window=FORMER.start, serves_after=date(2024, 5, 1)),
    ])  # fmt: skip
    assert former(subject, room, settings) == subject.sha("last")


def test_before_the_first_window_nobody_served(
    subject: Subject, room: Courtroom, settings: Settings
) -> None:
    table = room.evidence.folds if subject.kind == "forecaster" else room.evidence.policies
    assert serving_before(subject.sit(room, settings), FORMER, table["window"]) is None
