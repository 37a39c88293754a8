"""A new window's own model: champion if its recipe beats what needs no learning."""

from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from odyssey_assets.core.returns import sharpe
from odyssey_assets.monitoring.ledgers import PROMOTIONS
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

OPENING = date(2024, 7, 1)
EARLIER = date(2023, 12, 29)


def court_at_the_opening(skill: float) -> Courtroom:
    """Return the first session of a window, after a window of forecasts of that skill."""
    court = Courtroom(today=OPENING)
    court.serve("old", skill, after=EARLIER, noise=0.005)
    court.serve("fold", skill, noise=0.005)
    return court


@pytest.mark.parametrize(
    ("skill", "decision", "is_champion"), [(0.9, "succeeded", True), (-0.9, "unproven", False)]
)
def test_fold_model_succeeds_if_the_recipe_beat_the_historical_mean(
    skill: float, decision: str, is_champion: bool, tmp_path: Path
) -> None:
    court = court_at_the_opening(skill)
    (row,) = court.judge(settings_of(tmp_path)).to_dict("records")
    assert (row["decision"], row["is_champion"]) == (decision, is_champion)
    assert row["model_sha256"] == sha_of("fold")
    assert row["predecessor_sha256"] == sha_of("old")
    assert row["held_against"] == "historical_mean"
    assert pd.isna(row["serves_after"])
    assert (row["cause"], row["actor"]) == ("new_window", "gate")
    last_known = court.session_before(OPENING, HORIZON)
    assert row["last_unseen"] == pd.Timestamp(last_known)
    assert row["first_unseen"] > pd.Timestamp(EARLIER)


def test_fold_model_is_judged_on_the_newest_half_year_of_forecasts(tmp_path: Path) -> None:
    court = court_at_the_opening(0.9)
    court.today = date(2024, 12, 31)
    (row,) = court.judge(settings_of(tmp_path)).to_dict("records")
    assert row["unseen_sessions"] == 126
    assert row["last_unseen"] == pd.Timestamp(court.session_before(court.today, HORIZON))


def test_fold_model_is_judged_once_a_window_and_a_refitted_one_again(tmp_path: Path) -> None:
    court, settings = court_at_the_opening(0.9), settings_of(tmp_path)
    court.judge(settings)
    court.today = date(2024, 8, 1)
    assert court.judge(settings).empty
    folds = court.evidence.folds
    folds.loc[folds["window"] == pd.Timestamp(WINDOW.start), "model_sha256"] = "f" * 64
    (row,) = court.judge(settings).to_dict("records")
    assert (row["model_sha256"], row["model_version"]) == ("f" * 64, 2)


def test_fold_model_without_enough_forecasts_is_unproven_until_there_are(tmp_path: Path) -> None:
    court = Courtroom(today=OPENING)
    court.serve("fold", 0.9, noise=0.005)
    settings = settings_of(tmp_path)
    (row,) = court.judge(settings).to_dict("records")
    assert (row["decision"], row["unseen_sessions"]) == ("unproven", 0)
    court.today = date(2024, 7, 19)
    assert court.judge(settings).empty
    court.today = date(2024, 8, 15)
    (row,) = court.judge(settings).to_dict("records")
    assert (row["decision"], row["model_version"]) == ("succeeded", 1)
    court.today = date(2024, 8, 16)
    assert court.judge(settings).empty


def test_fold_model_follows_whoever_reigned_at_the_end_of_the_window_before(
    tmp_path: Path,
) -> None:
    court = court_at_the_opening(0.9)
    court.add("ledger", PROMOTIONS, [{
        "kind": "forecaster", "subject": TICKER, "window": date(2024, 1, 1),
        "decision": "promoted", "is_champion": True, "serves_after": date(2024, 5, 1),
        "model_name": name_of("better"), "model_sha256": sha_of("better"), "model_version": 4,
    }])  # fmt: skip
    (row,) = court.judge(settings_of(tmp_path)).to_dict("records")
    assert row["predecessor_sha256"] == sha_of("better")
    assert row["predecessor_name"] == name_of("better")
    assert row["model_version"] == 5


