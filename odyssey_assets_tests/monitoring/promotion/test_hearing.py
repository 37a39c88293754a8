"""Challengers of a learned policy before the gate, in every mode.

Forecasters are heard in `test_judging`, by the same rules.
"""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from odyssey_assets.core.returns import sharpe
from odyssey_assets.core.windows import Window
from odyssey_assets.monitoring.ledgers import PROMOTIONS
from odyssey_assets.monitoring.promotion.champions import reigns_of
from odyssey_assets.monitoring.promotion.hearing import cases_of
from odyssey_assets.monitoring.promotion.occasion import Occasion
from odyssey_assets.settings_sections import PromotionSettings
from odyssey_assets_tests.monitoring.promotion.courtroom import (
    END,
    NOW,
    TICKER,
    WINDOW,
    Courtroom,
    settings_of,
)
from odyssey_assets_tests.monitoring.promotion.policy_bench import (
    LEAD,
    OWN,
    POLICY,
    PolicyBench,
    policy_name,
    policy_sha,
)

TODAY = date(2024, 10, 31)
LEAST = PromotionSettings().min_unseen_returns
EARLY = date(2024, 7, 31)
UNSCORED = ["information_coefficient", "rmse"]


@pytest.fixture
def bench() -> PolicyBench:
    """Return a window four months in, served by a policy that is worth as much as equal weight."""
    built = PolicyBench(Courtroom(today=TODAY))
    built.plant(0.0)
    built.serve(OWN, 0.0)
    return built


def word_on(rows: pd.DataFrame, name: str) -> pd.Series:
    """Return the only row about a version."""
    (found,) = (row for _, row in rows.iterrows() if row["model_sha256"] == policy_sha(name))
    return found


def stand_in_day(bench: PolicyBench, returns: int = LEAST, as_of: date = TODAY) -> date:
    """Return when a stand-in is trained that has earned so many returns by a day."""
    return bench.court.session_before(as_of, returns + 1)


def challenge(bench: PolicyBench, lead: float, returns: int = LEAST, **given: Any) -> None:
    bench.challenge(
        "new", lead, as_of=bench.court.today,
        stand_in_as_of=stand_in_day(bench, returns, bench.court.today), **given,
    )  # fmt: skip


def sharpe_between(returns: pd.Series, row: pd.Series) -> float:
    return float(sharpe(returns.loc[row["first_unseen"] : row["last_unseen"]].to_numpy()))


def test_challenger_whose_stand_in_earned_more_is_promoted_for_later_closes(
    bench: PolicyBench, tmp_path: Path
) -> None:
    challenge(bench, LEAD)
    rows = bench.court.judge(settings_of(tmp_path), cause="drift", events={POLICY: "event-1"})
    row = word_on(rows, "new")
    assert (row["kind"], row["subject"], row["decision"]) == ("policy", POLICY, "promoted")
    assert row["is_champion"]
    assert row["serves_after"] == row["as_of"] == pd.Timestamp(TODAY)
    assert row["unseen_sessions"] == LEAST
    assert row["first_unseen"] == pd.Timestamp(bench.court.session_before(TODAY, LEAST - 1))
    assert row["last_unseen"] == pd.Timestamp(TODAY)
    assert row["predecessor_sha256"] == row["held_against"] == policy_sha(OWN)
    assert (row["model_name"], row["data_sha256"]) == (policy_name("new"), "data of new")
    assert (row["cause"], row["event_id"], row["actor"]) == ("drift", "event-1", "gate")
    (reign,) = reigns_of(bench.court.evidence.ledger, "policy")
    assert (reign.model_sha256, reign.serves_after) == (policy_sha("new"), TODAY)
    assert reigns_of(bench.court.evidence.ledger, "forecaster") == ()


def test_figures_are_sharpe_ratios_of_exactly_the_shared_sessions(
    bench: PolicyBench, tmp_path: Path
) -> None:
    challenge(bench, LEAD)
    row = word_on(bench.court.judge(settings_of(tmp_path)), "new")
    expected = {
        "challenger": sharpe_between(bench.returns("new-stand-in", LEAD), row),
        "incumbent": sharpe_between(bench.returns(OWN, 0.0), row),
    }
    for side, figure in expected.items():
        assert row[f"{side}_sharpe"] == pytest.approx(figure, rel=1e-12)
        assert row[[f"{side}_{name}" for name in UNSCORED]].isna().all()
    assert 0.5 < row["p_value_worse"] <= 1


