"""The jobs that keep the platform current, in the order in which they run.

Dagster refuses one job over assets with different partitions, so there is one job a partition
kind and stage: `refresh_macro` (windows), `refresh_market` (windows by tickers),
`refresh_portfolio` (windows), `refresh_monitoring` (windows by tickers), `refresh_marts` (none).
`retrain` fits challengers and judges them. What follows a run of the UI or the daemon belongs to
`infrastructure.followers`.
"""

from collections.abc import Sequence

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import (
    UnresolvedAssetJobDefinition,
)

from odyssey_assets.infrastructure.publishing import PublishReceipt
from odyssey_assets.infrastructure.warehouse import Warehouse

REFRESH_MACRO = "refresh_macro"
REFRESH_MARKET = "refresh_market"
REFRESH_PORTFOLIO = "refresh_portfolio"
REFRESH_MONITORING = "refresh_monitoring"
REFRESH_MARTS = "refresh_marts"
RETRAIN = "retrain"
DRIVER_TAG = "odyssey/driver"
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
    portfolio: Sequence[dg.AssetsDefinition],
    marts: Sequence[dg.AssetsDefinition],
) -> list[UnresolvedAssetJobDefinition]:
    """Return the four refresh jobs over the given assets, in the order in which they run."""
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
            REFRESH_PORTFOLIO,
            dg.AssetSelection.assets(*portfolio),
            description="From forecasts to weights, fills and equity, for the chosen windows.",
        ),
        dg.define_asset_job(
            REFRESH_MARTS,
            dg.AssetSelection.assets(*marts),
            description=(
                "Summarise the whole history, rebuild every SQL model, and publish the database "
                "for analysts."
            ),
        ),
    ]


def retraining_job(versions: Sequence[dg.AssetsDefinition]) -> UnresolvedAssetJobDefinition:
    """Return the job that fits challengers and judges them; its configuration names the tickers."""
    return dg.define_asset_job(
        RETRAIN,
        dg.AssetSelection.assets(*versions),
        description="Fit challengers of the chosen tickers, and judge whether they may serve.",
    )


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
