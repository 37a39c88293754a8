"""A ticker's forecasters before the court: whose forecasts are compared, on which sessions."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from odyssey_assets.core.forecast_scores import rmse
from odyssey_assets.core.windows import Window
from odyssey_assets.forecasting.tables import CHALLENGERS
from odyssey_assets.monitoring.promotion.evidence import ticker_evidence
from odyssey_assets.monitoring.promotion.forecaster_court import DECAY_FLAGS, ForecasterCourt
from odyssey_assets.monitoring.tables import FORECAST_QUALITY
from odyssey_assets.settings import Settings
from odyssey_assets_tests.monitoring.promotion.courtroom import (
    HORIZON,
    LITTLE,
    TICKER,
    WINDOW,
    Courtroom,
    settings_of,
    sha_of,
)

TODAY, FIT = date(2024, 10, 31), date(2024, 8, 30)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return settings_of(tmp_path_factory.mktemp("home"))


@pytest.fixture
def room() -> Courtroom:
    """Return a window served by a model without skill, and a challenger with some."""
    room = Courtroom(today=TODAY)
    room.serve("fold", 0.0)
    room.challenge("new", 0.9, as_of=FIT)
    return room


def sitting(room: Courtroom, settings: Settings) -> ForecasterCourt:
    known = room.evidence.until(room.today)
    return ForecasterCourt(ticker_evidence(known, TICKER, HORIZON), known, settings)


def unseen(room: Courtroom, after: date) -> pd.DatetimeIndex:
    """Return the sessions after a day whose outcome is known."""
    sessions = room.sessions[room.sessions <= pd.Timestamp(room.today)][:-HORIZON]
    return sessions[sessions > pd.Timestamp(after)]


def test_comparison_is_of_exactly_the_sessions_that_neither_saw(
    room: Courtroom, settings: Settings
) -> None:
    verdict = sitting(room, settings).compare(sha_of("new"), sha_of("fold"))
    sessions = unseen(room, FIT)
    assert list(verdict.sessions) == list(sessions.to_numpy())
    labels = room.evidence.labels.set_index("date")[f"forward_return_{HORIZON}d"].loc[sessions]
    forecast = room.forecasts("new", 0.9, LITTLE).loc[sessions]
    expected = rmse(forecast.to_numpy(), labels.to_numpy())
    assert verdict.challenger.rmse == pytest.approx(expected, rel=1e-12)
    assert "against the model that serves" in verdict.reason
    assert verdict.outcome == "passed"


def test_baseline_is_the_historical_mean_on_the_same_sessions(
    room: Courtroom, settings: Settings
) -> None:
    court = sitting(room, settings)
    verdict = court.compare(sha_of("new"), sha_of("fold"))
    proof = court.beats_baseline(sha_of("new"), verdict)
    assert list(proof.sessions) == list(verdict.sessions)
    assert proof.challenger == verdict.challenger
    assert np.isnan(proof.incumbent.information_coefficient)
    assert "against the historical mean" in proof.reason


def test_look_back_counts_sessions_of_the_reign_alone_and_errors_decide(
    room: Courtroom, settings: Settings
) -> None:
    court, since = sitting(room, settings), room.session_before(TODAY, 30)
    better = court.look_back(sha_of("new"), sha_of("fold"), since)
    assert list(better.sessions) == list(unseen(room, since).to_numpy())
    words = court.did_better(better)
    assert words is not None
    assert words.startswith("erred less: ")
    assert court.did_better(court.look_back(sha_of("fold"), sha_of("new"), since)) is None


def test_who_erred_as_much_did_not_do_better(room: Courtroom, settings: Settings) -> None:
    court = sitting(room, settings)
    verdict = court.look_back(sha_of("fold"), sha_of("fold"), FIT)
    assert verdict.challenger == verdict.incumbent
    assert court.did_better(verdict) is None


@pytest.mark.parametrize("flag", DECAY_FLAGS)
def test_any_figure_that_fails_its_check_is_decay(
    flag: str, room: Courtroom, settings: Settings
) -> None:
    row = {"ticker": TICKER, "date": TODAY, "window": WINDOW.start, "model_sha256": sha_of("fold")}
    room.add("quality", FORECAST_QUALITY, [{**row, flag: True}])
    court = sitting(room, settings)
    assert court.is_decayed(sha_of("fold"), FIT)
    assert not court.is_decayed(sha_of("new"), FIT)
    assert not court.is_decayed(sha_of("fold"), TODAY)
    sound = {**row, "date": TODAY - timedelta(days=1)}
    room.add("quality", FORECAST_QUALITY, [sound, {**sound, "ticker": "QQQ", "date": TODAY}])
    assert sitting(room, settings).is_decayed(sha_of("fold"), FIT)


def test_recovered_figures_are_no_decay(room: Courtroom, settings: Settings) -> None:
    room.decay("fold", TODAY - timedelta(days=1))
    assert sitting(room, settings).is_decayed(sha_of("fold"), FIT)
    row = {"ticker": TICKER, "date": TODAY, "window": WINDOW.start, "model_sha256": sha_of("fold")}
    room.add("quality", FORECAST_QUALITY, [row])
    assert not sitting(room, settings).is_decayed(sha_of("fold"), FIT)


def test_fitted_are_the_tickers_versions_of_the_forecaster_that_serves(
    room: Courtroom, settings: Settings
) -> None:
    row = {"ticker": TICKER, "model": "xgboost", "role": "challenger", "requested_as_of": FIT}
    room.add(
        "challengers", CHALLENGERS,
        [{**row, "ticker": "QQQ", "model_name": "1"}, {**row, "model": "ridge", "model_name": "2"}],
    )  # fmt: skip
    court = sitting(room, settings)
    assert list(court.fitted["model_sha256"]) == [sha_of("new")]
    assert court.model == "xgboost"


def test_windows_own_model_is_the_fold_that_was_trained(
    room: Courtroom, settings: Settings
) -> None:
    row = sitting(room, settings).own_model(WINDOW)
    assert row is not None
    assert row["model_sha256"] == sha_of("fold")
    assert sitting(room, settings).own_model(Window(date(2024, 1, 1))) is None
    room.evidence.folds["status"] = "skipped"
    assert sitting(room, settings).own_model(WINDOW) is None


def test_court_sits_on_the_last_session_and_counts_those_before(
    room: Courtroom, settings: Settings
) -> None:
    court = sitting(room, settings)
    assert (court.as_of, court.window, court.last_served) == (TODAY, WINDOW, TODAY)
    assert court.sessions_since(room.session_before(TODAY, 9)) == 9
    assert court.sessions_since(TODAY) == 0
    sessions = room.sessions[(room.sessions > pd.Timestamp(FIT))]
    assert court.heard(sha_of("new")) == int((sessions <= pd.Timestamp(TODAY)).sum())
    assert court.heard(sha_of("nobody")) == 0
