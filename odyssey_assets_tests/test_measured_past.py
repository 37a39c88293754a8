"""Figures of windows that are over: stored ones where they say the same, else measured."""

from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from odyssey_assets.core.reigns import Reign
from odyssey_assets.core.slices import Slice
from odyssey_assets.core.windows import parse_window
from odyssey_assets.forecasting.tables import CHALLENGERS
from odyssey_assets.infrastructure.warehouse import Warehouse
from odyssey_assets.measured_past import measure_recent, past_quality
from odyssey_assets.monitoring.quality.rolling import measure_quality, promises
from odyssey_assets.monitoring.tables import FORECAST_QUALITY
from odyssey_assets.replay import History, read_history
from odyssey_assets.settings import Settings
from odyssey_assets_tests.tiny_market import END, TinyHome, tiny_settings, warehouse_of
from odyssey_assets_tests.written_reigns import write_reign

ENDED, OPENING = parse_window("2022-01-01"), parse_window("2022-07-01")
REIGN = Reign("SPY", ENDED, date(2022, 3, 1), ("xgboost", "SPY", "x"), "other")
MARK = 99


@pytest.fixture(scope="module")
def settings(tiny_home: TinyHome) -> Settings:
    """Return the settings of the tiny market."""
    return tiny_settings(tiny_home.root)


@pytest.fixture(scope="module")
def before(settings: Settings) -> History:
    """Return what was known when the last window of the home had ended."""
    return read_history(warehouse_of(settings)).until(END)


@pytest.fixture
def marked(settings: Settings, tmp_path: Path) -> Warehouse:
    """Return a warehouse whose stored figures can be told from measured ones."""
    other = warehouse_of(tiny_settings(tmp_path / "marked"))
    stored = warehouse_of(settings).read(FORECAST_QUALITY)
    other.replace(FORECAST_QUALITY, stored.assign(known_20=MARK), (Slice(),))
    return other


def past(
    home: Warehouse,
    before: History,
    settings: Settings,
    *reigns: Reign,
    opening: str = "2022-07-01",
) -> pd.DataFrame:
    rows = past_quality(home, before, CHALLENGERS.empty(), reigns, parse_window(opening), settings)
    return rows.sort_values(["ticker", "date"], ignore_index=True)


def test_stored_and_measured_figures_are_the_same(
    settings: Settings, before: History, tmp_path: Path
) -> None:
    stored = past(warehouse_of(settings), before, settings)
    measured = past(warehouse_of(tiny_settings(tmp_path)), before, settings)
    assert len(stored) == len(before.predictions[before.predictions["model"] == "xgboost"])
    pd.testing.assert_frame_equal(measured, stored[list(measured.columns)], check_exact=True)


def test_stored_figures_are_taken_where_nobody_reigned(
    settings: Settings, before: History, marked: Warehouse
) -> None:
    assert (past(marked, before, settings)["known_20"] == MARK).all()
    reigned = past(marked, before, settings, REIGN)
    assert ((reigned["known_20"] == MARK) == (reigned["ticker"] != "SPY")).all()
    assert set(reigned["ticker"]) == {"AAPL", "SPY"}


def test_figures_of_a_home_in_which_somebody_reigned_are_measured(
    settings: Settings, before: History, marked: Warehouse
) -> None:
    model = {"model_name": "xgboost/SPY/x", "model_sha256": "other"}
    write_reign(marked, "forecaster", "SPY", ENDED.start, REIGN.serves_after, model)
    rows = past(marked, before, settings)
    assert ((rows["known_20"] == MARK) == (rows["ticker"] != "SPY")).all()


def test_figures_of_other_models_are_measured(
    settings: Settings, before: History, marked: Warehouse
) -> None:
    stored = marked.read(FORECAST_QUALITY)
    is_other = (stored["ticker"] == "AAPL") & (stored["date"] >= pd.Timestamp(2022, 5, 2))
    sha256 = stored["model_sha256"].mask(is_other, "another home's")
    marked.replace(FORECAST_QUALITY, stored.assign(model_sha256=sha256), (Slice(),))
    rows = past(marked, before, settings)
    assert not rows.duplicated(["ticker", "date"]).any()
    is_measured = (rows["ticker"] == "AAPL") & (rows["date"] >= pd.Timestamp(2022, 5, 2))
    assert ((rows["known_20"] == MARK) == ~is_measured).all()


def test_window_that_opens_has_no_part(
    settings: Settings, before: History, marked: Warehouse
) -> None:
    assert past(marked, before.until(date(2021, 12, 31)), settings, opening=ENDED.key).empty


def test_recent_figures_are_those_of_the_whole_history(settings: Settings, before: History) -> None:
    fitted = CHALLENGERS.empty()
    since = date(2022, 4, 1)
    whole = measure_quality(
        before.predictions, before.labels, before.bars, promises(before.folds, fitted), settings
    )
    recent = measure_recent(before, fitted, since, settings)
    one, other = (
        rows[rows["date"] >= pd.Timestamp(since)].reset_index(drop=True) for rows in (recent, whole)
    )
    pd.testing.assert_frame_equal(one, other, check_exact=True)
    only = measure_recent(before, fitted, since, settings, ["SPY"])
    assert set(only["ticker"]) == {"SPY"}
