"""Trials heard day by day are those that a home adds night by night."""

from collections.abc import Iterator
from datetime import datetime, time
from pathlib import Path

import pandas as pd
import pytest

from odyssey_assets.core.sessions import sessions_between
from odyssey_assets.forecasting.challengers import fit_challengers
from odyssey_assets.forecasting.tables import TRIALS
from odyssey_assets.forecasting.trials import run_trials
from odyssey_assets.infrastructure.home import home_of
from odyssey_assets.infrastructure.model_store import ModelStore
from odyssey_assets.replay import History, LayeredStore, read_history
from odyssey_assets.settings import Settings
from odyssey_assets.simulated_trials import SimulatedTrials
from odyssey_assets_tests.tiny_market import TinyHome, tiny_settings, warehouse_of

NIGHTS = [
    day.date()
    for first, last in (("2022-03-14", "2022-03-18"), ("2022-06-29", "2022-06-30"))
    for day in sessions_between(pd.Timestamp(first).date(), pd.Timestamp(last).date())
]
FITTED_ON = {NIGHTS[1]: ["SPY"], NIGHTS[3]: ["AAPL"]}


@pytest.fixture
def settings(tiny_home: TinyHome) -> Settings:
    """Return the settings of the tiny market."""
    return tiny_settings(tiny_home.root)


@pytest.fixture
def history(settings: Settings) -> History:
    """Return what the home has stored."""
    return read_history(warehouse_of(settings))


@pytest.fixture
def store(settings: Settings, tmp_path: Path) -> LayeredStore:
    """Return a store that leaves the home's as it is."""
    return LayeredStore(ModelStore(tmp_path), ModelStore(home_of(settings).models))


def nights(
    history: History, settings: Settings, store: LayeredStore
) -> Iterator[tuple[History, pd.DataFrame, datetime]]:
    """Yield what is known each night, the challengers until then, and the moment."""
    challengers = pd.DataFrame()
    for day in NIGHTS:
        known, now = history.until(day), datetime.combine(day, time(22))
        fitted = fit_challengers(
            known.features, known.labels, known.bars, FITTED_ON.get(day, []), day, [], settings,
            store, None, now,
        ).challengers  # fmt: skip
        challengers = pd.concat([challengers, fitted], ignore_index=True)
        yield known, challengers, now


def test_days_heard_are_what_each_night_adds(
    history: History, settings: Settings, store: LayeredStore
) -> None:
    trials = SimulatedTrials(history.features, settings, store)
    heard, added = [TRIALS.empty()], [TRIALS.empty()]
    for day, (known, challengers, now) in zip(
        NIGHTS, nights(history, settings, store), strict=True
    ):
        heard.append(trials.until(day, known.folds, challengers, now))
        assert trials.until(day, known.folds, challengers, now).empty, "nothing is heard twice"
        rows = run_trials(known.features, known.folds, challengers, settings, store, now).rows
        added.append(rows)
        one, other = (
            pd.concat(parts)
            .drop_duplicates(list(TRIALS.grain))
            .sort_values(list(TRIALS.grain), ignore_index=True)
            for parts in (heard, added)
        )
        pd.testing.assert_frame_equal(one, other, check_exact=True)
    assert set(one["role"]) >= {"fold", "challenger"}
    whole = trials.of_whole_window
    assert whole["date"].min() < pd.Timestamp(NIGHTS[0]), "also what nobody asked for"
    heard_of_whole = one.merge(whole[list(TRIALS.grain)])
    assert len(heard_of_whole) == len(one)
    assert set(one["ticker"]) == {"AAPL", "SPY"}
