"""The forecasting assets on a tiny market: stored models are used again, pictures are attached,
challengers are fitted and tried, and whoever was promoted serves.
"""

from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pytest

from odyssey_assets.core.made_anew import MADE_ANEW
from odyssey_assets.core.slices import Slice
from odyssey_assets.core.windows import parse_window
from odyssey_assets.forecasting.assets import leaderboard_pictures
from odyssey_assets.forecasting.tables import (
    CHALLENGERS,
    FOLDS,
    PREDICTIONS,
    TABLES,
    TRIALS,
    VERSION_TABLES,
)
from odyssey_assets.infrastructure.home import home_of
from odyssey_assets.infrastructure.model_store import PAYLOAD, ModelStore
from odyssey_assets.settings import Settings
from odyssey_assets_tests.tiny_market import (
    WINDOWS,
    TinyHome,
    evaluate,
    found,
    materialize,
    tiny_settings,
    warehouse_of,
)
from odyssey_assets_tests.written_reigns import write_reign

ASSETS = dg.AssetSelection.assets(*(list(table.key) for table in TABLES)).without_checks()
VERSIONS = dg.AssetSelection.assets(*(list(table.key) for table in VERSION_TABLES))
CELL = f"{WINDOWS[-1]}|SPY"
DAY = "2022-05-31"
LOADABLE = ("forecasting/predictions", "reigning_models_are_loadable")


def pictures_of(result: dg.ExecuteInProcessResult) -> dict[str, str]:
    """Return the start of every picture by asset and partition."""
    return {
        f"{event.asset_key.path[-1]} {event.partition}": str(value.value).split("]")[0]
        for event in result.get_asset_materialization_events()
        if event.asset_key is not None
        for value in event.materialization.metadata.values()
        if "data:image/png" in str(value.value)
    }


def test_one_cell_alone_reuses_its_model_and_equals_the_full_run(tiny_copy: Path) -> None:
    settings = tiny_settings(tiny_copy)
    warehouse = warehouse_of(settings)
    before = {table: warehouse.read(table) for table in TABLES}
    models = {
        path: path.stat().st_mtime_ns
        for path in home_of(settings).models.rglob("*")
        if path.is_file()
    }
    window = parse_window(WINDOWS[-1])
    for table in TABLES:
        warehouse.replace(table, table.empty(), (Slice(("SPY",), window.start, window.end),))
    assert len(warehouse.read(PREDICTIONS)) < len(before[PREDICTIONS])
    cell = f"{WINDOWS[-1]}|SPY"
    result = materialize(settings, ASSETS, cell, cell)
    assert result.success
    for table, rows in before.items():
        pd.testing.assert_frame_equal(warehouse.read(table), rows)
    assert {path: path.stat().st_mtime_ns for path in models} == models
    assert pictures_of(result) == {
        f"predictions {cell}": "![Forecasts of SPY beside their outcomes",
        f"feature_importance {cell}": "![Features that drove the newest model of SPY",
    }


def test_cell_without_enough_history_has_reasons_and_no_pictures(tiny_copy: Path) -> None:
    settings = tiny_settings(tiny_copy)
    cell = f"{WINDOWS[0]}|SPY"
    result = materialize(settings, ASSETS, cell, cell)
    assert result.success
    assert pictures_of(result) == {}
    folds = warehouse_of(settings).read(FOLDS)
    first = folds[folds["window"] == WINDOWS[0]]
    assert len(first) > 0
    assert (first["status"] == "skipped").all()
    assert first["reason"].notna().all()


def test_leaderboard_shows_the_sign_strategy(tiny_home: TinyHome) -> None:
    settings = tiny_settings(tiny_home.root)
    shown = leaderboard_pictures(settings)(warehouse_of(settings))
    assert list(shown) == ["sign_strategy"]
    assert "data:image/png;base64," in str(shown["sign_strategy"].value)


def challenge(settings: Settings, **config: Any) -> dg.ExecuteInProcessResult:
    return materialize(settings, VERSIONS, ops={"fit_challengers": config})


def metadata_of(result: dg.ExecuteInProcessResult, table: str) -> dict[str, Any]:
    [event] = [
        event.materialization
        for event in result.get_asset_materialization_events()
        if event.asset_key is not None and event.asset_key.path[-1] == table
    ]
    return {name: value.value for name, value in event.metadata.items()}


def promote(settings: Settings) -> dict[str, Any]:
    """Write into the ledger that SPY's challenger serves after its training; return its row."""
    warehouse = warehouse_of(settings)
    fitted = warehouse.read(CHALLENGERS)
    [row] = fitted[fitted["role"] == "challenger"].to_dict("records")
    day = row["trained_as_of"].date()
    write_reign(warehouse, "forecaster", "SPY", row["window"].date(), day, row)
    return row


def served(settings: Settings) -> pd.DataFrame:
    """Return the default model's forecasts of SPY in the last window."""
    rows = warehouse_of(settings).read(PREDICTIONS)
    is_own = (rows["ticker"] == "SPY") & (rows["model"] == "xgboost")
    return rows[is_own & (rows["window"] == WINDOWS[-1])].set_index("date").sort_index()


