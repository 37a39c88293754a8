"""The assets of `monitoring.quality`: how good forecasts and learned policies have been lately.

Forecasts are measured by ticker and date, policies by date.
"""

import dagster as dg
import pandas as pd

from odyssey_assets.backtesting.tables import DAILY
from odyssey_assets.features.tables import LABELS
from odyssey_assets.forecasting.tables import CHALLENGERS, FOLDS, PREDICTIONS
from odyssey_assets.infrastructure.io_manager import FROM_THE_BEGINNING, asset_outs
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
from odyssey_assets.monitoring.tables import FORECAST_QUALITY, POLICY_QUALITY
from odyssey_assets.portfolio.tables import POLICIES, POLICY_CHALLENGERS, WEIGHTS
from odyssey_assets.settings import Settings

GROUP = "monitoring"


def quality_assets(grid: PartitionGrid) -> list[dg.AssetsDefinition]:
    """Return the assets of forecast quality on the given grid."""
    return [_forecast_quality(grid)]


def policy_quality_assets(grid: PartitionGrid) -> list[dg.AssetsDefinition]:
    """Return the assets of policy quality on the given grid's windows."""
    return [_policy_quality(grid)]


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


def _policy_quality(grid: PartitionGrid) -> dg.AssetsDefinition:
    @dg.multi_asset(
        name="measure_policy_quality",
        outs=asset_outs((POLICY_QUALITY,), ["python", "duckdb"]),
        ins={
            contract.name: dg.AssetIn(list(contract.key), metadata=FROM_THE_BEGINNING)
            for contract in (DAILY, WEIGHTS, POLICIES)
        },
        group_name=GROUP,
        partitions_def=grid.windows,
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def measure_policy_quality(
        context: dg.AssetExecutionContext,
        settings: dg.ResourceParam[Settings],
        warehouse: dg.ResourceParam[Warehouse],
        daily: pd.DataFrame,
        weights: pd.DataFrame,
        policies: pd.DataFrame,
    ) -> pd.DataFrame:
        from odyssey_assets.monitoring.quality import policies as quality

        challengers = warehouse.read(POLICY_CHALLENGERS)
        figures = quality.measure_policy_quality(daily, weights, policies, challengers)
        rows = quality.judge_policy_decay(figures, settings.decay)
        _add_policy_pictures(context, rows, settings)
        return cut_to_run(context, rows, POLICY_QUALITY)

    return measure_policy_quality


def _add_policy_pictures(
    context: dg.AssetExecutionContext, rows: pd.DataFrame, settings: Settings
) -> None:
    """Attach the rolling Sharpe ratio of each policy, to the newest partition of the run."""
    from odyssey_assets.monitoring.quality.charts import policy_chart

    is_simulated = settings.source == "simulated"
    pictures = {
        f"sharpe_{policy}": picture(
            policy_chart(own, is_simulated=is_simulated), f"Rolling Sharpe ratio of {policy}"
        )
        for policy, own in rows.groupby("policy")
    }
    context.add_asset_metadata(
        pictures, asset_key=list(POLICY_QUALITY.key), partition_key=max(context.partition_keys)
    )


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
