"""One judgement on made-up models: who is promoted, who waits, who is turned away."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from odyssey_assets.core.forecast_scores import rmse
from odyssey_assets.core.reigns import reign_at, reigns_in
from odyssey_assets.monitoring.ledgers import PROMOTIONS
from odyssey_assets.monitoring.promotion.champions import reigns_of
from odyssey_assets_tests.monitoring.promotion.courtroom import (
    BEFORE,
    HORIZON,
    LITTLE,
    NOW,
    STEP,
    TICKER,
    WINDOW,
    Courtroom,
    name_of,
    settings_of,
    sha_of,
)

TODAY = date(2024, 10, 31)
GOOD, BAD = 0.9, 0.0


@pytest.fixture
def court() -> Courtroom:
    """Return a ticker whose window is served by a model without skill, four months in."""
    court = Courtroom(today=TODAY)
    court.serve("fold", BAD)
    return court


def word_on(rows: pd.DataFrame, name: str) -> pd.Series:
    """Return the only row about a model."""
    (found,) = (row for _, row in rows.iterrows() if row["model_sha256"] == sha_of(name))
    return found


def stand_in_day(court: Courtroom, sessions: int = 20, as_of: date = TODAY) -> date:
    return court.session_before(as_of, sessions + HORIZON)


def test_challenger_whose_stand_in_did_better_is_promoted_for_later_sessions(
    court: Courtroom, tmp_path: Path
) -> None:
    as_of = stand_in_day(court)
    court.challenge("new", GOOD, as_of=TODAY, stand_in_as_of=as_of)
    rows = court.judge(settings_of(tmp_path), cause="drift", events={TICKER: "event-1"})
    row = word_on(rows, "new")
    assert row["decision"] == "promoted"
    assert row["is_champion"]
    assert row["serves_after"] == pd.Timestamp(TODAY)
    assert row["unseen_sessions"] == 20
    assert row["first_unseen"] > pd.Timestamp(as_of)
    assert row["last_unseen"] == pd.Timestamp(court.session_before(TODAY, HORIZON))
    assert row["predecessor_sha256"] == row["held_against"] == sha_of("fold")
    assert row["data_sha256"] == sha_of("data of new")
    assert (row["cause"], row["event_id"], row["actor"]) == ("drift", "event-1", "gate")
    assert row["model_version"] == 2
    (reign,) = reigns_in(reigns_of(court.evidence.ledger, "forecaster"), TICKER, WINDOW)
    assert reign.model_sha256 == sha_of("new")
    assert reign_at([reign], TODAY) is None
    assert reign_at([reign], TODAY + timedelta(days=1)) == reign


def test_figures_of_a_promotion_are_those_of_the_stand_in_on_the_unseen_sessions(
    court: Courtroom, tmp_path: Path
) -> None:
    court.challenge("new", GOOD, as_of=TODAY, stand_in_as_of=stand_in_day(court))
    row = word_on(court.judge(settings_of(tmp_path)), "new")
    labels = court.evidence.labels.set_index("date")[f"forward_return_{HORIZON}d"]
    unseen = labels.loc[row["first_unseen"] : row["last_unseen"]]
    for side, name, skill, noise in (
        ("challenger", "new-stand-in", GOOD, LITTLE),
        ("incumbent", "fold", BAD, STEP),
    ):
        forecast = court.forecasts(name, skill, noise).loc[unseen.index]
        expected = rmse(forecast.to_numpy(), unseen.to_numpy())
        assert row[f"{side}_rmse"] == pytest.approx(expected, rel=1e-12)


def test_challenger_that_beats_an_unproven_model_only_serves_and_is_no_champion(
    tmp_path: Path,
) -> None:
    court = Courtroom(today=TODAY)
    court.serve("fold", -GOOD)
    court.challenge("new", 0.3, as_of=TODAY, stand_in_as_of=stand_in_day(court), noise=STEP)
    row = word_on(court.judge(settings_of(tmp_path)), "new")
    assert row["decision"] == "promoted"
    assert not row["is_champion"]
    assert "against the historical mean" in row["reason"]
    assert [reign.model_name for reign in reigns_of(court.evidence.ledger, "forecaster")] == [
        tuple(name_of("new").split("/"))
    ]


def test_challenger_that_replaces_a_champion_is_one_without_further_proof(tmp_path: Path) -> None:
    court = Courtroom(today=TODAY)
    court.serve("older", GOOD, after=date(2023, 12, 29), noise=LITTLE)
    court.serve("fold", 0.3, noise=STEP / 4)
    court.challenge("new", 0.6, as_of=TODAY, stand_in_as_of=stand_in_day(court), noise=STEP / 4)
    rows = court.judge(settings_of(tmp_path))
    assert word_on(rows, "fold")["decision"] == "succeeded"
    row = word_on(rows, "new")
    assert (row["decision"], row["is_champion"]) == ("promoted", True)
    assert "historical mean" not in row["reason"]


def test_challenger_whose_stand_in_did_worse_is_rejected_and_serves_nothing(
    tmp_path: Path,
) -> None:
    court = Courtroom(today=TODAY)
    court.serve("fold", GOOD, noise=0.005)
    court.challenge("new", -GOOD, as_of=TODAY, stand_in_as_of=stand_in_day(court))
    row = word_on(court.judge(settings_of(tmp_path)), "new")
    assert row["decision"] == "rejected"
    assert not row["is_champion"]
    assert pd.isna(row["serves_after"])
    assert row["p_value_worse"] < 0.05
    assert reigns_of(court.evidence.ledger, "forecaster") == ()


def test_judging_twice_adds_nothing_and_forgets_nothing(court: Courtroom, tmp_path: Path) -> None:
    court.challenge("new", GOOD, as_of=TODAY, stand_in_as_of=stand_in_day(court))
    settings = settings_of(tmp_path)
    first = court.judge(settings)
    assert len(first) == 2
    assert court.judge(settings).empty
    court.today = date(2024, 11, 29)
    assert court.judge(settings).empty
    assert len(court.evidence.ledger) == len(first)


def test_same_tables_give_the_same_rows(tmp_path: Path) -> None:
    found = []
    for _ in range(2):
        court = Courtroom(today=TODAY)
        court.serve("fold", BAD)
        court.challenge("new", GOOD, as_of=TODAY, stand_in_as_of=stand_in_day(court))
        found.append(court.judge(settings_of(tmp_path)))
    pd.testing.assert_frame_equal(*found)


def test_challenger_without_enough_unseen_sessions_waits_and_then_speaks_for_itself(
    court: Courtroom, tmp_path: Path
) -> None:
    settings = settings_of(tmp_path)
    as_of = court.session_before(TODAY, 30)
    court.today = as_of
    court.challenge("new", GOOD, as_of=as_of, stand_in_as_of=stand_in_day(court, 5, as_of))
    pending = word_on(court.judge(settings, cause="decay", events={TICKER: "event-7"}), "new")
    assert pending["decision"] == "pending"
    assert pending["unseen_sessions"] == 5
    assert pd.isna(pending["p_value_worse"])
    court.today = court.session_before(TODAY, 6)
    assert court.judge(settings).empty
    court.today = court.session_before(TODAY, 5)
    row = word_on(court.judge(settings, cause="schedule"), "new")
    assert row["decision"] == "promoted"
    assert row["unseen_sessions"] == 20
    assert row["first_unseen"] > pd.Timestamp(as_of)
    assert row["serves_after"] == pd.Timestamp(court.today)
    assert (row["cause"], row["event_id"]) == ("decay", "event-7")


def test_challenger_without_stand_in_waits(court: Courtroom, tmp_path: Path) -> None:
    court.challenge("new", GOOD, as_of=TODAY)
    row = word_on(court.judge(settings_of(tmp_path)), "new")
    assert (row["decision"], row["unseen_sessions"]) == ("pending", 0)


def test_shadow_lets_the_challenger_forecast_beside_the_champion_first(
    court: Courtroom, tmp_path: Path
) -> None:
    settings = settings_of(tmp_path, mode="shadow", shadow_sessions=28, min_unseen_sessions=20)
    as_of = court.session_before(TODAY, 30)
    court.today = as_of
    court.challenge("new", GOOD, as_of=as_of, stand_in_as_of=stand_in_day(court, 40, as_of))
    assert word_on(court.judge(settings), "new")["decision"] == "pending"
    # 25 sessions would do for the outcomes, 28 are asked for.
    court.today = court.session_before(TODAY, 3)
    assert court.judge(settings).empty
    court.today = court.session_before(TODAY, 2)
    row = word_on(court.judge(settings), "new")
    assert (row["decision"], row["mode"]) == ("promoted", "shadow")
    assert row["unseen_sessions"] == 23


def test_manual_mode_shows_the_figures_and_leaves_the_decision_to_a_person(
    court: Courtroom, tmp_path: Path
) -> None:
    settings = settings_of(tmp_path, mode="manual")
    court.challenge("new", GOOD, as_of=TODAY, stand_in_as_of=stand_in_day(court))
    row = word_on(court.judge(settings), "new")
    assert row["decision"] == "pending"
    assert row["challenger_rmse"] < row["incumbent_rmse"]
    assert f"odyssey promote {TICKER}" in row["reason"]
    court.today = date(2024, 12, 16)
    assert court.judge(settings).empty


def test_manual_mode_adds_the_figures_once_they_are_known(court: Courtroom, tmp_path: Path) -> None:
    settings = settings_of(tmp_path, mode="manual")
    court.challenge("new", GOOD, as_of=TODAY)
    assert pd.isna(word_on(court.judge(settings), "new")["p_value_worse"])
    court.today = date(2024, 12, 16)
    row = word_on(court.judge(settings), "new")
    assert row["decision"] == "pending"
    assert row["p_value_worse"] > 0
    court.today = date(2024, 12, 17)
    assert court.judge(settings).empty


def test_challenger_is_turned_away_when_its_window_ends(tmp_path: Path) -> None:
    court = Courtroom(today=date(2024, 6, 28))
    court.serve("old", BAD, after=date(2023, 12, 29))
    court.serve("fold", BAD)
    court.challenge("new", GOOD, as_of=BEFORE)
    challengers = court.evidence.challengers
    challengers["window"] = pd.Timestamp("2024-01-01")
    settings = settings_of(tmp_path)
    assert word_on(court.judge(settings), "new")["decision"] == "pending"
    court.today = date(2024, 7, 1)
    row = word_on(court.judge(settings), "new")
    assert row["decision"] == "rejected"
    assert "window ended" in row["reason"]


def test_challenger_of_a_window_nobody_serves_is_rejected(tmp_path: Path) -> None:
    court = Courtroom(today=TODAY)
    court.challenge("new", GOOD, as_of=TODAY, stand_in_as_of=stand_in_day(court))
    row = word_on(court.judge(settings_of(tmp_path)), "new")
    assert row["decision"] == "rejected"
    assert pd.isna(row["predecessor_sha256"])


def test_second_challenger_is_held_against_the_first_once_that_serves(
    court: Courtroom, tmp_path: Path
) -> None:
    settings = settings_of(tmp_path)
    court.challenge("new", GOOD, as_of=TODAY, stand_in_as_of=stand_in_day(court))
    later = date(2024, 12, 16)
    court.judge(settings)
    court.today = later
    court.challenge("newer", -GOOD, as_of=later, stand_in_as_of=stand_in_day(court, 20, later))
    row = word_on(court.judge(settings), "newer")
    assert row["decision"] == "rejected"
    assert row["held_against"] == sha_of("new")
    assert row["model_version"] == 3


def test_order_of_the_ledger_is_the_order_of_decisions_also_after_the_clock_went_back(
    court: Courtroom, tmp_path: Path
) -> None:
    settings = settings_of(tmp_path)
    court.judge(settings)
    court.challenge("new", GOOD, as_of=TODAY, stand_in_as_of=stand_in_day(court))
    court.judge(settings, now=NOW - timedelta(days=400))
    ordered = court.evidence.ledger.sort_values("recorded_at")
    assert list(ordered["decision"])[-1] == "promoted"
    assert ordered["recorded_at"].is_unique


def test_judgement_of_a_day_in_the_past_with_the_whole_ledger_repeats_nothing(
    court: Courtroom, tmp_path: Path
) -> None:
    settings = settings_of(tmp_path)
    court.challenge("new", GOOD, as_of=TODAY, stand_in_as_of=stand_in_day(court))
    court.judge(settings)
    court.today = date(2024, 11, 8)
    assert court.judge(settings).empty
    court.today = TODAY
    assert court.judge(settings).empty


def test_empty_warehouse_has_nothing_to_judge(tmp_path: Path) -> None:
    court = Courtroom()
    rows = court.judge(settings_of(tmp_path))
    assert list(rows.columns) == list(PROMOTIONS.column_names)
    assert rows.empty


def test_restated_outcomes_do_not_change_what_was_decided(court: Courtroom, tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    court.challenge("new", GOOD, as_of=TODAY, stand_in_as_of=stand_in_day(court))
    before = court.judge(settings)
    noise = np.random.default_rng(0).normal(0, 0.1, len(court.evidence.labels))
    court.evidence.labels[f"forward_return_{HORIZON}d"] += noise
    assert court.judge(settings).empty
    assert set(court.evidence.ledger["decision_id"]) == set(before["decision_id"])
