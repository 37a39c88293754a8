"""What must be true of quality: its contracts, and that neither forecasts nor policies decayed.

A decay warns and blocks nothing: what it leads to belongs to `monitoring.retraining`.
"""

from collections.abc import Callable, Mapping
from typing import Any

import dagster as dg
import pandas as pd

from odyssey_assets.contracts import TableContract
from odyssey_assets.core.windows import Window, window_of
from odyssey_assets.infrastructure.contract_checks import build_contract_check
from odyssey_assets.infrastructure.partitions import PartitionGrid, last_session, slices_of
from odyssey_assets.infrastructure.warehouse import Warehouse
from odyssey_assets.monitoring.quality.findings import (
    decayed_before,
    decayed_now,
    decayed_policies_before,
    decayed_policies_now,
)
from odyssey_assets.monitoring.tables import FORECAST_QUALITY, POLICY_QUALITY
from odyssey_assets.settings import Settings

Finder = Callable[[pd.DataFrame, Window], list[dict[str, Any]]]
Counter = Callable[[pd.DataFrame, Window], int]
PLURALS: Mapping[str, str] = {"ticker": "tickers", "policy": "policies"}


def quality_checks(grid: PartitionGrid) -> list[dg.AssetChecksDefinition]:
    """Return the checks of forecast quality on the given grid."""
    return [build_contract_check(FORECAST_QUALITY, grid.cells), _forecasts_have_not_decayed(grid)]


def policy_quality_checks(grid: PartitionGrid) -> list[dg.AssetChecksDefinition]:
    """Return the checks of policy quality on the given grid's windows."""
    return [build_contract_check(POLICY_QUALITY, grid.windows), _policies_have_not_decayed(grid)]


def _forecasts_have_not_decayed(grid: PartitionGrid) -> dg.AssetChecksDefinition:
    return _have_not_decayed(
        "forecasts_have_not_decayed",
        FORECAST_QUALITY,
        "ticker",
        (decayed_now, decayed_before),
        grid.cells,
        "In the running window no ticker's forecasts of the last 60 known outcomes are worse than "
        "their validation promised by more than chance explains.",
    )


def _policies_have_not_decayed(grid: PartitionGrid) -> dg.AssetChecksDefinition:
    return _have_not_decayed(
        "policies_have_not_decayed",
        POLICY_QUALITY,
        "policy",
        (decayed_policies_now, decayed_policies_before),
        grid.windows,
        "In the running window no learned policy's Sharpe ratio of the last 60 sessions is below "
        "the setting, and below what chance explains.",
    )


def _have_not_decayed(
    name: str,
    contract: TableContract,
    subject: str,
    finders: tuple[Finder, Counter],
    partitions: dg.PartitionsDefinition,
    description: str,
) -> dg.AssetChecksDefinition:
    """Return the check that nobody's newest row in the running window has decayed.

    Args:
        name: Of the check.
        contract: Of the table of quality.
        subject: Column that says whose quality it is.
        finders: What finds who has decayed now, and what counts the windows before.
        partitions: Of the table's asset.
        description: In words.
    """
    subjects, (now, before) = PLURALS[subject], finders

    @dg.asset_check(
        name=name,
        asset=list(contract.key),
        partitions_def=partitions,
        description=description,
    )
    def have_not_decayed(
        context: dg.AssetCheckExecutionContext,
        settings: dg.ResourceParam[Settings],
        warehouse: dg.ResourceParam[Warehouse],
    ) -> dg.AssetCheckResult:
        running = window_of(last_session(settings))
        rows = warehouse.read(contract, slices_of(context.partition_keys))
        found = now(rows, running)
        return dg.AssetCheckResult(
            passed=not found,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={
                subjects: int(rows[subject].nunique()),
                f"decayed_{subjects}": len(found),
                "earlier_windows_decayed": before(rows, running),
                "false_alarm_rate": settings.decay.false_alarm_rate,
                "failed_partitions": dg.MetadataValue.json(found),
            },
        )

    return have_not_decayed
