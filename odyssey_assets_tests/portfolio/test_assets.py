"""The portfolio assets: one window alone, models that are used again, pictures, skipped windows."""

from datetime import date
from pathlib import Path

import dagster as dg
import pandas as pd
import pytest

from odyssey_assets.core.made_anew import MADE_ANEW
from odyssey_assets.core.slices import Slice
from odyssey_assets.core.windows import parse_window
from odyssey_assets.infrastructure.home import home_of
from odyssey_assets.infrastructure.model_store import PAYLOAD, ModelStore
from odyssey_assets.portfolio.tables import POLICIES, SEED_PATHS, TABLES, TRAINING_CURVES, WEIGHTS
from odyssey_assets_tests.learned_market import MAIN_SEED, OTHER_SEED, TRAINED_WINDOWS
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

ASSETS = dg.AssetSelection.groups("portfolio").without_checks()
SIGNATURE = ("portfolio/policies", "policies_match_their_signature")
LOADABLE = ("portfolio/weights", "reigning_policies_are_loadable")
NEWEST = {"first": WINDOWS[-1], "last": WINDOWS[-1]}
RULES = {
    "equal_weight", "inverse_volatility", "momentum", "minimum_variance",
    "hierarchical_risk_parity", "forecast_top_k", "forecast_kelly", "buy_and_hold",
}  # fmt: skip


def pictures_of(result: dg.ExecuteInProcessResult, asset: str) -> dict[str, str]:
    """Return the start of every picture of an asset by its name and partition."""
    return {
        f"{name} {event.partition}": str(value.value).split("]")[0]
        for event in result.get_asset_materialization_events()
        if event.asset_key == dg.AssetKey(asset.split("/"))
        for name, value in event.materialization.metadata.items()
        if "data:image/png" in str(value.value)
    }


def test_newest_window_alone_reuses_its_models_and_equals_the_full_run(learned_copy: Path) -> None:
    settings = tiny_settings(learned_copy)
    warehouse, window = warehouse_of(settings), parse_window(WINDOWS[-1])
    before = {table: warehouse.read(table) for table in TABLES}
    models = {
        path: path.stat().st_mtime_ns
        for path in home_of(settings).models.rglob(PAYLOAD)
        if "policies" in path.parts
    }
    assert len(models) == 3
    for table, rows in before.items():
        warehouse.replace(table, table.empty(), (Slice(None, window.start, window.end),))
        assert 0 < len(warehouse.read(table)) < len(rows), table.qualified_name
    result = materialize(settings, ASSETS, window.key, window.key)
    assert result.success
    for table, rows in before.items():
        pd.testing.assert_frame_equal(warehouse.read(table), rows)
    assert {path: path.stat().st_mtime_ns for path in models} == models
    assert pictures_of(result, "portfolio/training_curves") == {
        f"training {window.key}": "![Reward and validation Sharpe ratio by training step"
    }
    shown = pictures_of(result, "portfolio/weights")
    assert shown[f"newest_portfolio {window.key}"] == "![Newest target weights of ppo"
    assert {name for name in shown if name.startswith("weights_")} == {
        f"weights_{policy} {window.key}" for policy in {*RULES, "ppo"}
    }


def test_trainings_leave_rows_curves_paths_logs_and_models(learned_home: TinyHome) -> None:
    settings = tiny_settings(learned_home.root)
    warehouse, home = warehouse_of(settings), home_of(settings)
    policies = warehouse.read(POLICIES)
    trained = policies[policies["status"] == "trained"]
    keys = list(zip(trained["window"].dt.strftime("%Y-%m-%d"), trained["seed"], strict=True))
    assert keys == [
        (TRAINED_WINDOWS[0], MAIN_SEED),
        (TRAINED_WINDOWS[1], MAIN_SEED),
        (TRAINED_WINDOWS[1], OTHER_SEED),
    ]
    curves = warehouse.read(TRAINING_CURVES)
    assert set(zip(curves["window"], curves["seed"], strict=True)) == set(
        zip(trained["window"], trained["seed"], strict=True)
    )
    assert set(warehouse.read(SEED_PATHS)["seed"]) == {MAIN_SEED, OTHER_SEED}
    logs = {path.parent for path in home.tensorboard.rglob("events.out.*")}
    assert len(logs) == len(trained)
    assert trained["mlflow_run_id"].nunique() == len(trained)


def test_learned_policy_holds_cash_before_its_first_model(learned_home: TinyHome) -> None:
    weights = warehouse_of(tiny_settings(learned_home.root)).read(WEIGHTS)
    own = weights[weights["policy"] == "ppo"]
    assert own["date"].min() >= pd.Timestamp(TRAINED_WINDOWS[0])
    first = weights[weights["policy"] == "equal_weight"]["date"].min()
    assert first < pd.Timestamp(WINDOWS[1])


def test_windows_without_forecasts_have_reasons_and_the_rules_hold_portfolios(
    tiny_home: TinyHome,
) -> None:
    warehouse = warehouse_of(tiny_settings(tiny_home.root))
    policies = warehouse.read(POLICIES)
    assert policies["window"].dt.strftime("%Y-%m-%d").tolist() == list(WINDOWS)
    assert (policies["status"] == "skipped").all()
    assert policies["reason"].str.startswith("no forecasts before").all()
    assert warehouse.read(TRAINING_CURVES).empty
    assert warehouse.read(SEED_PATHS).empty
    assert set(warehouse.read(WEIGHTS)["policy"]) == RULES


