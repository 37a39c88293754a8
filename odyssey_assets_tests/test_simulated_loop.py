"""The loop in accelerated time: what happens on which day, and that nothing later has a part."""

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from odyssey_assets.core.returns import sharpe
from odyssey_assets.forecasting.tables import CHALLENGERS, TRIALS
from odyssey_assets.monitoring.ledgers import PROMOTIONS, RETRAINING_EVENTS
from odyssey_assets.monitoring.promotion.champions import reigns_of
from odyssey_assets.portfolio.tables import POLICY_CHALLENGERS, POLICY_TRIALS
from odyssey_assets.replay import MADE_BY_A_MODEL
from odyssey_assets.simulate import open_simulation
from odyssey_assets_tests.simulated_home import (
    LEDGERS,
    Played,
    eager_settings,
    file_hashes,
    play_on,
    play_through,
)
from odyssey_assets_tests.simulated_learner import learner_settings, open_learner, short_memory
from odyssey_assets_tests.tiny_market import TICKERS, TinyHome

START, END = date(2021, 12, 22), date(2022, 2, 11)
MONTHLY, EARLIER = date(2022, 1, 5), date(2022, 2, 1)


@pytest.fixture(scope="module")
def root(tiny_home: TinyHome, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the tiny home in which simulations may be kept."""
    return tiny_home.copy(tmp_path_factory.mktemp("simulated"))


@pytest.fixture(scope="module")
def played(root: Path) -> Played:
    """Return what happened over two months with a window boundary; the real home is unchanged."""
    before = file_hashes(root)
    done = play_through(eager_settings(root), START, END)
    assert file_hashes(root) == before
    return done


def test_night_comes_after_each_session_and_no_other_day(played: Played) -> None:
    assert played.days("no night") == [date(2021, 12, 24), date(2022, 1, 17)]
    texts = [event.text for event in played.events if event.kind == "no night"]
    assert "Christmas" in texts[0]
    assert "Martin Luther King" in texts[1]
    assert all(event.day.weekday() < 5 for event in played.events)
    assert [event.day for event in played.events] == sorted(event.day for event in played.events)


def test_window_opens_once_with_models_that_succeed_by_protocol(played: Played) -> None:
    assert played.days("new window") == [date(2022, 1, 3)]
    own = played.of(PROMOTIONS)
    own = own[own["decision"].isin(["succeeded", "unproven"])]
    assert set(own["window"].dt.date) == {date(2022, 1, 1)}, "no earlier one has a model"
    assert set(own["subject"]) == set(TICKERS)


def test_month_retrains_every_ticker_on_the_first_session_from_its_day(played: Played) -> None:
    assert played.days("monthly") == [MONTHLY, date(2022, 2, 7)], "5 February is a Saturday"
    ledger = played.of(RETRAINING_EVENTS)
    asked = ledger[ledger["batch"] == "monthly-2022-01"]
    assert set(asked["cause"]) == {"schedule"}
    assert set(asked["as_of"].dt.date) == {MONTHLY}
    assert sorted(asked["state"]) == sorted(["requested", "started", "finished"] * len(TICKERS))
    fitted = played.of(CHALLENGERS)
    as_of = fitted.loc[fitted["role"] == "challenger", ["ticker", "requested_as_of"]]
    assert {(t, d.date()) for t, d in as_of.itertuples(index=False)} >= {
        (ticker, MONTHLY) for ticker in TICKERS
    }


def test_findings_retrain_within_cool_down_and_every_request_is_settled(played: Played) -> None:
    ledger = played.of(RETRAINING_EVENTS)
    found = ledger[ledger["cause"].isin(["drift", "decay"])]
    assert {"requested", "suppressed"} <= set(found["state"])
    for _, rows in ledger.groupby("event_id"):
        states = sorted(rows["state"])
        assert states in (["finished", "requested", "started"], ["suppressed"])
    printed = {(event.day, event.subject) for event in played.events if event.kind == "requested"}
    asked = found[found["state"] == "requested"]
    assert printed == set(zip(asked["as_of"].dt.date, asked["ticker"], strict=True))


def test_promoted_models_serve_later_sessions_only(played: Played, root: Path) -> None:
    promotions = played.of(PROMOTIONS)
    promoted = promotions[promotions["decision"] == "promoted"]
    assert len(promoted), "the settings are generous: somebody must be promoted"
    assert (promoted["serves_after"] == promoted["as_of"]).all()
    simulation, _ = open_simulation(eager_settings(root), date(2022, 2, 11), date(2022, 2, 11))
    own = simulation.history.until(END)
    reigns = reigns_of(promotions, "forecaster")
    served = own.served(played.of(TRIALS), reigns).predictions
    columns = ["ticker", "date", "model", *MADE_BY_A_MODEL]
    is_changed = (served[columns].to_numpy() != own.predictions[columns].to_numpy()).any(axis=1)
    changed = served[is_changed]
    assert len(changed)
    first = {ticker: rows["serves_after"].min() for ticker, rows in promoted.groupby("subject")}
    assert (changed["date"] > changed["ticker"].map(first)).all()
    assert set(changed["model_sha256"]) <= {reign.model_sha256 for reign in reigns}
    is_late = served["date"] > served["ticker"].map(first).fillna(pd.Timestamp("2100-01-01"))
    is_meant = is_late & (served["model"] == "xgboost")
    assert np.array_equal(is_changed, is_meant.to_numpy())


def test_same_days_give_the_same_ledgers_whatever_comes_later(played: Played, root: Path) -> None:
    shorter = play_through(eager_settings(root), START, EARLIER)
    assert list(shorter.events) == [event for event in played.events if event.day <= EARLIER]
    until = pd.Timestamp(EARLIER) + pd.Timedelta(days=1, hours=12)
    for table in LEDGERS:
        if not table.is_append_only:
            continue
        rows, longer = shorter.of(table), played.of(table)
        known = longer[longer["recorded_at"] < until].reset_index(drop=True)
        pd.testing.assert_frame_equal(rows, known, check_exact=True)


def test_sessions_that_are_not_stored_are_said_to_be_missing(root: Path) -> None:
    settings = eager_settings(root, retraining={"is_automatic": False})
    played = play_through(settings, date(2022, 6, 30), date(2022, 7, 6))
    assert played.days("no data") == [date(2022, 7, 1), date(2022, 7, 5), date(2022, 7, 6)]
    assert played.days("no night") == [date(2022, 7, 4)]


def test_without_automatic_retraining_only_the_month_retrains(root: Path) -> None:
    settings = eager_settings(root, retraining={"is_automatic": False})
    played = play_through(settings, date(2022, 3, 4), date(2022, 3, 8))
    ledger = played.of(RETRAINING_EVENTS)
    assert set(ledger.loc[ledger["state"] == "requested", "cause"]) == {"schedule"}
    assert set(ledger.loc[ledger["state"] == "requested", "as_of"].dt.date) == {date(2022, 3, 7)}
    assert "suppressed" in set(ledger["state"])


LEARNER_START, LEARNER_END = date(2022, 2, 1), date(2022, 2, 18)


@pytest.fixture(scope="module")
def learner(learner_home: TinyHome, tmp_path_factory: pytest.TempPathFactory) -> Played:
    """Return what happened where the learned policy decays; the real home is unchanged."""
    home = learner_home.copy(tmp_path_factory.mktemp("learner"))
    before = file_hashes(home)
    simulation = open_learner(learner_settings(home), LEARNER_START, LEARNER_END)
    with short_memory():
        done = play_on(simulation, LEARNER_START, LEARNER_END)
    assert file_hashes(home) == before
    return done


def test_decayed_policy_is_trained_and_judged_like_a_ticker(learner: Played) -> None:
    ledger = learner.of(RETRAINING_EVENTS)
    own = ledger[ledger["ticker"] == "ppo"]
    found = own[own["cause"] == "decay"]
    assert set(found["check"]) == {"monitoring.policy_quality.policies_have_not_decayed"}
    assert {"requested", "suppressed"} <= set(found["state"])
    asked = set(own.loc[own["state"] == "requested", "as_of"])
    challengers = learner.of(POLICY_CHALLENGERS)
    assert set(challengers["requested_as_of"]) == asked
    assert set(challengers["role"]) == {"challenger", "stand_in"}
    outcomes = own.loc[own["state"] == "finished", "outcome"]
    assert len(outcomes) == len(asked)
    assert set(outcomes) <= {"promoted", "rejected", "pending"}
    decided = learner.of(PROMOTIONS)
    decided = decided[decided["subject"] == "ppo"]
    assert set(decided["kind"]) == {"policy"}
    assert set(decided["event_id"].dropna()) == set(own.loc[own["state"] == "finished", "event_id"])


def test_month_retrains_the_policy_with_the_tickers(learner: Played) -> None:
    [monthly] = [event for event in learner.events if event.kind == "monthly"]
    assert monthly.day == date(2022, 2, 7)
    assert monthly.text == "monthly-2022-02: 2 tickers and ppo retrain"
    ledger = learner.of(RETRAINING_EVENTS)
    asked = ledger[(ledger["batch"] == "monthly-2022-02") & (ledger["state"] == "requested")]
    assert set(asked["ticker"]) == {*TICKERS, "ppo"}
    fitted = learner.of(POLICY_CHALLENGERS)["requested_as_of"].dt.date
    assert date(2022, 2, 7) in set(fitted)


def test_window_s_own_policy_is_judged_on_the_first_night(learner: Played) -> None:
    first = [event for event in learner.events if event.subject == "ppo"][:3]
    own = [event for event in first if event.kind in ("succeeded", "unproven")]
    assert [event.day for event in own] == [LEARNER_START]
    assert "252 sessions" in own[0].text
    assert "Sharpe ratio" in own[0].text
    assert "correlation" not in own[0].text


def test_promotions_of_policies_are_undone_where_the_former_one_did_better(
    learner: Played,
) -> None:
    """Every champion decays here, so that what is known of both decides alone."""
    ledger, trials = learner.of(PROMOTIONS), learner.of(POLICY_TRIALS)
    own = ledger[ledger["subject"] == "ppo"]
    promoted = own[own["decision"] == "promoted"]
    assert len(promoted), "the settings are generous: the policy must be promoted"
    for row in promoted.to_dict("records"):
        since = trials[trials["serves_after"] == row["serves_after"]]
        before, now = (
            since[since["role"] == role].set_index("date")["return"]
            for role in ("predecessor", "serving")
        )
        both = pd.concat([before, now], axis=1, join="inner").to_numpy()
        days = before.index.intersection(now.index)
        worse = [
            day
            for end, day in enumerate(days, start=1)
            if end >= 5 and sharpe(both[:end, 0]) > sharpe(both[:end, 1])
        ]
        undone = own[
            (own["decision"] == "rolled_back") & (own["as_of"] > row["as_of"])
        ].sort_values("as_of")
        assert list(undone["as_of"])[:1] == worse[:1]
    serving = trials[trials["role"] == "serving"]
    reigns = own[own["serves_after"].notna()]
    for row in reigns.to_dict("records"):
        later = serving[serving["serves_after"] == row["serves_after"]]
        assert set(later["model_sha256"]) <= {row["model_sha256"]}


def test_without_learned_policies_nothing_is_said_of_any(played: Played) -> None:
    assert "ppo" not in {event.subject for event in played.events}
    assert played.of(POLICY_CHALLENGERS).empty
    assert played.of(POLICY_TRIALS).empty
    assert all(" and " not in e.text for e in played.events if e.kind == "monthly")
