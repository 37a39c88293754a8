"""The ledger as an asset: stored, mirrored in MLflow, and unharmed by MLflow's troubles."""

import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pytest

from odyssey_assets.monitoring.ledgers import RETRAINING_EVENTS
from odyssey_assets_tests.monitoring.promotion.courthouse import (
    JUDGE,
    Courthouse,
    courthouse,
)
from odyssey_assets_tests.monitoring.promotion.courtroom import (
    HORIZON,
    TICKER,
    WINDOW,
    Courtroom,
    filled,
    name_of,
    sha_of,
)
from odyssey_assets_tests.monitoring.promotion.policy_bench import (
    LEAD,
    POLICY,
    PolicyBench,
    policy_name,
    policy_sha,
)

TODAY = date(2024, 10, 31)
REGISTERED = f"odyssey-{TICKER}"


def tried_court() -> Courtroom:
    """Return a window with a challenger whose stand-in did better."""
    court = Courtroom(today=TODAY)
    court.serve("fold", 0.0)
    court.challenge(
        "new", 0.9, as_of=TODAY, stand_in_as_of=court.session_before(TODAY, 20 + HORIZON)
    )
    return court


@pytest.fixture
def house(tmp_path: Path, empty_registry: Path) -> Courthouse:
    """Return the home of that window."""
    return courthouse(tried_court(), tmp_path, empty_registry)


def metadata_of(result: dg.ExecuteInProcessResult) -> dict[str, Any]:
    (event,) = result.get_asset_materialization_events()
    return {name: value.value for name, value in event.materialization.metadata.items()}


def check_of(result: dg.ExecuteInProcessResult, name: str) -> dg.AssetCheckEvaluation:
    (found,) = (one for one in result.get_asset_check_evaluations() if one.check_name == name)
    return found


def test_judgement_is_stored_mirrored_and_said_in_words(house: Courthouse) -> None:
    event = {
        "event_id": "event-1", "state": "requested", "ticker": TICKER, "window": WINDOW.start,
        "as_of": TODAY, "cause": "drift", "batch": "batch-1",
    }  # fmt: skip
    other = {**event, "event_id": "event-2", "batch": "batch-0"}
    house.warehouse.append(RETRAINING_EVENTS, filled(RETRAINING_EVENTS, [event, other]))
    result = house.run(JUDGE, judge={"batch": "batch-1", "cause": "drift"})
    assert result.success
    promoted = house.ledger.iloc[-1]
    assert (promoted["decision"], promoted["model_sha256"]) == ("promoted", sha_of("new"))
    assert (promoted["event_id"], promoted["cause"]) == ("event-1", "drift")
    assert house.aliases(REGISTERED) == {"champion": name_of("new")}
    metadata = metadata_of(result)
    assert metadata["dagster/row_count"] == 2
    assert metadata["registry_problems"] == []
    assert f"| {TICKER} | promoted | 2 | 2024-10-31 | 20 | gate | drift |" in metadata["decisions"]
    assert check_of(result, "registry_follows_the_ledger").passed


@pytest.mark.parametrize(
    ("mode", "decision", "alias"),
    [("automatic", "promoted", "champion"), ("manual", "pending", "challenger")],
)
def test_policy_is_judged_beside_the_tickers_and_mirrored_by_its_own_name(
    mode: str, decision: str, alias: str, tmp_path: Path, empty_registry: Path
) -> None:
    court = tried_court()
    bench = PolicyBench(court)
    bench.plant(0.0)
    bench.serve()
    bench.challenge("new", LEAD, as_of=TODAY, stand_in_as_of=court.session_before(TODAY, 61))
    house = courthouse(court, tmp_path, empty_registry, mode=mode)
    event = {
        "event_id": "event-1", "state": "requested", "ticker": POLICY, "window": WINDOW.start,
        "as_of": TODAY, "cause": "decay", "batch": "batch-1",
    }  # fmt: skip
    house.warehouse.append(RETRAINING_EVENTS, filled(RETRAINING_EVENTS, [event]))
    result = house.run(JUDGE, judge={"batch": "batch-1", "cause": "decay"})
    assert result.success
    row = house.ledger.iloc[-1]
    assert (row["kind"], row["decision"]) == ("policy", decision)
    assert (row["model_sha256"], row["event_id"]) == (policy_sha("new"), "event-1")
    assert pd.isna(house.ledger.iloc[1]["event_id"])
    assert house.aliases(f"odyssey-policy-{POLICY}") == {alias: policy_name("new")}
    assert house.aliases(REGISTERED) == {alias: name_of("new")}
    assert metadata_of(result)["dagster/row_count"] == 4
    assert f"| {POLICY} | {decision} | 2 | " in metadata_of(result)["decisions"]
    assert check_of(result, "registry_follows_the_ledger").passed
    assert house.run(JUDGE).success
    assert len(house.ledger) == 4


def test_second_judgement_adds_nothing_and_mends_the_registry(house: Courthouse) -> None:
    assert house.run(JUDGE).success
    before = house.ledger
    (house.home.mlflow / "mlflow.db").unlink()
    result = house.run(JUDGE)
    assert result.success
    assert house.ledger.equals(before)
    assert "Nothing was decided" in metadata_of(result)["decisions"]
    assert house.aliases(REGISTERED) == {"champion": name_of("new")}


def test_locked_registry_warns_and_the_decision_stands(house: Courthouse) -> None:
    with closing(sqlite3.connect(house.home.mlflow / "mlflow.db")) as other:
        other.execute("begin exclusive")
        result = house.run(JUDGE)
    assert result.success
    assert list(house.ledger["decision"]) == ["unproven", "promoted"]
    assert "locked" in metadata_of(result)["registry_problems"][0]
    check = check_of(result, "registry_follows_the_ledger")
    assert not check.passed
    assert check.severity is dg.AssetCheckSeverity.WARN
    assert house.run(JUDGE).success
    assert house.aliases(REGISTERED) == {"champion": name_of("new")}


def test_challenger_that_waits_has_its_alias_and_the_unproven_fold_none(
    tmp_path: Path, empty_registry: Path
) -> None:
    house = courthouse(tried_court(), tmp_path, empty_registry, mode="manual")
    assert house.run(JUDGE).success
    assert list(house.ledger["decision"]) == ["unproven", "pending"]
    assert house.aliases(REGISTERED) == {"challenger": name_of("new")}


def test_empty_home_has_nothing_to_judge(tmp_path: Path, empty_registry: Path) -> None:
    house = courthouse(Courtroom(today=date(2023, 6, 30)), tmp_path, empty_registry)
    result = house.run(JUDGE)
    assert result.success
    assert house.ledger.empty


def test_unknown_cause_is_refused_before_anything_is_read(house: Courthouse) -> None:
    with pytest.raises(dg.DagsterInvalidConfigError):
        house.run(JUDGE, judge={"cause": "boredom"})
    assert house.ledger.empty
