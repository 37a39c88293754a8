"""The loop in accelerated time as its user runs it, over a boundary of windows that have a past."""

import shutil
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from odyssey_assets.core.reigns import Reign
from odyssey_assets.core.slices import Slice
from odyssey_assets.core.windows import parse_window
from odyssey_assets.forecasting.tables import CHALLENGERS, TRIALS
from odyssey_assets.infrastructure.home import Home, load_settings
from odyssey_assets.infrastructure.model_store import ModelStore
from odyssey_assets.infrastructure.warehouse import Warehouse
from odyssey_assets.measured_past import past_drift, past_quality
from odyssey_assets.monitoring.drift.measurement import measure_drift
from odyssey_assets.monitoring.ledgers import RETRAINING_EVENTS
from odyssey_assets.monitoring.tables import FORECAST_QUALITY
from odyssey_assets.portfolio.tables import POLICY_CHALLENGERS
from odyssey_assets.replay import History, read_history
from odyssey_assets.settings import Settings
from odyssey_assets_tests.end_to_end.small_market import (
    ENVIRONMENT,
    TICKERS,
    odyssey,
    open_warehouse,
)
from odyssey_assets_tests.simulated_home import file_hashes

START, END = "2022-06-28", "2022-07-06"
RUNNING, FORMER = parse_window("2022-07-01"), parse_window("2022-01-01")


@pytest.fixture(scope="module")
def settings(finished_home: Path) -> Settings:
    """Return the settings of the finished home."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in ENVIRONMENT.items():
            patch.setenv(name, value)
        return load_settings(home=finished_home)


@pytest.fixture(scope="module")
def before(settings: Settings) -> History:
    """Return what was known before the last window opened."""
    return read_history(open_warehouse(settings.home)).until(date(2022, 6, 30))


def test_command_prints_the_days_and_leaves_the_home_as_it_is(
    finished_home: Path, tmp_path: Path
) -> None:
    home = Path(shutil.copytree(finished_home, tmp_path / "home"))
    hashes = file_hashes(home)
    printed = odyssey(home, "simulate", "--from", START, "--to", END).stdout
    assert file_hashes(home) == hashes
    assert "2022-07-04  no night" in printed
    assert "2022-07-01  new window" in printed
    assert "2022-07-01  monthly" in printed
    assert "2022-07-02" not in printed, "a Saturday"
    own = Home(home / "simulations" / f"{START}_{END}")
    ledger = open_warehouse(own.root).read(RETRAINING_EVENTS)
    asked = ledger[ledger["batch"] == "monthly-2022-07"]
    retrained = [*TICKERS, "ppo"]
    assert sorted(asked["state"]) == sorted(["requested", "started", "finished"] * len(retrained))
    assert set(asked["ticker"]) == set(retrained)
    assert set(asked["as_of"].dt.date) == {date(2022, 7, 1)}
    assert "tickers and ppo retrain" in printed
    judged = [line.split() for line in printed.splitlines() if " ppo " in line]
    assert {"pending", "rejected", "promoted"} & {words[1] for words in judged if len(words) > 1}
    challengers = open_warehouse(own.root).read(POLICY_CHALLENGERS)
    assert set(challengers["requested_as_of"].dt.date) == {date(2022, 7, 1)}


def test_command_refuses_days_that_are_none(finished_home: Path) -> None:
    for days in (("--from", "summer", "--to", END), ("--from", END, "--to", START)):
        refused = odyssey(finished_home, "simulate", *days, is_success=False)
        assert "--from" in refused.stdout + refused.stderr
        assert "Traceback" not in refused.stdout + refused.stderr


def reign_in_the_former_window(before: History) -> tuple[Reign, pd.DataFrame]:
    """Return a reign of SPY in the window before, and what its model said of it."""
    made = before.predictions
    is_meant = (made["ticker"] == "SPY") & (made["model"] == "xgboost")
    rows = made[is_meant & (made["window"] == pd.Timestamp(FORMER.start))]
    said = rows.assign(
        prediction=rows["prediction"] * 0.5, model_sha256="other", role="challenger",
        recorded_at=pd.Timestamp("2022-04-01"),
    )  # fmt: skip
    reign = Reign("SPY", FORMER, date(2022, 4, 1), ("xgboost", "SPY", "x"), "other")
    return reign, TRIALS.conform(said[list(TRIALS.column_names)])


@pytest.mark.parametrize("is_reigned", [False, True])
def test_past_is_the_same_whether_it_was_stored_or_is_measured(
    settings: Settings, before: History, tmp_path: Path, is_reigned: bool
) -> None:
    reign, trials = reign_in_the_former_window(before)
    reigns = [reign] if is_reigned else []
    known, fitted = before.served(trials, reigns), CHALLENGERS.empty()
    homes = (open_warehouse(settings.home), Warehouse(Home(tmp_path), settings.warehouse))
    store = ModelStore(tmp_path / "models")
    qualities = [
        past_quality(home, known, fitted, reigns, RUNNING, settings).sort_values(
            ["ticker", "date"], ignore_index=True
        )
        for home in homes
    ]
    columns = list(qualities[0].columns)
    pd.testing.assert_frame_equal(qualities[0], qualities[1][columns], check_exact=True)
    windows = {ticker: [FORMER] for ticker in TICKERS}
    drifts = [
        measure_drift(
            known.features, known.folds, fitted, known.predictions, reigns, windows, settings,
            store, past_drift(home, known, fitted, reigns, RUNNING, settings, store),
        ).drift
        for home in homes
    ]  # fmt: skip
    assert len(drifts[0])
    pd.testing.assert_frame_equal(drifts[0], drifts[1], check_exact=True)


def test_stored_figures_are_taken_up_to_the_first_window_in_which_somebody_reigned(
    settings: Settings, before: History, tmp_path: Path
) -> None:
    other = Warehouse(Home(tmp_path), settings.warehouse)
    other.home.create()
    stored = open_warehouse(settings.home).read(FORECAST_QUALITY)
    other.replace(FORECAST_QUALITY, stored.assign(known_20=99), (Slice(),))
    reign, _ = reign_in_the_former_window(before)
    for reigns in ([], [reign]):
        past = past_quality(other, before, CHALLENGERS.empty(), reigns, RUNNING, settings)
        is_reigned = (past["ticker"] == "SPY") & (past["window"] == pd.Timestamp(FORMER.start))
        assert is_reigned.any()
        is_stored = past["known_20"] == 99
        assert (is_stored == ~(is_reigned & bool(reigns))).all()
