"""What must be true of quality: its contracts, and that neither forecasts nor policies decayed.

A decay warns and blocks nothing: what it leads to belongs to `monitoring.retraining`.
"""

import dagster as dg

from odyssey_assets.core.windows import window_of
from odyssey_assets.infrastructure.contract_checks import build_contract_check
from odyssey_assets.infrastructure.partitions import PartitionGrid, last_session, slices_of
from odyssey_assets.infrastructure.warehouse import Warehouse
from odyssey_assets.monitoring.tables import FORECAST_QUALITY, POLICY_QUALITY
from odyssey_assets.settings import Settings


def quality_checks(grid: PartitionGrid) -> list[dg.AssetChecksDefinition]:
    """Return the checks of forecast quality on the given grid."""
    return [build_contract_check(FORECAST_QUALITY, grid.cells), _forecasts_have_not_decayed(grid)]


def policy_quality_checks(grid: PartitionGrid) -> list[dg.AssetChecksDefinition]:
    """Return the checks of policy quality on the given grid's windows."""
    return [build_contract_check(POLICY_QUALITY, grid.windows), _policies_have_not_decayed(grid)]


def _forecasts_have_not_decayed(grid: PartitionGrid) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=list(FORECAST_QUALITY.key),
        partitions_def=grid.cells,
        description=(
            "In the running window no ticker's forecasts of the last 60 known outcomes are worse "
            "than their validation promised by more than chance explains."
        ),
    )
    def forecasts_have_not_decayed(
        context: dg.AssetCheckExecutionContext,
        settings: dg.ResourceParam[Settings],
        warehouse: dg.ResourceParam[Warehouse],
    ) -> dg.AssetCheckResult:
        from odyssey_assets.monitoring.quality.findings import decayed_before, decayed_now

        running = window_of(last_session(settings))
        rows = warehouse.read(FORECAST_QUALITY, slices_of(context.partition_keys))
        found = decayed_now(rows, running)
        return dg.AssetCheckResult(
            passed=not found,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={
                "tickers": int(rows["ticker"].nunique()),
                "decayed_tickers": len(found),
                "earlier_windows_decayed": decayed_before(rows, running),
                "false_alarm_rate": settings.decay.false_alarm_rate,
                "failed_partitions": dg.MetadataValue.json(found),
            },
        )

    return forecasts_have_not_decayed


def _policies_have_not_decayed(grid: PartitionGrid) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=list(POLICY_QUALITY.key),
        partitions_def=grid.windows,
        description=(
            "In the running window no learned policy's Sharpe ratio of the last 60 sessions is "
            "below the setting, and below what chance explains."
        ),
    )
    def policies_have_not_decayed(
        context: dg.AssetCheckExecutionContext,
        settings: dg.ResourceParam[Settings],
        warehouse: dg.ResourceParam[Warehouse],
    ) -> dg.AssetCheckResult:
        from odyssey_assets.monitoring.quality.findings import (
            decayed_policies_before,
            decayed_policies_now,
        )

        running = window_of(last_session(settings))
        rows = warehouse.read(POLICY_QUALITY, slices_of(context.partition_keys))
        found = decayed_policies_now(rows, running)
        return dg.AssetCheckResult(
            passed=not found,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={
                "policies": int(rows["policy"].nunique()),
                "decayed_policies": len(found),
                "earlier_windows_decayed": decayed_policies_before(rows, running),
                "false_alarm_rate": settings.decay.false_alarm_rate,
                "failed_partitions": dg.MetadataValue.json(found),
            },
        )

    return policies_have_not_decayed
