"""The asset of `monitoring.quality`: how good forecasts have been lately, by ticker and date."""

import dagster as dg
import pandas as pd

from odyssey_assets.features.tables import LABELS
from odyssey_assets.forecasting.tables import CHALLENGERS, FOLDS, PREDICTIONS
from odyssey_assets.infrastructure.io_manager import asset_outs
from odyssey_assets.infrastructure.partitions import (
    PartitionGrid,
    cell_key,
    cut_to_run,
    history_mapping,
    windows_by_ticker,
)
from odyssey_assets.infrastructure.pictures import picture
from odyssey_assets.infrastructure.warehouse import Warehouse
from odyssey_assets.market_data.tables import BARS
from odyssey_assets.monitoring.tables import FORECAST_QUALITY
from odyssey_assets.settings import Settings

GROUP = "monitoring"


def quality_assets(grid: PartitionGrid) -> list[dg.AssetsDefinition]:
    """Return the assets of forecast quality on the given grid."""
    return [_forecast_quality(grid)]


def _forecast_quality(grid: PartitionGrid) -> dg.AssetsDefinition:
    past = history_mapping(grid)

    @dg.multi_asset(
        name="measure_forecast_quality",
        outs=asset_outs((FORECAST_QUALITY,), ["python", "duckdb"]),
        ins={
            contract.name: dg.AssetIn(list(contract.key), partition_mapping=past)
            for contract in (PREDICTIONS, FOLDS, LABELS, BARS)
        },
        group_name=GROUP,
        partitions_def=grid.cells,
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def measure_forecast_quality(
        context: dg.AssetExecutionContext,
        settings: dg.ResourceParam[Settings],
        warehouse: dg.ResourceParam[Warehouse],
        predictions: pd.DataFrame,
        folds: pd.DataFrame,
        labels: pd.DataFrame,
        bars: pd.DataFrame,
    ) -> pd.DataFrame:
        from odyssey_assets.monitoring.quality.decay import judge_decay
        from odyssey_assets.monitoring.quality.rolling import measure_quality, promises

        promised = promises(folds, warehouse.read(CHALLENGERS))
        figures = measure_quality(predictions, labels, bars, promised, settings)
        rows = judge_decay(figures, settings.decay)
        _add_pictures(context, rows, settings)
        return cut_to_run(context, rows, FORECAST_QUALITY)

    return measure_forecast_quality


def _add_pictures(
    context: dg.AssetExecutionContext, rows: pd.DataFrame, settings: Settings
) -> None:
    """Attach rolling correlation and coverage of the run's tickers, to its newest partition."""
    from odyssey_assets.monitoring.quality.charts import correlation_chart, coverage_chart

    if rows.empty:
        return
    is_simulated = settings.source == "simulated"
    newest = {
        ticker: each[-1] for ticker, each in windows_by_ticker(context.partition_keys).items()
    }
    ticker = max(newest, key=lambda name: (newest[name], name))
    context.add_asset_metadata(
        {
            "correlation": picture(
                correlation_chart(rows, is_simulated=is_simulated),
                "Rolling rank correlation of forecasts and outcomes by ticker",
            ),
            "coverage": picture(
                coverage_chart(rows, is_simulated=is_simulated),
                "Rolling share of outcomes inside their interval by ticker",
            ),
        },
        asset_key=list(FORECAST_QUALITY.key),
        partition_key=cell_key(newest[ticker], ticker),
    )
