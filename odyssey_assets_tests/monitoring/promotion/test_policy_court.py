"""A learned policy before the court: whose returns are compared, on which sessions."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from odyssey_assets.core.returns import sharpe
from odyssey_assets.core.windows import Window
from odyssey_assets.monitoring.promotion.policy_court import PolicyCourt
from odyssey_assets.portfolio.tables import POLICY_TRIALS
from odyssey_assets.settings import Settings
from odyssey_assets_tests.monitoring.promotion.courtroom import (
    WINDOW,
    Courtroom,
    settings_of,
)
from odyssey_assets_tests.monitoring.promotion.policy_bench import (
    LEAD,
    OLDER,
    OWN,
    POLICY,
    PolicyBench,
    policy_sha,
)

TODAY, FIT, CHANGE = date(2024, 12, 13), date(2024, 7, 31), date(2024, 8, 30)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_of(tmp_path)


@pytest.fixture
def bench() -> PolicyBench:
    """Return a window that was promoted in: its own model decided up to a day, then another."""
    built = PolicyBench(Courtroom(today=TODAY))
    built.plant(0.0)
    built.serve(OWN, 0.0, until=CHANGE)
    built.serve("champion", 0.0, after=CHANGE)
    built.try_out(OWN, "predecessor", LEAD, CHANGE)
    built.challenge("new", LEAD, as_of=FIT)
    return built


def sharpe_of(returns: pd.Series, sessions: np.ndarray) -> float:
    return float(sharpe(returns.loc[sessions].to_numpy()))


def test_comparison_is_of_exactly_the_sessions_in_which_the_incumbent_itself_decided(
    bench: PolicyBench, settings: Settings
) -> None:
    verdict = bench.sitting(settings).compare(policy_sha("new"), policy_sha("champion"))
    sessions = bench.court.sessions
    after = sessions[(sessions > pd.Timestamp(CHANGE)) & (sessions <= pd.Timestamp(TODAY))]
    assert list(verdict.sessions) == list(after[1:].to_numpy())
    for figures, name, lead in (
        (verdict.challenger, "new", LEAD), (verdict.incumbent, "champion", 0.0),
    ):  # fmt: skip
        assert figures.sharpe == pytest.approx(
            sharpe_of(bench.returns(name, lead), verdict.sessions), rel=1e-12
        )
        assert np.isnan([figures.rmse, figures.information_coefficient]).all()
    assert verdict.outcome == "passed"
    assert 0 < verdict.p_value_worse <= 1
    assert "Sharpe ratio" in verdict.reason
    assert "error" not in verdict.reason


def test_comparison_with_who_decided_earlier_ends_where_its_reign_ended(
    bench: PolicyBench, settings: Settings
) -> None:
    verdict = bench.sitting(settings).compare(policy_sha("new"), policy_sha(OWN))
    assert verdict.outcome == "too_few"
    sessions = bench.court.sessions
    of_own = sessions[sessions > pd.Timestamp(CHANGE)][0]
    assert verdict.sessions[-1] == of_own.to_numpy()
    assert verdict.sessions[0] == sessions[sessions > pd.Timestamp(FIT)][1].to_numpy()


@pytest.mark.parametrize(("missing", "outcome"), [(0, "passed"), (1, "too_few")])
def test_comparison_needs_as_many_sessions_as_the_settings_say(
    missing: int, outcome: str, bench: PolicyBench, tmp_path: Path
) -> None:
    whole = bench.sitting(settings_of(tmp_path))
    shared = len(whole.compare(policy_sha("new"), policy_sha("champion")).sessions)
    asked = settings_of(tmp_path, min_unseen_returns=shared + missing, min_unseen_sessions=5)
    verdict = bench.sitting(asked).compare(policy_sha("new"), policy_sha("champion"))
    assert (verdict.outcome, len(verdict.sessions)) == (outcome, shared)


def test_nobody_has_no_trial(bench: PolicyBench, settings: Settings) -> None:
    court = bench.sitting(settings)
    assert court.heard("") == 0
    assert len(court.compare("", policy_sha("champion")).sessions) == 0


def test_portfolios_of_other_policies_and_other_roles_do_not_count(
    bench: PolicyBench, settings: Settings
) -> None:
    before = bench.sitting(settings).compare(policy_sha("new"), policy_sha("champion"))
    trials = bench.court.evidence.policy_trials
    other = trials.assign(policy="other", **{"return": 0.5})
    bench.court.extend("policy_trials", other, POLICY_TRIALS)
    bench.try_out("champion", "challenger", 0.1, FIT)
    bench.try_out("new", "predecessor", 0.1, date(2024, 7, 1))
    court = bench.sitting(settings)
    after = court.compare(policy_sha("new"), policy_sha("champion"))
    assert list(after.sessions) == list(before.sessions)
    assert (after.challenger, after.incumbent) == (before.challenger, before.incumbent)
    assert court.heard(policy_sha("new")) == len(bench.earned("new", LEAD, FIT)[:TODAY])


def test_baseline_is_equal_weight_on_the_same_sessions(
    bench: PolicyBench, settings: Settings
) -> None:
    court = bench.sitting(settings)
    verdict = court.compare(policy_sha("new"), policy_sha("champion"))
    proof = court.beats_baseline(policy_sha("new"), verdict)
    assert list(proof.sessions) == list(verdict.sessions)
    assert proof.challenger == verdict.challenger
    expected = sharpe_of(bench.market, verdict.sessions)
    assert proof.incumbent.sharpe == pytest.approx(expected, rel=1e-12)
    assert "against equal weight" in proof.reason


def test_look_back_holds_the_portfolio_without_the_promotion_against_the_one_with_it(
    bench: PolicyBench, settings: Settings
) -> None:
    bench.try_out(OWN, "predecessor", -1.0, date(2024, 7, 15))
    court = bench.sitting(settings)
    verdict = court.look_back(policy_sha(OWN), policy_sha("champion"), CHANGE)
    sessions = bench.court.sessions
    after = sessions[(sessions > pd.Timestamp(CHANGE)) & (sessions <= pd.Timestamp(TODAY))]
    assert list(verdict.sessions) == list(after[1:].to_numpy())
    expected = sharpe_of(bench.returns(OWN, LEAD), verdict.sessions)
    assert verdict.challenger.sharpe == pytest.approx(expected, rel=1e-12)
    words = court.did_better(verdict)
    assert words is not None
    assert words.startswith("earned more for its risk: Sharpe ratio")


def test_promotion_before_its_window_opened_is_looked_back_on_from_the_opening(
    settings: Settings,
) -> None:
    bench = PolicyBench(Courtroom(today=TODAY))
    bench.plant(0.0)
    before, opening = date(2024, 6, 28), WINDOW.start
    bench.serve("champion", 0.0, after=opening - timedelta(days=1))
    bench.try_out(OLDER, "predecessor", LEAD, before)
    verdict = bench.sitting(settings).look_back(policy_sha(OLDER), policy_sha("champion"), before)
    shared = bench.earned("champion", 0.0, before)[:TODAY]
    assert list(verdict.sessions) == list(shared.index.to_numpy())
    assert shared.index[0] == pd.Timestamp("2024-07-02")


def test_who_earned_the_same_did_not_do_better(settings: Settings) -> None:
    bench = PolicyBench(Courtroom(today=TODAY))
    bench.plant(0.0)
    bench.serve("champion", 0.0, after=CHANGE, noise=0.0)
    bench.try_out(OWN, "predecessor", 0.0, CHANGE, noise=0.0)
    court = bench.sitting(settings)
    verdict = court.look_back(policy_sha(OWN), policy_sha("champion"), CHANGE)
    assert verdict.challenger == verdict.incumbent
    assert court.did_better(verdict) is None


@pytest.mark.parametrize(
    ("champion", "days", "expected"),
    [
        ("champion", [(CHANGE + timedelta(days=30), "champion", True)], True),
        ("champion", [(CHANGE + timedelta(days=30), "champion", False)], False),
        ("champion", [(CHANGE + timedelta(days=30), OWN, True)], False),
        ("champion", [(CHANGE, "champion", True)], False),
        ("champion", [(TODAY + timedelta(days=3), "champion", True)], False),
        (
            "champion",
            [
                (CHANGE + timedelta(days=30), "champion", True),
                (CHANGE + timedelta(days=31), "champion", False),
            ],
            False,
        ),
        ("champion", [], False),
    ],
    ids=["decayed", "not", "another", "before its reign", "in the future", "recovered", "unknown"],
)
def test_decay_is_that_of_the_newest_session_which_the_champion_decided(
    champion: str,
    days: list[tuple[date, str, bool]],
    expected: bool,
    bench: PolicyBench,
    settings: Settings,
) -> None:
    for day, name, is_decayed in days:
        bench.decay(name, day, is_decayed=is_decayed)
    assert bench.sitting(settings).is_decayed(policy_sha(champion), CHANGE) is expected


def test_windows_own_model_is_the_main_seeds(bench: PolicyBench, settings: Settings) -> None:
    court = bench.sitting(settings)
    assert list(court.trained["model_sha256"]) == [policy_sha(OLDER), policy_sha(OWN)]
    row = court.own_model(WINDOW)
    assert row is not None
    assert row["model_sha256"] == policy_sha(OWN)
    assert court.own_model(Window(date(2023, 7, 1))) is None
    policies = bench.court.evidence.policies
    policies.loc[policies["window"] == pd.Timestamp(WINDOW.start), "status"] = "skipped"
    assert bench.sitting(settings).own_model(WINDOW) is None


def test_who_comes_next_decides_after_what_a_challenger_may_have_seen(
    bench: PolicyBench, settings: Settings
) -> None:
    court = bench.sitting(settings)
    assert court.as_of == court.last_served == TODAY
    assert court.window == WINDOW
    assert court.sessions_since(bench.court.session_before(TODAY, 7)) == 7
    daily = court.evidence.daily
    behind = daily[daily["date"] < pd.Timestamp(TODAY)]
    late = PolicyCourt(
        POLICY, type(court.evidence)(**{**vars(court.evidence), "daily": behind}), settings
    )
    assert late.as_of == late.last_served == TODAY
    assert late.sessions_since(bench.court.session_before(TODAY, 7)) == 6
