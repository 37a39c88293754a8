"""The check on the registry tells when MLflow and the ledger differ."""

from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from mlflow import MlflowClient

from odyssey_assets.monitoring.promotion.checks import promotion_checks
from odyssey_assets_tests.monitoring.promotion.courthouse import (
    JUDGE,
    Courthouse,
    courthouse,
)
from odyssey_assets_tests.monitoring.promotion.courtroom import HORIZON, TICKER, Courtroom
from odyssey_assets_tests.monitoring.promotion.policy_bench import LEAD, POLICY, PolicyBench

TODAY = date(2024, 10, 31)
NAME = "registry_follows_the_ledger"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, empty_registry: Path) -> Courthouse:
    """Return a home with a judged ledger and its mirror."""
    court = Courtroom(today=TODAY)
    court.serve("fold", 0.0)
    unseen = court.session_before(TODAY, 20 + HORIZON)
    court.challenge("new", 0.9, as_of=TODAY, stand_in_as_of=unseen)
    bench = PolicyBench(court)
    bench.plant(0.0)
    bench.serve()
    bench.challenge("new", LEAD, as_of=TODAY)
    house = courthouse(court, tmp_path_factory.mktemp("checks"), empty_registry)
    assert house.run(JUDGE).success
    return house


def evaluated(house: Courthouse) -> tuple[bool, dict[str, Any]]:
    """Evaluate the check alone."""
    checks = [one for one in promotion_checks() if NAME in str(one.check_keys)]
    result = dg.materialize(
        checks,
        resources={"settings": house.settings, "warehouse": house.warehouse},
        instance=dg.DagsterInstance.ephemeral(),
        selection=dg.AssetSelection.all_asset_checks(),
        run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
    )
    (evaluation,) = result.get_asset_check_evaluations()
    assert evaluation.severity is dg.AssetCheckSeverity.WARN
    return evaluation.passed, {name: one.value for name, one in evaluation.metadata.items()}


def test_check_passes_while_both_agree_and_names_what_differs(house: Courthouse) -> None:
    passed, metadata = evaluated(house)
    assert passed
    assert metadata == {"versions": 4, "problems": []}
    uri = f"sqlite:///{house.home.mlflow / 'mlflow.db'}"
    client = MlflowClient(tracking_uri=uri, registry_uri=uri)
    client.set_registered_model_alias(f"odyssey-{TICKER}", "champion", "1")
    passed, metadata = evaluated(house)
    assert not passed
    (problem,) = metadata["problems"]
    assert "expected {'champion': '2'}" in problem
    client.delete_registered_model_alias(f"odyssey-policy-{POLICY}", "challenger")
    _, metadata = evaluated(house)
    (other,) = set(metadata["problems"]) - {problem}
    assert "expected {'challenger': '2'}" in other
    (house.home.mlflow / "mlflow.db").unlink()
    passed, metadata = evaluated(house)
    assert not passed
    assert "does not exist" in metadata["problems"][0]
