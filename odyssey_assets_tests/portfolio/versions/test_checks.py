"""The contracts of policy challengers and trials against planted errors."""

from pathlib import Path

import pytest

from odyssey_assets.contracts import TableContract
from odyssey_assets.infrastructure.contract_checks import CHECK_NAME
from odyssey_assets.portfolio.tables import POLICY_CHALLENGERS, POLICY_TRIALS, VERSION_TABLES
from odyssey_assets.portfolio.versions.checks import policy_version_checks
from odyssey_assets_tests.portfolio.versions.planted_rows import CHALLENGER, TRIAL, plant
from odyssey_assets_tests.tiny_market import evaluate, found, tiny_settings, warehouse_of


def planted(root: Path, contract: TableContract, row: dict[str, object]) -> tuple[bool, list[str]]:
    """Store a row as it is, and return whether its contract holds and which columns break it."""
    settings = tiny_settings(root)
    plant(warehouse_of(settings), contract, row)
    evaluation = evaluate(settings, "/".join(contract.key), CHECK_NAME)
    failed = found(evaluation).get("failed_partitions", [])
    return evaluation.passed, [one["column"] for one in failed]


def test_every_table_of_versions_has_its_blocking_check() -> None:
    specs = [spec for checks in policy_version_checks() for spec in checks.check_specs]
    assert {tuple(spec.asset_key.path) for spec in specs} == {one.key for one in VERSION_TABLES}
    assert all(spec.blocking for spec in specs)


@pytest.mark.parametrize(
    ("contract", "row"), [(POLICY_CHALLENGERS, CHALLENGER), (POLICY_TRIALS, TRIAL)]
)
def test_rows_as_they_are_made_pass(
    contract: TableContract, row: dict[str, object], tmp_path: Path
) -> None:
    assert planted(tmp_path, contract, row) == (True, [])


@pytest.mark.parametrize(
    ("contract", "row", "broken"),
    [
        (POLICY_CHALLENGERS, CHALLENGER | {"role": "champion"}, "role"),
        (POLICY_CHALLENGERS, CHALLENGER | {"steps": -1}, "steps"),
        (POLICY_TRIALS, TRIAL | {"role": "understudy"}, "role"),
        (POLICY_TRIALS, TRIAL | {"return": -1.5}, "return"),
        (POLICY_TRIALS, TRIAL | {"equity": float("inf")}, "equity"),
    ],
)
def test_row_that_breaks_its_contract_fails_and_names_the_column(
    contract: TableContract, row: dict[str, object], broken: str, tmp_path: Path
) -> None:
    assert planted(tmp_path, contract, row) == (False, [broken])