@pytest.mark.parametrize("noise", [0.0, 0.0005], ids=["tie", "worse"])
def test_challenger_whose_stand_in_earned_no_more_is_rejected(noise: float, tmp_path: Path) -> None:
    bench = PolicyBench(Courtroom(today=TODAY))
    bench.plant(0.0)
    bench.serve(OWN, 0.0, noise=noise)
    challenge(bench, 0.0 if noise == 0.0 else -LEAD, noise=noise)
    row = word_on(bench.court.judge(settings_of(tmp_path)), "new")
    assert (row["decision"], row["is_champion"]) == ("rejected", False)
    assert pd.isna(row["serves_after"])
    if noise == 0.0:
        assert row["challenger_sharpe"] == row["incumbent_sharpe"]
        assert "nothing is better" in row["reason"]
    else:
        assert row["p_value_worse"] < 0.05
    assert reigns_of(bench.court.evidence.ledger, "policy") == ()


@pytest.mark.parametrize("returns", [None, LEAST - 1], ids=["none", "one return too few"])
def test_challenger_without_enough_of_a_stand_in_waits_and_then_speaks_for_itself(
    returns: int | None, bench: PolicyBench, tmp_path: Path
) -> None:
    court, settings = bench.court, settings_of(tmp_path)
    court.today = court.session_before(END, LEAST + 1)
    stand_in = None if returns is None else stand_in_day(bench, returns, court.today)
    bench.challenge("new", LEAD, as_of=court.today, stand_in_as_of=stand_in)
    fitted = court.today
    pending = word_on(court.judge(settings, cause="decay", events={POLICY: "event-7"}), "new")
    assert (pending["decision"], pending["unseen_sessions"]) == ("pending", returns or 0)
    assert pd.isna(pending["p_value_worse"])
    assert pd.isna(pending["challenger_sharpe"])
    court.today = court.session_before(END, 1)
    assert court.judge(settings).empty
    court.today = END
    row = word_on(court.judge(settings, cause="schedule"), "new")
    assert (row["decision"], row["unseen_sessions"]) == ("promoted", LEAST)
    assert row["first_unseen"] == pd.Timestamp(court.session_before(court.today, LEAST - 1))
    assert row["first_unseen"] > pd.Timestamp(fitted)
    assert row["challenger_sharpe"] == pytest.approx(
        sharpe_between(bench.returns("new", LEAD), row), rel=1e-12
    )
    assert (row["cause"], row["event_id"]) == ("decay", "event-7")
    assert row["serves_after"] == pd.Timestamp(court.today)


def test_judging_twice_adds_nothing_and_forgets_nothing(bench: PolicyBench, tmp_path: Path) -> None:
    court, settings = bench.court, settings_of(tmp_path)
    challenge(bench, LEAD)
    first = court.judge(settings)
    assert list(first["decision"]) == ["unproven", "promoted"]
    assert court.judge(settings).empty
    court.today = date(2024, 11, 29)
    assert court.judge(settings).empty
    assert len(court.evidence.ledger) == len(first)


def test_shadow_lets_the_challenger_run_beside_the_champion_first(
    bench: PolicyBench, tmp_path: Path
) -> None:
    court = bench.court
    settings = settings_of(tmp_path, mode="shadow", shadow_sessions=LEAST + 8)
    court.today = court.session_before(TODAY, LEAST + 9)
    # In this mode no stand-in is trained; one that is there from before says nothing.
    bench.challenge("new", LEAD, as_of=court.today, stand_in_as_of=date(2024, 7, 1))
    assert word_on(court.judge(settings), "new")["decision"] == "pending"
    court.today = court.session_before(TODAY, 1)
    assert court.judge(settings).empty
    court.today = TODAY
    row = word_on(court.judge(settings), "new")
    assert (row["decision"], row["mode"]) == ("promoted", "shadow")
    assert row["unseen_sessions"] == LEAST + 8


def test_shadow_trial_that_is_over_still_needs_enough_returns(
    bench: PolicyBench, tmp_path: Path
) -> None:
    court, settings = bench.court, settings_of(tmp_path, mode="shadow", shadow_sessions=10)
    court.today = court.session_before(TODAY, LEAST)
    bench.challenge("new", -LEAD, as_of=court.today)
    assert word_on(court.judge(settings), "new")["decision"] == "pending"
    court.today = TODAY
    assert court.judge(settings).empty
    court.today = date(2024, 11, 1)
    assert word_on(court.judge(settings), "new")["decision"] == "rejected"


def test_manual_mode_shows_the_figures_once_and_leaves_the_decision_to_a_person(
    bench: PolicyBench, tmp_path: Path
) -> None:
    court, settings = bench.court, settings_of(tmp_path, mode="manual")
    challenge(bench, LEAD)
    row = word_on(court.judge(settings), "new")
    assert (row["decision"], row["unseen_sessions"]) == ("pending", LEAST)
    assert row["challenger_sharpe"] > row["incumbent_sharpe"]
    assert row["p_value_worse"] > 0.5
    assert f"odyssey promote {POLICY}" in row["reason"]
    court.today = date(2024, 12, 16)
    assert court.judge(settings).empty


