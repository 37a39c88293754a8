"""Policy challengers and trials as assets: what a request means, and that a promotion keeps it."""

from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pytest

from odyssey_assets.infrastructure.home import home_of
from odyssey_assets.infrastructure.model_store import PAYLOAD
from odyssey_assets.portfolio.tables import (
    POLICIES,
    POLICY_CHALLENGERS,
    POLICY_TRIALS,
    SEED_PATHS,
    VERSION_TABLES,
)
from odyssey_assets.settings import Settings
from odyssey_assets_tests.learned_market import MAIN_SEED
from odyssey_assets_tests.tiny_market import (
    WINDOWS,
    TinyHome,
    materialize,
    tiny_settings,
    warehouse_of,
)
from odyssey_assets_tests.written_reigns import write_reign

VERSIONS = dg.AssetSelection.assets(*(table.key for table in VERSION_TABLES))
WITH_CHECKS = VERSIONS | dg.AssetSelection.checks_for_assets(
    *(dg.AssetKey(list(table.key)) for table in VERSION_TABLES)
)
PORTFOLIOS = dg.AssetSelection.assets("portfolio/weights", "portfolio/seed_paths").without_checks()
DAY = "2022-04-29"
OP = "train_policy_challengers"


def challenge(settings: Settings, **config: Any) -> dg.ExecuteInProcessResult:
    return materialize(settings, WITH_CHECKS, ops={OP: config})


def metadata_of(result: dg.ExecuteInProcessResult, table: str) -> dict[str, Any]:
    [event] = [
        event.materialization
        for event in result.get_asset_materialization_events()
        if event.asset_key is not None and event.asset_key.path[-1] == table
    ]
    return {name: value.value for name, value in event.metadata.items()}


def payloads(settings: Settings) -> dict[Path, int]:
    """Return when each stored policy was written."""
    folder = home_of(settings).models / "policies"
    return {path: path.stat().st_mtime_ns for path in folder.rglob(PAYLOAD)}


def error_of(result: dg.ExecuteInProcessResult, step: str) -> str:
    [failure] = [one for one in result.get_step_failure_events() if one.step_key == step]
    error = failure.step_failure_data.error
    assert error is not None
    return str(error.cause or error)


def test_challenger_and_stand_in_are_appended_once_tracked_and_tried(learned_copy: Path) -> None:
    settings = tiny_settings(learned_copy)
    warehouse, own = warehouse_of(settings), payloads(settings)
    first = challenge(settings, policies=["ppo"], as_of=DAY)
    assert first.success
    evaluations = first.get_asset_check_evaluations()
    assert len(evaluations) == len(VERSION_TABLES)
    assert all(evaluation.passed for evaluation in evaluations)
    trained, trials = warehouse.read(POLICY_CHALLENGERS), warehouse.read(POLICY_TRIALS)
    assert sorted(trained["role"]) == ["challenger", "stand_in"]
    assert set(trained["requested_as_of"]) == {pd.Timestamp(DAY)}
    assert trained["mlflow_run_id"].notna().all()
    assert set(trials["role"]) == {"challenger", "stand_in", "serving"}
    assert (trials["date"] > trials["serves_after"]).all()
    told = metadata_of(first, "policy_challengers")
    assert (told["skipped"], told["without_stand_in"]) == (None, None)
    assert metadata_of(first, "policy_trials")["unreadable"] == {}
    logs = {path.parent.name for path in home_of(settings).tensorboard.rglob("events.out.*")}
    assert f"seed-{MAIN_SEED}-as-of-{DAY}" in logs
    made = payloads(settings)
    assert len(made) == len(own) + 2
    second = challenge(settings, policies=["ppo", "ppo"], as_of=DAY)
    assert second.success
    assert payloads(settings) == made
    assert metadata_of(second, "policy_challengers")["dagster/row_count"] == 0
    pd.testing.assert_frame_equal(warehouse.read(POLICY_CHALLENGERS), trained)
    pd.testing.assert_frame_equal(warehouse.read(POLICY_TRIALS), trials)


