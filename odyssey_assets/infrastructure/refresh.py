"""The jobs that keep the platform current, in the order in which they run.

Dagster refuses one job over assets with different partitions, so there is one job a partition
kind and stage: `refresh_macro` (windows), `refresh_market` (windows by tickers),
`refresh_portfolio` (windows), `refresh_monitoring` (windows by tickers), `refresh_marts` (none).
`retrain` makes challengers and judges them. What follows a run of the UI or the daemon belongs to
`infrastructure.followers`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

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


@dataclass(frozen=True)
class Stages:
    """The assets of each refresh job, in pipeline order.

    Attributes:
        macro: Partitioned by window.
        market: Partitioned by window and ticker, from prices to forecasts.
        portfolio: Partitioned by window.
        monitoring: Partitioned by window and ticker.
        marts: Without partitions: summaries, ledgers, SQL, what is published.
    """

    macro: Sequence[dg.AssetsDefinition]
    market: Sequence[dg.AssetsDefinition]
    portfolio: Sequence[dg.AssetsDefinition]
    monitoring: Sequence[dg.AssetsDefinition]
    marts: Sequence[dg.AssetsDefinition]

    @property
    def assets(self) -> tuple[dg.AssetsDefinition, ...]:
        """The assets of all stages."""
        return (*self.macro, *self.market, *self.portfolio, *self.monitoring, *self.marts)


def refresh_jobs(stages: Stages) -> dict[str, UnresolvedAssetJobDefinition]:
    """Return the refresh jobs by name, in the order in which they run."""
    described = (
        (REFRESH_MACRO, stages.macro, "Fetch the macro series of the chosen windows."),
        (
            REFRESH_MARKET,
            stages.market,
            "From prices to forecasts, for the chosen windows and tickers.",
        ),
        (
            REFRESH_PORTFOLIO,
            stages.portfolio,
            "From forecasts to weights, fills and equity, for the chosen windows.",
        ),
        (
            REFRESH_MONITORING,
            stages.monitoring,
            "Drift and decay of the serving models, for the chosen windows and tickers.",
        ),
        (
            REFRESH_MARTS,
            stages.marts,
            "Summarise the whole history, judge challengers, rebuild every SQL model, and publish "
            "the database for analysts.",
        ),
    )
    return {
        name: dg.define_asset_job(name, dg.AssetSelection.assets(*assets), description=description)
        for name, assets, description in described
    }


def retraining_job(versions: Sequence[dg.AssetsDefinition]) -> UnresolvedAssetJobDefinition:
    """Return the job that makes challengers and judges them.

    Its configuration names the tickers whose forecaster is fitted anew, and the learned policies
    that are trained anew.

    Args:
        versions: The assets that make challengers, hold trials, and judge.
    """
    return dg.define_asset_job(
        RETRAIN,
        dg.AssetSelection.assets(*versions),
        description=(
            "Fit challengers of the chosen tickers, train those of the chosen policies, and judge "
            "whether they may serve."
        ),
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