def test_manual_mode_adds_the_figures_once_they_are_known(
    bench: PolicyBench, tmp_path: Path
) -> None:
    court, settings = bench.court, settings_of(tmp_path, mode="manual")
    court.today = EARLY
    bench.challenge("new", LEAD, as_of=EARLY)
    assert pd.isna(word_on(court.judge(settings), "new")["p_value_worse"])
    court.today = TODAY
    row = word_on(court.judge(settings), "new")
    assert (row["decision"], row["unseen_sessions"]) == ("pending", 64)
    assert row["p_value_worse"] > 0
    court.today = date(2024, 11, 1)
    assert court.judge(settings).empty


@pytest.mark.parametrize("mode", ["automatic", "shadow", "manual"])
def test_challenger_is_turned_away_when_its_window_ends(mode: str, tmp_path: Path) -> None:
    bench = PolicyBench(Courtroom(today=date(2024, 6, 28)))
    bench.plant(0.0)
    bench.challenge("new", LEAD, as_of=bench.court.today, window=Window(date(2024, 1, 1)))
    settings = settings_of(tmp_path, mode=mode)
    assert word_on(bench.court.judge(settings), "new")["decision"] == "pending"
    bench.court.today = date(2024, 7, 1)
    row = word_on(bench.court.judge(settings), "new")
    assert (row["decision"], row["window"]) == ("rejected", pd.Timestamp("2024-01-01"))
    assert "window ended" in row["reason"]


def test_challenger_of_a_window_without_a_model_is_rejected(
    bench: PolicyBench, tmp_path: Path
) -> None:
    policies = bench.court.evidence.policies
    policies.loc[policies["window"] == pd.Timestamp(WINDOW.start), "status"] = "skipped"
    challenge(bench, LEAD)
    row = word_on(bench.court.judge(settings_of(tmp_path)), "new")
    assert row["decision"] == "rejected"
    assert "No model serves" in row["reason"]


def test_training_that_kept_the_model_which_serves_is_rejected(
    bench: PolicyBench, tmp_path: Path
) -> None:
    bench.challenge(OWN, LEAD, as_of=TODAY, stand_in_as_of=stand_in_day(bench))
    rows = bench.court.judge(settings_of(tmp_path))
    assert list(rows["decision"]) == ["unproven", "rejected"]
    assert "serves already" in rows.iloc[-1]["reason"]


def test_only_sessions_which_the_incumbent_itself_decided_count(tmp_path: Path) -> None:
    changed = date(2024, 9, 10)
    bench = PolicyBench(Courtroom(today=TODAY))
    bench.plant(0.0)
    bench.serve(OWN, 0.5, until=changed)
    bench.serve("first", 0.0, after=changed)
    bench.court.add("ledger", PROMOTIONS, [{
        "kind": "policy", "subject": POLICY, "window": WINDOW.start, "decision": "promoted",
        "is_champion": True, "serves_after": changed, "model_name": policy_name("first"),
        "model_sha256": policy_sha("first"), "model_version": 1,
    }])  # fmt: skip
    challenge(bench, LEAD)
    few = word_on(bench.court.judge(settings_of(tmp_path)), "new")
    own = bench.earned("first", 0.0, changed)[:TODAY]
    assert (few["decision"], few["unseen_sessions"]) == ("pending", len(own))
    assert few["first_unseen"] == own.index[0]
    assert few["held_against"] == few["predecessor_sha256"] == policy_sha("first")
    bench.court.today = date(2024, 12, 31)
    row = word_on(bench.court.judge(settings_of(tmp_path, min_unseen_returns=30)), "new")
    assert (row["decision"], row["is_champion"]) == ("promoted", True)
    assert row["first_unseen"] == pd.Timestamp(bench.earned("new", LEAD, TODAY).index[0])
    assert row["incumbent_sharpe"] == pytest.approx(
        sharpe_between(bench.returns("first", 0.0), row), rel=1e-12
    )


def test_challenger_that_beats_an_unproven_policy_but_not_equal_weight_is_no_champion(
    tmp_path: Path,
) -> None:
    bench = PolicyBench(Courtroom(today=TODAY))
    bench.plant(-LEAD)
    bench.serve(OWN, -3 * LEAD)
    challenge(bench, -LEAD)
    rows = bench.court.judge(settings_of(tmp_path))
    assert word_on(rows, OWN)["decision"] == "unproven"
    row = word_on(rows, "new")
    assert (row["decision"], row["is_champion"]) == ("promoted", False)
    assert "It serves, and is no champion: " in row["reason"]
    assert "against equal weight" in row["reason"]
    assert row["held_against"] == policy_sha(OWN)


