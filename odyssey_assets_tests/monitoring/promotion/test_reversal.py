"""Promotions that went wrong: undone while young, if there was a better model."""

from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from odyssey_assets.core.reigns import reigns_in
from odyssey_assets.core.returns import sharpe
from odyssey_assets.monitoring.promotion.champions import reigns_of
from odyssey_assets.settings import Settings
from odyssey_assets_tests.monitoring.promotion.courtroom import (
    BEFORE,
    HORIZON,
    TICKER,
    WINDOW,
    Courtroom,
    settings_of,
    sha_of,
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
LATER = date(2024, 12, 13)
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


def promoted_bench(
    settings: Settings, *, own_lead: float = LEAD, is_proven: bool = True, today: date = LATER
) -> PolicyBench:
    """Return a window in which a policy was promoted by luck, six weeks later.

    Its own portfolio then earns less than the one without the promotion would have, by as much as
    the lead of the window's own model.
    """
    bench = PolicyBench(Courtroom(today=TODAY))
    bench.plant(LEAD if is_proven else -LEAD)
    bench.serve(OWN, 0.0, until=TODAY)
    unseen = bench.court.session_before(TODAY, settings.promotion.min_unseen_returns + 1)
    bench.challenge("new", LEAD, as_of=TODAY, stand_in_as_of=unseen)
    bench.court.judge(settings)
    bench.serve("new", 0.0, after=TODAY)
    bench.try_out(OWN, "predecessor", own_lead, TODAY)
    bench.court.today = today
    return bench


@pytest.mark.parametrize("is_proven", [True, False], ids=["champion", "unproven"])
def test_young_policy_that_decays_and_earned_less_is_rolled_back(
    is_proven: bool, tmp_path: Path
) -> None:
    settings = settings_of(tmp_path)
    bench = promoted_bench(settings, is_proven=is_proven)
    assert list(bench.court.evidence.ledger["decision"])[-1] == "promoted"
    assert bench.court.judge(settings).empty
    bench.decay("new", LATER)
    (row,) = bench.court.judge(settings).to_dict("records")
    assert (row["kind"], row["subject"], row["decision"]) == ("policy", POLICY, "rolled_back")
    assert row["is_champion"] is is_proven
    assert (row["model_name"], row["model_sha256"]) == (policy_name(OWN), policy_sha(OWN))
    assert row["data_sha256"] == f"data of {OWN}"
    assert row["serves_after"] == row["as_of"] == pd.Timestamp(LATER)
    assert row["predecessor_sha256"] == row["held_against"] == policy_sha("new")
    assert (row["actor"], row["cause"], row["model_version"]) == ("gate", "decay", 1)
    shared = bench.earned("new", 0.0, TODAY)[:LATER].index
    assert (row["first_unseen"], row["last_unseen"]) == (shared[0], shared[-1])
    assert row["unseen_sessions"] == len(shared)
    for side, name, lead in (("challenger", OWN, LEAD), ("incumbent", "new", 0.0)):
        expected = float(sharpe(bench.returns(name, lead).loc[shared].to_numpy()))
        assert row[f"{side}_sharpe"] == pytest.approx(expected, rel=1e-12)
    assert pd.isna(row["challenger_rmse"])
    assert "earned more for its risk" in row["reason"]


def test_rolled_back_policy_gives_the_window_back_and_is_rolled_back_once(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    bench = promoted_bench(settings)
    bench.decay("new", LATER)
    bench.court.judge(settings)
    assert bench.court.judge(settings).empty
    reigns = reigns_in(reigns_of(bench.court.evidence.ledger, "policy"), POLICY, WINDOW)
    assert [(one.model_sha256, one.serves_after) for one in reigns] == [
        (policy_sha("new"), TODAY), (policy_sha(OWN), LATER),
    ]  # fmt: skip
    bench.court.today = date(2024, 12, 16)
    bench.decay("new", bench.court.today)
    assert bench.court.judge(settings).empty
    assert reigns_of(bench.court.evidence.ledger, "forecaster") == ()


@pytest.mark.parametrize(
    "change",
    [
        {"settings": {"rollback_sessions": 29}},
        {"settings": {"min_unseen_sessions": 30}},
        {"own_lead": -LEAD},
        {"decayed": None},
        {"decayed": OWN},
    ],
    ids=["too old", "too few", "predecessor was worse", "sound", "another model decays"],
)
def test_policy_stays_unless_young_decayed_and_worse(
    change: dict[str, Any], tmp_path: Path
) -> None:
    bench = promoted_bench(settings_of(tmp_path), own_lead=change.get("own_lead", LEAD))
    decayed = change.get("decayed", "new")
    if decayed is not None:
        bench.decay(decayed, LATER)
    assert bench.court.judge(settings_of(tmp_path, **change.get("settings", {}))).empty


@pytest.mark.parametrize("change", [{"rollback_sessions": 30}, {"min_unseen_sessions": 29}])
def test_policy_is_rolled_back_up_to_the_last_session_that_the_settings_allow(
    change: dict[str, Any], tmp_path: Path
) -> None:
    # Of the 30 sessions since, the first was still decided by the model before.
    bench = promoted_bench(settings_of(tmp_path))
    assert len(bench.court.sessions.to_series()[TODAY:LATER]) - 1 == 30
    bench.decay("new", LATER)
    (row,) = bench.court.judge(settings_of(tmp_path, **change)).to_dict("records")
    assert row["decision"] == "rolled_back"


def test_policy_without_a_trial_of_its_predecessor_stays(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    bench = promoted_bench(settings)
    bench.decay("new", LATER)
    trials = bench.court.evidence.policy_trials
    trials.loc[trials["role"] == "predecessor", "serves_after"] = pd.Timestamp("2024-09-03")
    assert bench.court.judge(settings).empty
