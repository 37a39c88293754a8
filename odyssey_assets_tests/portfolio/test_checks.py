"""The checks of policies and weights against planted errors: altered, swapped, missing models."""

import shutil
from pathlib import Path

import dagster as dg
import pandas as pd

from odyssey_assets.core.slices import WHOLE_TABLE
from odyssey_assets.infrastructure.home import home_of
from odyssey_assets.infrastructure.model_store import PAYLOAD
from odyssey_assets.portfolio.checks import absences
from odyssey_assets.portfolio.tables import POLICIES, WEIGHTS
from odyssey_assets.settings import Settings
from odyssey_assets_tests.learned_market import MAIN_SEED, TRAINED_WINDOWS
from odyssey_assets_tests.tiny_market import (
    WINDOWS,
    TinyHome,
    evaluate,
    found,
    materialize,
    tiny_settings,
    warehouse_of,
)

SIGNATURE = ("portfolio/policies", "policies_match_their_signature")
PRESENCE = ("portfolio/weights", "every_policy_competes")
LOADABLE = ("portfolio/weights", "reigning_policies_are_loadable")
ALL = {"first": WINDOWS[0], "last": WINDOWS[-1]}
OLDER, NEWEST = TRAINED_WINDOWS


def payload_of(settings: Settings, window: str, seed: int = MAIN_SEED) -> Path:
    """Return the file of the model that decides in a window."""
    folder = home_of(settings).models / "policies" / "ppo" / window / f"seed-{seed}"
    (path,) = folder.rglob(PAYLOAD)
    return path


def rows_of(policies: pd.DataFrame, window: str, seed: int = MAIN_SEED) -> pd.Series:
    return (policies["window"] == window) & (policies["seed"] == seed)


def test_policies_as_they_were_signed_pass(learned_home: TinyHome) -> None:
    evaluation = evaluate(tiny_settings(learned_home.root), *SIGNATURE, **ALL)
    assert evaluation.passed
    assert found(evaluation) == {"models": 3, "failed_partitions": []}


def test_policies_that_were_all_skipped_pass(tiny_home: TinyHome) -> None:
    evaluation = evaluate(tiny_settings(tiny_home.root), *SIGNATURE, **ALL)
    assert evaluation.passed
    assert found(evaluation) == {"models": 0, "failed_partitions": []}


def test_altered_policy_fails_and_names_its_window_and_seed(learned_copy: Path) -> None:
    settings = tiny_settings(learned_copy)
    payload = payload_of(settings, OLDER)
    payload.write_bytes(payload.read_bytes()[:-1] + b"\0")
    evaluation = evaluate(settings, *SIGNATURE, **ALL)
    assert not evaluation.passed
    assert evaluation.severity == dg.AssetCheckSeverity.ERROR
    (failed,) = found(evaluation)["failed_partitions"]
    assert (failed["window"], failed["seed"]) == (OLDER, MAIN_SEED)
    assert "does not carry this home's signature" in failed["value"]


def test_policy_in_another_window_does_not_concern_a_run(learned_copy: Path) -> None:
    settings = tiny_settings(learned_copy)
    payload_of(settings, OLDER).write_bytes(b"another")
    assert evaluate(settings, *SIGNATURE, first=NEWEST, last=NEWEST).passed
    assert not evaluate(settings, *SIGNATURE, first=OLDER, last=OLDER).passed


def test_rightly_signed_policy_that_is_not_the_rows_fails(learned_copy: Path) -> None:
    settings = tiny_settings(learned_copy)
    warehouse = warehouse_of(settings)
    policies = warehouse.read(POLICIES)
    older = policies[rows_of(policies, OLDER)].iloc[0]
    policies.loc[rows_of(policies, NEWEST), "model_name"] = older["model_name"]
    warehouse.replace(POLICIES, policies, (WHOLE_TABLE,))
    (failed,) = found(evaluate(settings, *SIGNATURE, **ALL))["failed_partitions"]
    assert (failed["window"], failed["seed"]) == (NEWEST, MAIN_SEED)
    assert f"has SHA-256 {older['model_sha256']}" in failed["value"]


