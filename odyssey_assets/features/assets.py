"""The assets of `features`: features with their clip thresholds, and labels."""

import dagster as dg
import pandas as pd

from odyssey_assets.features.tables import CLIP_THRESHOLDS, FEATURES_TABLE, LABELS
from odyssey_assets.infrastructure.io_manager import (
    FROM_THE_BEGINNING,
    OF_EVERY_TICKER,
    asset_metadata,
    asset_outs,
)
from odyssey_assets.infrastructure.partitions import (
    PartitionGrid,
    cut_to_run,
    history_mapping,
    windows_by_ticker,
)
from odyssey_assets.market_data.tables import BARS, MACRO
from odyssey_assets.settings import Settings

GROUP = "features"
SINGLE_RUN = dg.BackfillPolicy.single_run()


def feature_assets(grid: PartitionGrid) -> list[dg.AssetsDefinition]:
    """Return the assets of the domain on the given grid, in pipeline order."""
    return [_features(grid), _labels(grid)]


def _features(grid: PartitionGrid) -> dg.AssetsDefinition:
    @dg.multi_asset(
        name="compute_features",
        outs=asset_outs((FEATURES_TABLE, CLIP_THRESHOLDS), ["python", "duckdb"]),
        ins={
            "bars": dg.AssetIn(
                list(BARS.key),
                partition_mapping=history_mapping(grid),
                metadata=OF_EVERY_TICKER,
            ),
            "macro": dg.AssetIn(
                list(MACRO.key),
                partition_mapping=dg.MultiToSingleDimensionPartitionMapping("date"),
                metadata=FROM_THE_BEGINNING,
            ),
        },
        group_name=GROUP,
        partitions_def=grid.cells,
        backfill_policy=SINGLE_RUN,
    )
    def compute(
        context: dg.AssetExecutionContext,
        settings: dg.ResourceParam[Settings],
        bars: pd.DataFrame,
        macro: pd.DataFrame,
    ) -> tuple[pd.DataFrame, pd.DataFrame]:
        from odyssey_assets.features.computation import compute_features

        tickers = tuple(windows_by_ticker(context.partition_keys))
        frames = compute_features(bars, macro, settings, tickers)
        return (
            cut_to_run(context, frames.features, FEATURES_TABLE),
            cut_to_run(context, frames.clip_thresholds, CLIP_THRESHOLDS),
        )

    return compute


def _labels(grid: PartitionGrid) -> dg.AssetsDefinition:
    @dg.asset(
        key=list(LABELS.key),
        group_name=GROUP,
        description=LABELS.description,
        metadata=asset_metadata(LABELS),
        ins={
            "bars": dg.AssetIn(
                list(BARS.key), partition_mapping=history_mapping(grid, later_windows=1)
            )
        },
        partitions_def=grid.cells,
        backfill_policy=SINGLE_RUN,
        kinds={"python", "duckdb"},
    )
    def labels(
        context: dg.AssetExecutionContext,
        settings: dg.ResourceParam[Settings],
        bars: pd.DataFrame,
    ) -> pd.DataFrame:
        from odyssey_assets.features.labels import compute_labels

        return cut_to_run(context, compute_labels(bars, settings.labels), LABELS)

    return labels