def test_challenger_that_replaces_a_champion_is_one_without_further_proof(
    tmp_path: Path,
) -> None:
    bench = PolicyBench(Courtroom(today=TODAY))
    bench.plant(LEAD)
    bench.serve(OWN, -3 * LEAD)
    challenge(bench, -LEAD)
    rows = bench.court.judge(settings_of(tmp_path))
    assert word_on(rows, OWN)["decision"] == "succeeded"
    row = word_on(rows, "new")
    assert (row["decision"], row["is_champion"]) == ("promoted", True)
    assert "equal weight" not in row["reason"]


def test_baseline_that_is_not_stored_proves_nothing(tmp_path: Path) -> None:
    bench = PolicyBench(Courtroom(today=TODAY))
    bench.plant(0.0, has_baseline=False)
    bench.serve(OWN, 0.0)
    challenge(bench, LEAD)
    row = word_on(bench.court.judge(settings_of(tmp_path)), "new")
    assert (row["decision"], row["is_champion"]) == ("promoted", False)


def test_second_challenger_is_held_against_the_first_once_that_serves(
    bench: PolicyBench, tmp_path: Path
) -> None:
    settings = settings_of(tmp_path, min_unseen_returns=20)
    challenge(bench, LEAD)
    bench.court.judge(settings)
    bench.serve("new", LEAD, after=TODAY)
    bench.court.today = later = date(2024, 12, 16)
    bench.challenge("newer", -LEAD, as_of=later, stand_in_as_of=stand_in_day(bench, 20, later))
    row = word_on(bench.court.judge(settings), "newer")
    assert (row["decision"], row["held_against"]) == ("rejected", policy_sha("new"))
    assert row["model_version"] == 3


def test_portfolio_that_is_behind_its_prices_hands_over_after_what_was_seen(
    bench: PolicyBench, tmp_path: Path
) -> None:
    challenge(bench, LEAD)
    daily = bench.court.evidence.daily
    behind = daily[daily["date"] <= pd.Timestamp(bench.court.session_before(TODAY, 3))]
    bench.court.evidence = replace(bench.court.evidence, daily=behind)
    row = word_on(bench.court.judge(settings_of(tmp_path)), "new")
    assert (row["decision"], row["is_champion"]) == ("promoted", False)
    assert row["serves_after"] == row["as_of"] == row["last_unseen"] == pd.Timestamp(TODAY)


def test_other_policies_and_tickers_are_decided_as_if_alone(
    bench: PolicyBench, tmp_path: Path
) -> None:
    challenge(bench, LEAD)
    alone = bench.court.judge(settings_of(tmp_path))
    bench.court.evidence = replace(bench.court.evidence, ledger=PROMOTIONS.empty())
    bench.court.serve("fold", 0.0)
    both = bench.court.judge(settings_of(tmp_path))
    assert list(both["subject"]) == [TICKER, POLICY, POLICY]
    columns = ["decision_id", "decision", "p_value_worse", "challenger_sharpe", "reason"]
    beside = both.loc[both["subject"] == POLICY, columns].reset_index(drop=True)
    pd.testing.assert_frame_equal(beside, alone[columns])


def test_cases_are_the_challengers_without_a_last_word_oldest_first(
    bench: PolicyBench, tmp_path: Path
) -> None:
    for name, day in (("late", TODAY), ("early", EARLY), ("settled", EARLY)):
        bench.challenge(name, 0.0, as_of=day)
    bench.challenge("waiting", 0.0, as_of=date(2024, 9, 3), stand_in_as_of=EARLY)
    row = {"kind": "policy", "subject": POLICY, "window": WINDOW.start, "model_version": 1}
    bench.court.add("ledger", PROMOTIONS, [
        {**row, "decision": "rejected", "decision_id": "1", "model_sha256": policy_sha("settled"),
         "cause": "drift", "event_id": "event-1"},
        {**row, "decision": "pending", "decision_id": "2", "model_sha256": policy_sha("waiting"),
         "cause": "decay", "event_id": "event-2"},
    ])  # fmt: skip
    occasion = Occasion(NOW, "person", "ada", {POLICY: "event-3"})
    cases = cases_of(bench.sitting(settings_of(tmp_path)), occasion)
    assert [one.model.sha256 for one in cases] == [
        policy_sha(name) for name in ("early", "waiting", "late")
    ]
    assert [(one.cause, one.event_id) for one in cases] == [
        ("person", "event-3"), ("decay", "event-2"), ("person", "event-3"),
    ]  # fmt: skip
    stand_in = policy_sha("waiting-stand-in")
    assert [one.stand_in for one in cases] == [None, stand_in, None]
    assert {one.window for one in cases} == {WINDOW}
    assert np.all([one.pending is None for one in cases] == [True, False, True])
