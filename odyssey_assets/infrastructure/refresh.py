"""The jobs that keep the platform current, and the order in which they follow each other.

Dagster refuses one job over assets with different partitions, so there is one job a partition
kind: `refresh_macro` (windows), `refresh_market` (windows by tickers), `refresh_marts` (none). A
refreshed market is followed by refreshed marts; a driver that runs the jobs in order itself tags
its runs, and the sensor leaves those alone.
"""

from collections.abc import Sequence

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import (
    UnresolvedAssetJobDefinition,
)

from odyssey_assets.infrastructure.partitions import RANGE_START_TAG
from odyssey_assets.infrastructure.publishing import PublishReceipt
from odyssey_assets.infrastructure.warehouse import Warehouse

REFRESH_MACRO = "refresh_macro"
REFRESH_MARKET = "refresh_market"
REFRESH_MARTS = "refresh_marts"
DRIVER_TAG = "odyssey/driver"
PARTITION_TAG = "dagster/partition"
UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
]
PUBLISHED_KEY = dg.AssetKey(["published", "database"])


def refresh_jobs(
    macro: Sequence[dg.AssetsDefinition],
    market: Sequence[dg.AssetsDefinition],
    marts: Sequence[dg.AssetsDefinition],
) -> list[UnresolvedAssetJobDefinition]:
    """Return the three refresh jobs over the given assets."""
    return [
        dg.define_asset_job(
            REFRESH_MACRO,
            dg.AssetSelection.assets(*macro),
            description="Fetch the macro series of the chosen windows.",
        ),
        dg.define_asset_job(
            REFRESH_MARKET,
            dg.AssetSelection.assets(*market),
            description="From prices to forecasts, for the chosen windows and tickers.",
        ),
        dg.define_asset_job(
            REFRESH_MARTS,
            dg.AssetSelection.assets(*marts),
            description="Rebuild every SQL model and publish the database for analysts.",
        ),
    ]


def publication_asset(upstream: Sequence[dg.AssetKey]) -> dg.AssetsDefinition:
    """Return the asset that copies the warehouse to the file analysts read."""

    @dg.asset(
        key=PUBLISHED_KEY,
        deps=list(upstream),
        group_name="published",
        description=(
            "The DuckDB file for people: a complete, consistent copy of the warehouse, replaced "
            "as a whole. Open it with any client, for as long as you like."
        ),
        kinds={"duckdb"},
    )
    def published_database(
        warehouse: dg.ResourceParam[Warehouse],
    ) -> dg.MaterializeResult:
        receipt: PublishReceipt = warehouse.publish()
        return dg.MaterializeResult(
            metadata={
                "path": dg.MetadataValue.path(str(receipt.path)),
                "size_mb": receipt.size_bytes / 1e6,
                "duration_s": receipt.duration_s,
            }
        )

    return published_database


def marts_follow_market(marts_job: UnresolvedAssetJobDefinition) -> dg.SensorDefinition:
    """Return the sensor that refreshes the marts after table runs of the UI or the daemon."""

    @dg.run_status_sensor(
        name="marts_follow_market",
        run_status=dg.DagsterRunStatus.SUCCESS,
        request_job=marts_job,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Rebuilds and publishes the marts once the tables they read have changed.",
    )
    def follow(context: dg.RunStatusSensorContext) -> dg.RunRequest | dg.SkipReason:
        run = context.dagster_run
        if DRIVER_TAG in run.tags:
            return dg.SkipReason(f"{run.tags[DRIVER_TAG]} refreshes the marts itself.")
        if not is_table_run(run):
            return dg.SkipReason("The run changed no partitioned table.")
        if _has_other_table_run(context.instance, run):
            return dg.SkipReason("Other table runs are under way; the last of them is followed.")
        return dg.RunRequest(run_key=run.run_id)

    return follow


def is_table_run(run: dg.DagsterRun) -> bool:
    """Return whether a run writes partitioned tables: the marts have no partitions."""
    return any(name in run.tags for name in (PARTITION_TAG, RANGE_START_TAG))


def _has_other_table_run(instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    unfinished = instance.get_runs(dg.RunsFilter(statuses=UNFINISHED))
    return any(other.run_id != run.run_id and is_table_run(other) for other in unfinished)