def test_portfolio_of_a_promoted_challenger_earns_what_its_trial_said(learned_copy: Path) -> None:
    settings = tiny_settings(learned_copy)
    warehouse = warehouse_of(settings)
    shadow = settings.model_copy(
        update={"promotion": settings.promotion.model_copy(update={"mode": "shadow"})}
    )
    assert challenge(shadow, policies=["ppo"], as_of=DAY).success
    [row] = warehouse.read(POLICY_CHALLENGERS).to_dict("records")
    assert row["role"] == "challenger"
    tried = warehouse.read(POLICY_TRIALS)
    before = served(settings)
    day = date.fromisoformat(DAY)
    write_reign(warehouse, "policy", "ppo", row["window"].date(), day, row)
    assert materialize(settings, PORTFOLIOS, WINDOWS[-1], WINDOWS[-1]).success
    after = served(settings)
    earned = tried[tried["role"] == "challenger"].set_index("date")
    expected = after.loc[earned.index]
    assert expected["equity"].tolist() == earned["equity"].tolist()
    assert expected["return"].tolist() == earned["return"].tolist()
    known = before.index < earned.index[0]
    pd.testing.assert_frame_equal(after[known], before[known], check_exact=True)
    assert challenge(shadow).success
    anew = warehouse.read(POLICY_TRIALS)
    serving = anew[anew["role"] == "serving"].set_index("date").sort_index()
    assert serving["equity"].tolist() == after.loc[serving.index, "equity"].tolist()
    lost = anew[anew["role"] == "predecessor"].set_index("date")
    assert lost["equity"].tolist() == before.loc[lost.index, "equity"].tolist()


def served(settings: Settings) -> pd.DataFrame:
    """Return the path of the policy's own portfolio by session."""
    rows = warehouse_of(settings).read(SEED_PATHS)
    own = rows[(rows["policy"] == "ppo") & (rows["seed"] == MAIN_SEED)]
    return own.set_index("date").sort_index()


@pytest.mark.parametrize("config", [{}, {"policies": []}, {"policies": [], "as_of": DAY}])
def test_no_request_trains_nothing_and_gives_no_rows(
    config: dict[str, Any], learned_home: TinyHome, tmp_path: Path
) -> None:
    settings = tiny_settings(learned_home.copy(tmp_path))
    before = payloads(settings)
    assert challenge(settings, **config).success
    assert payloads(settings) == before
    for table in VERSION_TABLES:
        pd.testing.assert_frame_equal(warehouse_of(settings).read(table), table.empty())


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (
            {"policies": ["ppo", "sac"]},
            "policies names ['sac']; expected some",
        ),
        ({"policies": ["equal_weight"]}, "of the settings: ppo."),
        ({"policies": ["ppo"], "as_of": "29.4.2022"}, "as_of is '29.4.2022', expected a day"),
    ],
)
def test_request_of_a_person_that_means_nothing_is_refused(
    config: dict[str, Any], words: str, learned_home: TinyHome, tmp_path: Path
) -> None:
    settings = tiny_settings(learned_home.copy(tmp_path))
    result = challenge(settings, **config)
    assert not result.success
    assert words in error_of(result, OP)
    assert warehouse_of(settings).read(POLICY_CHALLENGERS).empty


def test_policy_that_does_not_compete_here_is_refused(tiny_copy: Path) -> None:
    settings = tiny_settings(tiny_copy, portfolio={"policies": ("equal_weight",)})
    result = challenge(settings, policies=["ppo"])
    assert "of the settings: there are none." in error_of(result, OP)


def test_request_that_comes_too_early_says_why(tiny_copy: Path) -> None:
    settings = tiny_settings(tiny_copy)
    result = challenge(settings, policies=["ppo"])
    assert result.success
    told = metadata_of(result, "policy_challengers")
    assert told["skipped"].startswith("no forecasts before")
    assert told["without_stand_in"] == "there is no challenger"
    assert warehouse_of(settings).read(POLICY_CHALLENGERS).empty
    assert (warehouse_of(settings).read(POLICIES)["status"] == "skipped").all()


def test_version_that_is_lost_is_named_and_its_trial_left_out(learned_copy: Path) -> None:
    settings = tiny_settings(learned_copy)
    warehouse = warehouse_of(settings)
    assert challenge(settings, policies=["ppo"], as_of=DAY).success
    trained = warehouse.read(POLICY_CHALLENGERS).set_index("role")
    name = trained.loc["challenger", "model_name"]
    (home_of(settings).models / name / PAYLOAD).write_bytes(b"another")
    result = challenge(settings)
    assert result.success
    assert list(metadata_of(result, "policy_trials")["unreadable"]) == [name]
    assert set(warehouse.read(POLICY_TRIALS)["role"]) == {"stand_in", "serving"}
