"""What must be true of policies and weights: contracts, signatures, limits, and who took part."""

from collections.abc import Collection

import dagster as dg
import pandas as pd

from odyssey_assets.core.collaborators import Champions
from odyssey_assets.core.slices import Slice
from odyssey_assets.core.windows import parse_window
from odyssey_assets.infrastructure.contract_checks import build_contract_check
from odyssey_assets.infrastructure.home import home_of
from odyssey_assets.infrastructure.partitions import PartitionGrid, slices_of
from odyssey_assets.infrastructure.warehouse import Warehouse
from odyssey_assets.portfolio.catalog import chosen_policies
from odyssey_assets.portfolio.tables import POLICIES, TABLES, WEIGHTS
from odyssey_assets.settings import Settings

UNKNOWN_REASON = (
    "it could not decide yet: too little history, or what it needs (a forecast, the proxy) is "
    "missing"
)


def portfolio_checks(grid: PartitionGrid) -> list[dg.AssetChecksDefinition]:
    """Return the checks of the domain on the grid's windows."""
    return [
        *(build_contract_check(contract, grid.windows) for contract in TABLES),
        _policies_match_their_signature(grid),
        _every_policy_competes(grid),
        _reigning_policies_are_loadable(grid),
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
        absent = absences(settings, present, warehouse.read(POLICIES, slices))
        return dg.AssetCheckResult(
            passed=not absent,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={
                "window": newest,
                "expected": len(settings.portfolio.policies),
                "absent": absent,
            },
        )

    return every_policy_competes


def _reigning_policies_are_loadable(grid: PartitionGrid) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=list(WEIGHTS.key),
        partitions_def=grid.windows,
        additional_deps=[list(POLICIES.key)],
        description=(
            "Every policy that decides in a window, up to the newest of the run, is whole and "
            "where it belongs, the window's own and what was put in its place. Where not, the "
            "same one trained anew serves, or what it decided stays and the one before it goes on."
        ),
    )
    def reigning_policies_are_loadable(
        context: dg.AssetCheckExecutionContext,
        settings: dg.ResourceParam[Settings],
        warehouse: dg.ResourceParam[Warehouse],
        champions: dg.ResourceParam[Champions],
    ) -> dg.AssetCheckResult:
        from odyssey_assets.infrastructure.model_store import ModelStore
        from odyssey_assets.portfolio.learned import lost_policies

        end = parse_window(max(context.partition_keys)).end
        rows = warehouse.read(POLICIES, (Slice(end=end),))
        reigns = [one for one in champions.reigns("policy") if one.window.start < end]
        failed = lost_policies(rows, ModelStore(home_of(settings).models), settings, reigns)
        return dg.AssetCheckResult(
            passed=not failed,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={
                "models": int((rows["status"] == "trained").sum()),
                "reigns": len(reigns),
                "failed_partitions": failed,
            },
        )

    return reigning_policies_are_loadable


def absences(
    settings: Settings, present: Collection[str], trainings: pd.DataFrame
) -> dict[str, str]:
    """Return why each configured policy that holds nothing does so, by its name.

    Args:
        settings: Names the policies.
        present: Names of those that hold something.
        trainings: Rows of `portfolio.policies` of the window.
    """
    skipped = trainings[trainings["status"] == "skipped"]
    known = dict(zip(skipped["policy"], skipped["reason"], strict=True))
    return {
        entry.name: known.get(entry.name) or entry.reason_to_stay_out(settings) or UNKNOWN_REASON
        for entry in chosen_policies(settings)
        if entry.name not in present
    }