def test_window_without_a_training_shows_no_picture_of_it(tiny_copy: Path) -> None:
    result = materialize(tiny_settings(tiny_copy), ASSETS, WINDOWS[0], WINDOWS[0])
    assert result.success
    assert pictures_of(result, "portfolio/training_curves") == {}
    shown = pictures_of(result, "portfolio/weights")
    assert f"newest_portfolio {WINDOWS[0]}" not in shown
    assert f"weights_equal_weight {WINDOWS[0]}" in shown


def deciding_models(root: Path) -> dict[str, str]:
    """Return the name of the model that decides, by window."""
    policies = warehouse_of(tiny_settings(root)).read(POLICIES)
    own = policies[(policies["status"] == "trained") & policies["is_main_seed"]]
    return dict(zip(own["window"].dt.strftime("%Y-%m-%d"), own["model_name"], strict=True))


def alter(root: Path, name: str) -> None:
    (home_of(tiny_settings(root)).models / name / PAYLOAD).write_bytes(b"another")


def test_altered_policies_are_trained_anew_and_nothing_else_changes(learned_copy: Path) -> None:
    settings = tiny_settings(learned_copy)
    warehouse, before = warehouse_of(settings), deciding_models(learned_copy)
    tables = {table: warehouse.read(table) for table in (WEIGHTS, SEED_PATHS, TRAINING_CURVES)}
    for name in before.values():
        alter(learned_copy, name)
    assert materialize(settings, ASSETS, WINDOWS[0], WINDOWS[-1]).success
    for table, rows in tables.items():
        pd.testing.assert_frame_equal(warehouse.read(table), rows, check_exact=True)
    after = deciding_models(learned_copy)
    assert after == {window: name + MADE_ANEW for window, name in before.items()}
    assert evaluate(settings, *SIGNATURE, first=WINDOWS[0], last=WINDOWS[-1]).passed
    evaluation = evaluate(settings, *LOADABLE, **NEWEST)
    assert not evaluation.passed
    assert evaluation.severity == dg.AssetCheckSeverity.WARN
    failed = found(evaluation)["failed_partitions"]
    assert [(one["policy"], one["window"], one["model"]) for one in failed] == [
        ("ppo", window, name) for window, name in after.items()
    ]
    assert all("trained anew and serves" in one["reason"] for one in failed)


@pytest.mark.parametrize("how", ["missing", "altered"])
def test_lost_policy_of_an_older_window_changes_no_portfolio_and_the_check_names_it(
    how: str, learned_copy: Path
) -> None:
    settings = tiny_settings(learned_copy)
    warehouse, older = warehouse_of(settings), deciding_models(learned_copy)[TRAINED_WINDOWS[0]]
    before = {table: warehouse.read(table) for table in TABLES}
    if how == "missing":
        ModelStore(home_of(settings).models).remove(older.split("/"))
    else:
        alter(learned_copy, older)
    assert materialize(settings, ASSETS, WINDOWS[-1], WINDOWS[-1]).success
    for table, rows in before.items():
        pd.testing.assert_frame_equal(warehouse.read(table), rows, check_exact=True)
    [failed] = found(evaluate(settings, *LOADABLE, **NEWEST))["failed_partitions"]
    assert (failed["window"], failed["model"]) == (TRAINED_WINDOWS[0], older)
    words = {"missing": "is not in the model store", "altered": "carry this home's signature"}
    assert words[how] in failed["reason"]


def test_lost_champion_keeps_its_weights_and_the_check_names_it(learned_copy: Path) -> None:
    settings = tiny_settings(learned_copy)
    warehouse, newest = warehouse_of(settings), date.fromisoformat(WINDOWS[-1])
    own = deciding_models(learned_copy)
    store = ModelStore(home_of(settings).models)
    whole = store.load(own[TRAINED_WINDOWS[0]].split("/"))
    champion = store.save(("policies", "ppo", "champion"), whole.payload, whole.content, {})
    model = {"model_name": "policies/ppo/champion", "model_sha256": champion.model_sha256}
    unruled = warehouse.read(WEIGHTS)
    day = pd.Timestamp("2022-03-14")
    write_reign(warehouse, "policy", "ppo", newest, day.date(), model)
    assert materialize(settings, ASSETS, WINDOWS[-1], WINDOWS[-1]).success
    ruled = warehouse.read(WEIGHTS)
    is_its = (ruled["policy"] == "ppo") & (ruled["date"] > day)
    assert set(ruled.loc[is_its, "model_sha256"]) == {champion.model_sha256}
    pd.testing.assert_frame_equal(ruled[~is_its], unruled[~is_its], check_exact=True)
    evaluation = evaluate(settings, *LOADABLE, **NEWEST)
    assert evaluation.passed
    assert found(evaluation) == {"models": 3, "reigns": 1, "failed_partitions": []}
    alter(learned_copy, model["model_name"])
    assert materialize(settings, ASSETS, WINDOWS[-1], WINDOWS[-1]).success
    pd.testing.assert_frame_equal(warehouse.read(WEIGHTS), ruled, check_exact=True)
    [failed] = found(evaluate(settings, *LOADABLE, **NEWEST))["failed_partitions"]
    assert (failed["policy"], failed["window"]) == ("ppo", WINDOWS[-1])
    assert failed["model"] == model["model_name"]