def test_missing_policy_fails_and_says_what_to_do(learned_copy: Path) -> None:
    settings = tiny_settings(learned_copy)
    shutil.rmtree(payload_of(settings, NEWEST).parent)
    (failed,) = found(evaluate(settings, *SIGNATURE, **ALL))["failed_partitions"]
    assert "is not stored. Train the window again." in failed["value"]


def test_altered_policy_keeps_portfolios_from_being_held(learned_copy: Path) -> None:
    settings = tiny_settings(learned_copy)
    warehouse = warehouse_of(settings)
    before = warehouse.read(WEIGHTS)
    payload_of(settings, NEWEST).write_bytes(b"another")
    check = dg.AssetCheckKey(dg.AssetKey(list(POLICIES.key)), SIGNATURE[1])
    selection = (
        dg.AssetSelection.checks(check)
        | (
            dg.AssetSelection.assets(list(WEIGHTS.key)).required_multi_asset_neighbors()
        ).without_checks()
    )
    result = materialize(settings, selection, NEWEST, NEWEST)
    assert not result.success
    started = [event.step_key for event in result.all_events if event.is_step_start]
    assert started == [f"portfolio__policies_{SIGNATURE[1]}"]
    pd.testing.assert_frame_equal(warehouse.read(WEIGHTS), before)


def test_policies_that_are_where_they_belong_are_loadable(learned_home: TinyHome) -> None:
    evaluation = evaluate(tiny_settings(learned_home.root), *LOADABLE, **ALL)
    assert evaluation.passed
    assert found(evaluation) == {"models": 3, "reigns": 0, "failed_partitions": []}


def test_lost_policies_of_windows_up_to_the_run_are_warned_of(learned_copy: Path) -> None:
    settings = tiny_settings(learned_copy)
    for window in TRAINED_WINDOWS:
        payload_of(settings, window).write_bytes(b"another")

    def warned(window: str) -> list[str]:
        evaluation = evaluate(settings, *LOADABLE, first=window, last=window)
        assert evaluation.severity == dg.AssetCheckSeverity.WARN
        return [one["window"] for one in found(evaluation)["failed_partitions"]]

    assert warned(WINDOWS[0]) == []
    assert warned(OLDER) == [OLDER]
    assert warned(NEWEST) == [OLDER, NEWEST]


def test_competition_of_all_policies_passes(learned_home: TinyHome) -> None:
    evaluation = evaluate(tiny_settings(learned_home.root), *PRESENCE, **ALL)
    assert evaluation.passed
    assert found(evaluation) == {"window": NEWEST, "expected": 9, "absent": {}}


def test_learned_policy_that_was_not_trained_is_named_with_the_reason(tiny_home: TinyHome) -> None:
    settings = tiny_settings(tiny_home.root)
    evaluation = evaluate(settings, *PRESENCE, **ALL)
    policies = warehouse_of(settings).read(POLICIES)
    assert not evaluation.passed
    assert evaluation.severity == dg.AssetCheckSeverity.WARN
    assert found(evaluation)["absent"] == {"ppo": policies["reason"].iloc[-1]}


def test_rules_that_could_not_decide_yet_are_named(tiny_home: TinyHome) -> None:
    evaluation = evaluate(
        tiny_settings(tiny_home.root), *PRESENCE, first=WINDOWS[0], last=WINDOWS[0]
    )
    assert found(evaluation)["window"] == WINDOWS[0]
    absent = found(evaluation)["absent"]
    assert set(absent) == {"ppo", "momentum", "forecast_top_k", "forecast_kelly"}
    assert absent.pop("ppo").startswith("no forecasts before")
    assert all("could not decide yet" in reason for reason in absent.values())


def test_policy_that_needs_the_proxy_says_so_where_it_is_no_ticker(tmp_path: Path) -> None:
    settings = tiny_settings(tmp_path, tickers=("AAPL",))
    present = {name for name in settings.portfolio.policies if name != "buy_and_hold"}
    assert absences(settings, present, POLICIES.empty()) == {
        "buy_and_hold": "it buys the proxy SPY, which is not among the tickers"
    }
    assert absences(settings, {*present, "buy_and_hold"}, POLICIES.empty()) == {}
