"""What a simulated night finds is what the nightly jobs of a home found on the same night."""

from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pytest

from odyssey_assets.core.windows import parse_window
from odyssey_assets.forecasting.tables import CHALLENGERS
from odyssey_assets.infrastructure.home import home_of
from odyssey_assets.infrastructure.model_store import ModelStore
from odyssey_assets.infrastructure.warehouse import Warehouse
from odyssey_assets.monitoring.drift.findings import drifted_now
from odyssey_assets.monitoring.quality.findings import decayed_now
from odyssey_assets.monitoring.tables import (
    DRIFT,
    DRIFT_SUMMARY,
    FORECAST_QUALITY,
    POLICY_QUALITY,
)
from odyssey_assets.nightly_findings import NightlyFindings
from odyssey_assets.replay import History, LayeredStore, read_history
from odyssey_assets.settings import Settings
from odyssey_assets_tests.tiny_market import (
    END,
    WINDOWS,
    TinyHome,
    materialize,
    tiny_settings,
    warehouse_of,
)

RUNNING = parse_window(WINDOWS[-1])
MEASURED = dg.AssetSelection.assets(
    *(list(table.key) for table in (DRIFT, DRIFT_SUMMARY, FORECAST_QUALITY))
)


@pytest.fixture(scope="module")
def settings(tiny_home: TinyHome, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Return the settings of a home whose nightly jobs raise nearly every alarm they can."""
    root = tiny_home.copy(tmp_path_factory.mktemp("alarmed"))
    changes: dict[str, Any] = {"drift": {"false_alarm_rate": 0.99}}
    made = tiny_settings(root, **changes)
    assert materialize(made, MEASURED.without_checks()).success
    return made


@pytest.fixture(scope="module")
def history(settings: Settings) -> History:
    """Return what that home has stored."""
    return read_history(warehouse_of(settings))


def nightly(settings: Settings, upper: Path, home: Warehouse) -> NightlyFindings:
    models = ModelStore(home_of(settings).models)
    return NightlyFindings(settings, LayeredStore(ModelStore(upper), models), home)


def test_night_finds_what_the_nightly_jobs_found(
    settings: Settings, history: History, tmp_path: Path
) -> None:
    warehouse = warehouse_of(settings)
    found = nightly(settings, tmp_path, warehouse)
    findings = found.find(history.until(END), CHALLENGERS.empty(), (), END)
    quality = warehouse.read(FORECAST_QUALITY)
    expected = [
        *drifted_now(warehouse.read(DRIFT_SUMMARY), RUNNING), *decayed_now(quality, RUNNING),
    ]  # fmt: skip
    assert expected, "the settings must let something be found"
    assert sorted(
        (f.ticker, f.as_of.isoformat(), f.value, f.threshold) for f in findings
    ) == sorted(
        (each["ticker"], each["as_of"], each["value"], each["threshold"]) for each in expected
    )
    assert {finding.window for finding in findings} == {RUNNING}
    own = quality[quality["window"] == pd.Timestamp(RUNNING.start)].reset_index(drop=True)
    figures = found.newest_quality.sort_values(["ticker", "date"], ignore_index=True)
    pd.testing.assert_frame_equal(figures[list(own.columns)], own, check_exact=True)


@pytest.mark.parametrize("day", [date(2022, 1, 14), date(2022, 3, 15), date(2022, 5, 31)])
def test_night_needs_no_stored_figures_and_no_later_rows(
    settings: Settings, history: History, tmp_path: Path, day: date
) -> None:
    empty = warehouse_of(tiny_settings(tmp_path / "empty"))
    known, fitted = history.until(day), CHALLENGERS.empty()
    stored = nightly(settings, tmp_path / "one", warehouse_of(settings))
    measured = nightly(settings, tmp_path / "two", empty)
    assert stored.find(known, fitted, (), day) == measured.find(known, fitted, (), day)
    pd.testing.assert_frame_equal(
        stored.newest_quality.reset_index(drop=True),
        measured.newest_quality.reset_index(drop=True),
        check_exact=True,
    )
    assert stored.newest_quality["date"].max() == pd.Timestamp(day)


def test_night_after_night_finds_what_one_night_alone_finds(
    settings: Settings, history: History, tmp_path: Path
) -> None:
    warehouse = warehouse_of(settings)
    running = nightly(settings, tmp_path / "one", warehouse)
    for day in (date(2021, 12, 31), date(2022, 2, 15), date(2022, 3, 31)):
        known = history.until(day)
        alone = nightly(settings, tmp_path / f"{day}", warehouse)
        fitted = CHALLENGERS.empty()
        assert running.find(known, fitted, (), day) == alone.find(known, fitted, (), day)


def test_window_without_enough_sessions_raises_no_alarm(
    settings: Settings, history: History, tmp_path: Path
) -> None:
    day = date(2022, 1, 5)
    found = nightly(settings, tmp_path, warehouse_of(settings))
    assert found.find(history.until(day), CHALLENGERS.empty(), (), day) == ()


@pytest.mark.parametrize("is_decayed", [False, True])
def test_night_finds_the_policy_that_has_decayed(
    is_decayed: bool, settings: Settings, history: History, tmp_path: Path
) -> None:
    found = nightly(settings, tmp_path, warehouse_of(settings))
    known, fitted = history.until(END), CHALLENGERS.empty()
    without = found.find(known, fitted, (), END)
    row = {
        **dict.fromkeys(POLICY_QUALITY.column_names),
        "policy": "ppo", "date": pd.Timestamp(END), "window": pd.Timestamp(RUNNING.start),
        "sharpe_60": -1.5, "sharpe_floor": -1.0, "is_sharpe_decayed": is_decayed,
    }  # fmt: skip
    findings = found.find(known, fitted, (), END, pd.DataFrame([row]))
    added = [finding for finding in findings if finding not in without]
    assert [
        (each.ticker, each.cause, each.as_of, each.window, each.value, each.threshold)
        for each in added
    ] == [("ppo", "decay", END, RUNNING, -1.5, -1.0)] * is_decayed
