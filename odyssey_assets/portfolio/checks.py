"""What must be true of policies and weights: contracts, signatures, limits, and who took part."""

import dagster as dg

from odyssey_assets.infrastructure.contract_checks import build_contract_check
from odyssey_assets.infrastructure.home import home_of
from odyssey_assets.infrastructure.partitions import PartitionGrid, slices_of
from odyssey_assets.infrastructure.warehouse import Warehouse
from odyssey_assets.portfolio.tables import POLICIES, TABLES, WEIGHTS
from odyssey_assets.settings import Settings

MAX_EXAMPLES = 10


def portfolio_checks(grid: PartitionGrid) -> list[dg.AssetChecksDefinition]:
    """Return the checks of the domain on the grid's windows."""
    return [
        *(build_contract_check(contract, grid.windows) for contract in TABLES),
        _policies_match_their_signature(grid),
        _every_policy_competes(grid),
    ]


def _policies_match_their_signature(grid: PartitionGrid) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=list(POLICIES.key),
        partitions_def=grid.windows,
        blocking=True,
        description="Every trained policy is stored, signed by this home, with the hash it claims.",
    )
    def policies_match_their_signature(
        context: dg.AssetCheckExecutionContext,
        settings: dg.ResourceParam[Settings],
        warehouse: dg.ResourceParam[Warehouse],
    ) -> dg.AssetCheckResult:
        from odyssey_assets.infrastructure.model_store import ModelStore
        from odyssey_assets.portfolio.signatures import unverified

        rows = warehouse.read(POLICIES, slices_of(context.partition_keys))
        failed = unverified(rows, ModelStore(home_of(settings).models))
        return dg.AssetCheckResult(
            passed=not failed,
            metadata={
                "models": int((rows["status"] == "trained").sum()),
                "failed_partitions": [
                    {"window": one.window, "seed": one.seed, "value": one.reason} for one in failed
                ],
            },
        )

    return policies_match_their_signature


def _every_policy_competes(grid: PartitionGrid) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=list(WEIGHTS.key),
        partitions_def=grid.windows,
        additional_deps=[list(POLICIES.key)],
        description="Every configured policy holds something in the newest window of the run.",
    )
    def every_policy_competes(
        context: dg.AssetCheckExecutionContext,
        settings: dg.ResourceParam[Settings],
        warehouse: dg.ResourceParam[Warehouse],
    ) -> dg.AssetCheckResult:
        newest = max(context.partition_keys)
        slices = slices_of([newest])
        present = set(warehouse.read(WEIGHTS, slices, columns=("policy",))["policy"])
        absent = [name for name in settings.portfolio.policies if name not in present]
        trainings = warehouse.read(POLICIES, slices)
        skipped = trainings[trainings["status"] == "skipped"]
        known = dict(zip(skipped["policy"], skipped["reason"], strict=True))
        return dg.AssetCheckResult(
            passed=not absent,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={
                "window": newest,
                "expected": len(settings.portfolio.policies),
                "absent": {
                    name: known.get(
                        name,
                        "it could not decide yet: too little history, or what "
                        "it needs (a forecast, the proxy) is missing",
                    )
                    for name in absent
                },
            },
        )

    return every_policy_competes
