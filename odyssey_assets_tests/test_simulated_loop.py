"""The loop in accelerated time: what happens on which day, and that nothing later has a part."""

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from odyssey_assets.forecasting.tables import CHALLENGERS, TRIALS
from odyssey_assets.monitoring.ledgers import PROMOTIONS, RETRAINING_EVENTS
from odyssey_assets.monitoring.promotion.champions import reigns_of
from odyssey_assets.replay import MADE_BY_A_MODEL
from odyssey_assets.simulate import open_simulation
from odyssey_assets_tests.simulated_home import (
    Played,
    eager_settings,
    file_hashes,
    play_through,
)
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
    for name, rows in shorter.ledgers.items():
        longer = played.ledgers[name]
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
