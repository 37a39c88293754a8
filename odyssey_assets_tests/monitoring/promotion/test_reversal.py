"""Promotions that went wrong: undone while young, if there was a better model."""

from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from odyssey_assets.core.reigns import reigns_in
from odyssey_assets.monitoring.promotion.champions import reigns_of
from odyssey_assets_tests.monitoring.promotion.courtroom import (
    BEFORE,
    HORIZON,
    TICKER,
    WINDOW,
    Courtroom,
    settings_of,
    sha_of,
)

TODAY = date(2024, 10, 31)
GOOD = 0.9


def word_on(rows: pd.DataFrame, name: str) -> pd.Series:
    """Return the only row about a model."""
    (found,) = (row for _, row in rows.iterrows() if row["model_sha256"] == sha_of(name))
    return found


def stand_in_day(court: Courtroom) -> date:
    return court.session_before(TODAY, 20 + HORIZON)


def test_young_promotion_that_decays_and_was_worse_is_rolled_back(tmp_path: Path) -> None:
    court = Courtroom(today=TODAY)
    court.serve("fold", GOOD, noise=0.005)
    court.challenge("new", -GOOD, as_of=TODAY)
    # Its stand-in shone, by luck; its own forecasts are bad.
    court.add_stand_in("new", 1.0, as_of=stand_in_day(court), requested=TODAY, noise=0.0)
    court.try_out("fold", "fold", GOOD, BEFORE, noise=0.005)
    settings = settings_of(tmp_path, sharpe_tolerance=10.0)
    assert word_on(court.judge(settings), "new")["decision"] == "promoted"
    court.today = date(2024, 12, 13)
    assert court.judge(settings).empty
    court.decay("new", court.today)
    row = word_on(court.judge(settings), "fold")
    assert row["decision"] == "rolled_back"
    assert row["is_champion"]
    assert row["serves_after"] == pd.Timestamp(court.today)
    assert row["predecessor_sha256"] == row["held_against"] == sha_of("new")
    assert (row["actor"], row["cause"], row["model_version"]) == ("gate", "decay", 1)
    assert row["data_sha256"] == sha_of("data of fold")
    assert row["challenger_rmse"] < row["incumbent_rmse"]
    assert row["first_unseen"] > pd.Timestamp(TODAY)
    assert court.judge(settings).empty
    reigns = reigns_in(reigns_of(court.evidence.ledger, "forecaster"), TICKER, WINDOW)
    assert [reign.model_sha256 for reign in reigns] == [sha_of("new"), sha_of("fold")]


@pytest.mark.parametrize(
    "change",
    [
        {"settings": {"rollback_sessions": 20}},
        {"settings": {"min_unseen_sessions": 60}},
        {"decayed": "fold"},
        {"skill": GOOD},
    ],
    ids=["too old", "too few outcomes", "another model decays", "predecessor was worse"],
)
def test_promotion_stays_unless_young_decayed_and_worse(
    change: dict[str, object], tmp_path: Path
) -> None:
    court = Courtroom(today=TODAY)
    court.serve("fold", 0.5)
    skill = float(change.get("skill", -GOOD))  # type: ignore[arg-type]
    court.challenge("new", skill, as_of=TODAY)
    court.add_stand_in("new", 1.0, as_of=stand_in_day(court), requested=TODAY, noise=0.0)
    assert word_on(court.judge(settings_of(tmp_path)), "new")["decision"] == "promoted"
    court.today = date(2024, 12, 13)
    court.decay(str(change.get("decayed", "new")), court.today)
    altered = change.get("settings", {})
    assert court.judge(settings_of(tmp_path, **altered)).empty  # type: ignore[arg-type]


def test_rollback_to_an_unproven_model_makes_it_no_champion(tmp_path: Path) -> None:
    court = Courtroom(today=TODAY)
    court.serve("fold", 0.0)
    court.challenge("new", -GOOD, as_of=TODAY)
    court.add_stand_in("new", 1.0, as_of=stand_in_day(court), requested=TODAY, noise=0.0)
    settings = settings_of(tmp_path)
    rows = court.judge(settings)
    assert word_on(rows, "fold")["decision"] == "unproven"
    assert word_on(rows, "new")["decision"] == "promoted"
    court.today = date(2024, 12, 13)
    court.decay("new", court.today)
    row = word_on(court.judge(settings), "fold")
    assert (row["decision"], row["is_champion"]) == ("rolled_back", False)
