"""What MLflow ought to show of a ledger."""

from datetime import date, datetime
from typing import Any

import pandas as pd

from odyssey_assets.forecasting.tables import CHALLENGERS, FOLDS
from odyssey_assets.infrastructure.model_registry import WantedVersion
from odyssey_assets.monitoring.ledgers import PROMOTIONS
from odyssey_assets.monitoring.promotion.mirror import wanted_versions
from odyssey_assets.portfolio.tables import POLICIES, POLICY_CHALLENGERS
from odyssey_assets_tests.monitoring.promotion.courtroom import filled
from odyssey_assets_tests.monitoring.promotion.test_champions import ledger_of, row


def numbered(*rows: dict[str, Any]) -> pd.DataFrame:
    """Return a ledger whose models are numbered in the order of the rows."""
    models: dict[str, int] = {}
    for one in rows:
        one["model_version"] = models.setdefault(one["model_sha256"], len(models) + 1)
    return ledger_of(*rows)


def policy_row(minute: int, decision: str, model: str, after: date | None = None) -> dict[str, Any]:
    return row(minute, decision, model, after, subject="ppo", kind="policy")


def aliases(wanted: tuple[WantedVersion, ...]) -> dict[str, str]:
    return {str(one.alias): one.tags["sha256"] for one in wanted if one.alias is not None}


def test_every_model_of_the_ledger_is_a_version_in_order_of_its_number() -> None:
    ledger = numbered(
        row(1, "succeeded", "fold"),
        row(2, "pending", "new"),
        row(3, "promoted", "new", date(2024, 8, 1)),
        row(4, "rejected", "poor"),
        row(5, "unproven", "other", subject="QQQ"),
        row(6, "succeeded", "policy", subject="ppo", kind="policy"),
    )
    wanted = wanted_versions(ledger)
    assert [(one.registered_model, one.tags["sha256"]) for one in wanted] == [
        ("odyssey-QQQ", "other"), ("odyssey-SPY", "fold"), ("odyssey-SPY", "new"),
        ("odyssey-SPY", "poor"), ("odyssey-policy-ppo", "policy"),
    ]  # fmt: skip
    new = wanted[2]
    assert new.name_parts == ("xgboost", "SPY", "new")
    assert new.tags["decision"] == "promoted"
    assert new.tags["ledger_version"] == "2"
    assert new.alias == "champion"
    assert [one.alias for one in wanted] == [None, None, "champion", None, "champion"]


def test_champion_follows_promotions_rollbacks_and_new_windows() -> None:
    rows = [
        row(1, "succeeded", "fold"),
        row(2, "promoted", "new", date(2024, 8, 1)),
        row(3, "rolled_back", "fold", date(2024, 9, 3)),
        row(4, "pending", "waits"),
        row(5, "succeeded", "next", window=date(2025, 1, 1)),
        row(6, "unproven", "after", window=date(2025, 7, 1)),
    ]
    found = [aliases(wanted_versions(numbered(*rows[:count]))) for count in range(1, 7)]
    assert [one.get("champion") for one in found] == [
        "fold", "new", "fold", "fold", "next", None,
    ]  # fmt: skip
    assert found[3]["challenger"] == "waits"


def test_newest_of_several_that_wait_is_the_challenger() -> None:
    rows = [row(1, "pending", "early"), row(2, "pending", "late"), row(3, "rejected", "late")]
    assert aliases(wanted_versions(numbered(*rows[:2]))) == {"challenger": "late"}
    assert aliases(wanted_versions(numbered(*rows))) == {"challenger": "early"}


def test_training_date_and_run_come_from_the_tables_of_models() -> None:
    ledger = numbered(row(1, "succeeded", "fold"), row(2, "rejected", "new"))
    folds = filled(
        FOLDS,
        [
            {
                "ticker": "SPY",
                "model_sha256": "fold",
                "mlflow_run_id": "run-1",
                "valid_end": datetime(2024, 6, 14),
            }
        ],
    )
    challengers = filled(
        CHALLENGERS, [{"model_sha256": "new", "trained_as_of": datetime(2024, 8, 30)}]
    )
    fold, new = wanted_versions(ledger, (folds, challengers))
    assert (fold.run_id, fold.tags["valid_end"]) == ("run-1", "2024-06-14")
    assert (new.run_id, new.tags["trained_as_of"]) == (None, "2024-08-30")
    assert all(isinstance(value, str) for one in (fold, new) for value in one.tags.values())


def test_policy_that_waits_is_the_challenger_and_champion_once_it_has_earned_its_place() -> None:
    rows = [
        policy_row(1, "unproven", "own"),
        policy_row(2, "pending", "new"),
        policy_row(3, "promoted", "new", date(2024, 8, 1)),
        policy_row(4, "rolled_back", "own", date(2024, 9, 3)),
    ]
    rows[3]["is_champion"] = False
    ledgers = [numbered(*rows[:count]) for count in range(1, 5)]
    assert [aliases(wanted_versions(one)) for one in ledgers] == [
        {}, {"challenger": "new"}, {"champion": "new"}, {},
    ]  # fmt: skip
    rows[2]["is_champion"] = False
    assert aliases(wanted_versions(numbered(*rows[:3]))) == {}
    names = {one.registered_model for one in wanted_versions(ledgers[-1])}
    assert names == {"odyssey-policy-ppo"}


def test_details_of_policies_come_from_both_tables_of_trainings() -> None:
    ledger = numbered(policy_row(1, "unproven", "own"), policy_row(2, "pending", "new"))
    own = {"model_sha256": "own", "valid_end": datetime(2024, 6, 28), "mlflow_run_id": "run-1"}
    new = {"model_sha256": "new", "trained_as_of": datetime(2024, 8, 30), "mlflow_run_id": "run-2"}
    policies = filled(POLICIES, [{**own, "status": "trained"}])
    wanted = wanted_versions(ledger, (policies, filled(POLICY_CHALLENGERS, [new])))
    assert [one.run_id for one in wanted] == ["run-1", "run-2"]
    assert wanted[0].tags["valid_end"] == "2024-06-28"
    assert wanted[1].tags["trained_as_of"] == "2024-08-30"


def test_empty_ledger_wants_nothing() -> None:
    assert wanted_versions(PROMOTIONS.empty()) == ()
