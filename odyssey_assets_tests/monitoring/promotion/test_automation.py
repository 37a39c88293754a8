"""The jobs `promote` and `rollback` as the UI starts them."""

import getpass
import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path

import dagster as dg
import pytest

from odyssey_assets.monitoring.promotion.automation import PROMOTE_OP, ROLLBACK_OP
from odyssey_assets_tests.monitoring.promotion.courthouse import Courthouse, courthouse
from odyssey_assets_tests.monitoring.promotion.courtroom import (
    HORIZON,
    TICKER,
    Courtroom,
    name_of,
    settings_of,
    sha_of,
)
from odyssey_assets_tests.monitoring.promotion.policy_bench import (
    LEAD,
    OWN,
    POLICY,
    PolicyBench,
    policy_content,
    policy_name,
    policy_sha,
)

TODAY = date(2024, 10, 31)


@pytest.fixture
def house(tmp_path: Path, empty_registry: Path) -> Courthouse:
    """Return a home in which a challenger waits for a person."""
    court = Courtroom(today=TODAY)
    court.serve("fold", 0.0)
    unseen = court.session_before(TODAY, 20 + HORIZON)
    court.challenge("new", 0.9, as_of=TODAY, stand_in_as_of=unseen)
    settings = courthouse(court, tmp_path / "judging", mode="manual").settings
    court.judge(settings)
    built = courthouse(court, tmp_path, empty_registry, mode="manual")
    built.store_models("fold", "new")
    return built


def failure_of(result: dg.ExecuteInProcessResult) -> str:
    (event,) = (one for one in result.all_events if one.is_step_failure)
    error = event.step_failure_data.error
    assert error is not None
    assert error.cause is not None
    return error.cause.message


def test_person_promotes_what_waits_and_rolls_back(house: Courthouse) -> None:
    assert house.run("promote", **{PROMOTE_OP: {"subject": TICKER, "actor": "ada"}}).success
    row = house.ledger.iloc[-1]
    assert (row["decision"], row["actor"], row["model_sha256"]) == (
        "promoted", "ada", sha_of("new"),
    )  # fmt: skip
    assert house.aliases(f"odyssey-{TICKER}") == {"champion": name_of("new")}
    assert house.run("rollback", **{ROLLBACK_OP: {"subject": TICKER}}).success
    row = house.ledger.iloc[-1]
    assert (row["decision"], row["actor"]) == ("rolled_back", getpass.getuser())
    assert house.aliases(f"odyssey-{TICKER}") == {"champion": name_of("fold")}


def test_promoting_twice_fails_the_second_run_and_writes_one_row(house: Courthouse) -> None:
    wish = {PROMOTE_OP: {"subject": TICKER, "to": 2}}
    assert house.run("promote", **wish).success
    before = house.ledger
    result = house.run("promote", **wish)
    assert not result.success
    assert "Version 2 of AAPL serves already" in failure_of(result)
    assert house.ledger.equals(before)


def test_altered_model_fails_the_run_and_whoever_serves_stays(house: Courthouse) -> None:
    folder = house.home.models.joinpath(*name_of("new").split("/"))
    (folder / "model.bin").write_bytes(b"altered")
    before = house.ledger
    result = house.run("promote", **{PROMOTE_OP: {"subject": TICKER}})
    assert not result.success
    assert "does not carry this home's signature" in failure_of(result)
    assert house.ledger.equals(before)


def test_locked_registry_does_not_hold_back_a_decision(house: Courthouse) -> None:
    with closing(sqlite3.connect(house.home.mlflow / "mlflow.db")) as other:
        other.execute("begin exclusive")
        assert house.run("promote", **{PROMOTE_OP: {"subject": TICKER}}).success
    assert house.ledger.iloc[-1]["decision"] == "promoted"


def test_person_promotes_a_policy_and_rolls_it_back(tmp_path: Path, empty_registry: Path) -> None:
    court = Courtroom(today=TODAY)
    bench = PolicyBench(court)
    bench.plant(0.0)
    bench.serve()
    bench.challenge("new", LEAD, as_of=TODAY)
    court.judge(settings_of(tmp_path / "judging", mode="manual"))
    house = courthouse(court, tmp_path, empty_registry, mode="manual")
    for name in (OWN, "new"):
        house.store.save(policy_name(name).split("/"), name.encode(), policy_content(name), {})
    assert house.run("promote", **{PROMOTE_OP: {"subject": POLICY, "actor": "ada"}}).success
    row = house.ledger.iloc[-1]
    assert (row["kind"], row["decision"], row["actor"]) == ("policy", "promoted", "ada")
    registered = f"odyssey-policy-{POLICY}"
    assert house.aliases(registered) == {"champion": policy_name("new")}
    assert house.run("rollback", **{ROLLBACK_OP: {"subject": POLICY}}).success
    assert house.ledger.iloc[-1]["model_sha256"] == policy_sha(OWN)
    assert house.aliases(registered) == {"champion": policy_name(OWN)}