def test_window_without_a_model_has_no_succession(tmp_path: Path) -> None:
    court = court_at_the_opening(0.9)
    court.evidence.folds["status"] = "skipped"
    assert court.judge(settings_of(tmp_path)).empty


def test_home_without_baseline_forecasts_proves_nothing(tmp_path: Path) -> None:
    court = court_at_the_opening(0.9)
    forecasts = court.evidence.predictions
    forecasts["model"] = forecasts["model"].replace("historical_mean", "ridge")
    (row,) = court.judge(settings_of(tmp_path)).to_dict("records")
    assert (row["decision"], row["unseen_sessions"]) == ("unproven", 0)


@pytest.mark.parametrize(
    ("lead", "decision"), [(0.001, "succeeded"), (-0.001, "unproven"), (0.0, "unproven")]
)
def test_policy_succeeds_if_it_earned_more_than_equal_weight_for_its_risk(
    lead: float, decision: str, tmp_path: Path
) -> None:
    court = Courtroom(today=date(2024, 10, 31))
    daily = PolicyBench(court).plant(lead)
    (row,) = court.judge(settings_of(tmp_path)).to_dict("records")
    assert (row["kind"], row["subject"], row["decision"]) == ("policy", "ppo", decision)
    assert row["model_sha256"] == policy_sha(OWN)
    assert row["predecessor_sha256"] == policy_sha(OLDER)
    assert row["held_against"] == "equal_weight"
    assert row["unseen_sessions"] == 252
    own = daily[(daily["strategy"] == "ppo") & (daily["date"] <= pd.Timestamp(court.today))]
    expected = float(sharpe(own["return"].to_numpy()[-252:]))
    assert row["challenger_sharpe"] == pytest.approx(expected, rel=1e-12)
    assert pd.isna(row["challenger_rmse"])
    assert court.judge(settings_of(tmp_path)).empty


def test_policy_follows_whoever_reigned_at_the_end_of_the_window_before(tmp_path: Path) -> None:
    court = Courtroom(today=date(2024, 10, 31))
    PolicyBench(court).plant(0.001)
    reign = {
        "kind": "policy", "subject": POLICY, "decision": "promoted", "decision_id": "last",
        "is_champion": True,
        "model_name": policy_name("better"), "model_sha256": policy_sha("better"),
        "model_version": 4,
    }  # fmt: skip
    court.add("ledger", PROMOTIONS, [
        {**reign, "window": date(2024, 1, 1), "serves_after": date(2024, 5, 1)},
        {**reign, "window": date(2023, 7, 1), "serves_after": date(2023, 9, 1),
         "decision_id": "long past", "model_sha256": policy_sha("past"), "model_version": 3},
        {**reign, "window": date(2024, 1, 1), "serves_after": date(2024, 6, 3),
         "decision_id": "a ticker", "kind": "forecaster", "model_sha256": "of a ticker"},
    ])  # fmt: skip
    (row,) = court.judge(settings_of(tmp_path)).to_dict("records")
    assert (row["model_sha256"], row["model_version"]) == (policy_sha(OWN), 5)
    assert row["predecessor_name"] == policy_name("better")
    assert row["predecessor_sha256"] == policy_sha("better")


def test_policy_without_equal_weight_beside_it_is_unproven(tmp_path: Path) -> None:
    court = Courtroom(today=date(2024, 10, 31))
    PolicyBench(court).plant(0.001, has_baseline=False)
    (row,) = court.judge(settings_of(tmp_path)).to_dict("records")
    assert (row["decision"], row["unseen_sessions"]) == ("unproven", 0)


def test_ticker_and_policy_are_numbered_apart(tmp_path: Path) -> None:
    court = court_at_the_opening(0.9)
    PolicyBench(court).plant(0.001)
    rows = court.judge(settings_of(tmp_path))
    assert list(rows["subject"]) == [TICKER, "ppo"]
    assert list(rows["model_version"]) == [1, 1]