def test_challengers_are_appended_once_and_tried(tiny_copy: Path) -> None:
    settings = tiny_settings(tiny_copy)
    warehouse = warehouse_of(settings)
    first = challenge(settings, tickers=["SPY"], as_of=DAY)
    assert first.success
    assert all(evaluation.passed for evaluation in first.get_asset_check_evaluations())
    fitted, trials = warehouse.read(CHALLENGERS), warehouse.read(TRIALS)
    assert sorted(fitted["role"]) == ["challenger", "stand_in"]
    assert set(fitted["mlflow_run_id"].notna()) == {True}
    assert set(trials["role"]) == {"challenger", "stand_in", "fold"}
    assert (trials["date"] > trials["trained_as_of"]).all()
    assert metadata_of(first, "challengers")["skipped"] == {}
    assert metadata_of(first, "trials")["unreadable"] == {}
    second = challenge(settings, tickers=["SPY"], as_of=DAY)
    assert metadata_of(second, "challengers")["dagster/row_count"] == 0
    assert metadata_of(second, "trials")["dagster/row_count"] == 0
    pd.testing.assert_frame_equal(warehouse.read(CHALLENGERS), fitted)
    pd.testing.assert_frame_equal(warehouse.read(TRIALS), trials)


def test_no_request_and_no_challenger_give_no_rows(tiny_copy: Path) -> None:
    settings = tiny_settings(tiny_copy)
    assert challenge(settings).success
    for table in VERSION_TABLES:
        pd.testing.assert_frame_equal(warehouse_of(settings).read(table), table.empty())


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"tickers": ["SPY", "NOPE"]}, r"tickers names \['NOPE'\].*AAPL, SPY"),
        ({"tickers": ["SPY"], "as_of": "31.5.2022"}, r"as_of is '31.5.2022', expected a day"),
    ],
)
def test_request_of_a_person_that_means_nothing_is_refused(
    config: dict[str, Any], words: str, tiny_copy: Path
) -> None:
    result = challenge(tiny_settings(tiny_copy), **config)
    assert not result.success
    [failure] = [
        event for event in result.get_step_failure_events() if event.step_key == "fit_challengers"
    ]
    assert failure.step_failure_data.error is not None
    message = str(failure.step_failure_data.error.cause or failure.step_failure_data.error)
    assert pd.Series([message]).str.contains(words, regex=True).all()


def test_promoted_model_serves_the_later_sessions_and_only_them(tiny_copy: Path) -> None:
    settings = tiny_settings(tiny_copy)
    before = served(settings)
    challenge(settings, tickers=["SPY"], as_of=DAY)
    row = promote(settings)
    assert materialize(settings, ASSETS, CELL, CELL).success
    after = served(settings)
    pd.testing.assert_frame_equal(after[after.index <= DAY], before[before.index <= DAY])
    later = after[after.index > DAY]
    assert set(later["model_sha256"]) == {row["model_sha256"]}
    trials = warehouse_of(settings).read(TRIALS)
    tried = trials[trials["model_sha256"] == row["model_sha256"]].set_index("date")
    pd.testing.assert_series_equal(later["prediction"], tried["prediction"])
    evaluation = evaluate(settings, *LOADABLE)
    assert evaluation.passed
    assert found(evaluation) == {"reigns": 1, "failed_partitions": []}


@pytest.mark.parametrize("how", ["missing", "altered"])
def test_lost_champion_keeps_its_forecasts_and_the_check_names_it(
    how: str, tiny_copy: Path
) -> None:
    settings = tiny_settings(tiny_copy)
    challenge(settings, tickers=["SPY"], as_of=DAY)
    row = promote(settings)
    materialize(settings, ASSETS, CELL, CELL)
    before = warehouse_of(settings).read(PREDICTIONS)
    store = ModelStore(home_of(settings).models)
    if how == "missing":
        store.remove(row["model_name"].split("/"))
    else:
        (store.folder / row["model_name"] / PAYLOAD).write_bytes(b"another")
    assert materialize(settings, ASSETS, CELL, CELL).success
    pd.testing.assert_frame_equal(warehouse_of(settings).read(PREDICTIONS), before)
    evaluation = evaluate(settings, *LOADABLE)
    assert not evaluation.passed
    assert evaluation.severity == dg.AssetCheckSeverity.WARN
    [failed] = found(evaluation)["failed_partitions"]
    assert failed["ticker"] == "SPY"
    assert failed["window"] == WINDOWS[-1]
    assert failed["model"] == row["model_name"]
    words = {"missing": "is not in the model store", "altered": "carry this home's signature"}
    assert words[how] in failed["reason"]


def test_altered_model_of_a_window_is_made_anew_and_named(tiny_copy: Path) -> None:
    settings = tiny_settings(tiny_copy)
    before = warehouse_of(settings).read(PREDICTIONS)
    folds = warehouse_of(settings).read(FOLDS)
    is_own = (folds["ticker"] == "SPY") & (folds["model"] == "xgboost")
    [name] = folds.loc[is_own & (folds["window"] == WINDOWS[-1]), "model_name"]
    (home_of(settings).models / name / PAYLOAD).write_bytes(b"another")
    assert materialize(settings, ASSETS, CELL, CELL).success
    pd.testing.assert_frame_equal(warehouse_of(settings).read(PREDICTIONS), before)
    evaluation = evaluate(settings, *LOADABLE)
    assert not evaluation.passed
    [failed] = found(evaluation)["failed_partitions"]
    assert failed["model"] == name + MADE_ANEW
    assert "fitted anew" in failed["reason"]
