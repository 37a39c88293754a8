"""What must be true of drift: its contracts, and that what models see is what they learned from.

A drift warns and blocks nothing: what it leads to belongs to `monitoring.retraining`.
"""

import dagster as dg

from odyssey_assets.core.windows import window_of
from odyssey_assets.infrastructure.contract_checks import build_contract_check
from odyssey_assets.infrastructure.partitions import PartitionGrid, last_session, slices_of
from odyssey_assets.infrastructure.warehouse import Warehouse
from odyssey_assets.monitoring.tables import DRIFT, DRIFT_SUMMARY
from odyssey_assets.settings import Settings


def drift_checks(grid: PartitionGrid) -> list[dg.AssetChecksDefinition]:
    """Return the checks of drift on the given grid."""
    return [
        *(build_contract_check(contract, grid.cells) for contract in (DRIFT, DRIFT_SUMMARY)),
        _inputs_have_not_drifted(grid),
    ]


def _inputs_have_not_drifted(grid: PartitionGrid) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=list(DRIFT_SUMMARY.key),
        partitions_def=grid.cells,
        description=(
            "In the running window no serving model's inputs or forecasts lie farther from what "
            "it learned from than the ticker's own past explains, at the set false-alarm rate."
        ),
    )
    def inputs_have_not_drifted(
        context: dg.AssetCheckExecutionContext,
        settings: dg.ResourceParam[Settings],
        warehouse: dg.ResourceParam[Warehouse],
    ) -> dg.AssetCheckResult:
        from odyssey_assets.monitoring.drift.findings import (
            drifted_before,
            drifted_now,
            without_verdict,
        )

        running = window_of(last_session(settings))
        rows = warehouse.read(DRIFT_SUMMARY, slices_of(context.partition_keys))
        found = drifted_now(rows, running)
        return dg.AssetCheckResult(
            passed=not found,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={
                "tickers": int(rows["ticker"].nunique()),
                "tickers_without_a_verdict": without_verdict(rows, running),
                "drifted_tickers": len(found),
                "earlier_windows_drifted": drifted_before(rows, running),
                "method": settings.drift.method,
                "false_alarm_rate": settings.drift.false_alarm_rate,
                "failed_partitions": dg.MetadataValue.json(found),
            },
        )

    return inputs_have_not_drifted
