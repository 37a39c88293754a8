"""The assets of `forecasting`: one training call makes folds, forecasts and importances."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import dagster as dg
import pandas as pd

from odyssey_assets.features.tables import FEATURES_TABLE, LABELS
from odyssey_assets.forecasting.tables import FEATURE_IMPORTANCE, FOLDS, PREDICTIONS
from odyssey_assets.infrastructure.home import home_of
from odyssey_assets.infrastructure.io_manager import asset_outs
from odyssey_assets.infrastructure.partitions import (
    PartitionGrid,
    cell_key,
    cut_to_run,
    history_mapping,
    windows_by_ticker,
)
from odyssey_assets.infrastructure.pictures import picture
from odyssey_assets.infrastructure.sql_assets import PictureMaker
from odyssey_assets.infrastructure.warehouse import Warehouse
from odyssey_assets.market_data.tables import BARS
from odyssey_assets.settings import Settings

if TYPE_CHECKING:
    from odyssey_assets.forecasting.tabulation import Forecasts

GROUP = "forecasting"
TRAINING_POOL = "model_training"


def forecasting_assets(grid: PartitionGrid) -> list[dg.AssetsDefinition]:
    """Return the assets of the domain on the given grid, in pipeline order."""
    return [_forecasts(grid)]


def leaderboard_pictures(settings: Settings) -> PictureMaker:
    """Return what adds the sign strategy of every ticker to the model leaderboard."""

    def pictures(warehouse: Warehouse) -> Mapping[str, dg.MetadataValue]:
        from odyssey_assets.forecasting.charts import strategy_chart

        figure = strategy_chart(
            warehouse.read(PREDICTIONS),
            warehouse.read(BARS),
            settings.costs.proportional,
            is_simulated=settings.source == "simulated",
        )
        return {"sign_strategy": picture(figure, "Growth of the sign strategy by ticker")}

    return pictures


def _forecasts(grid: PartitionGrid) -> dg.AssetsDefinition:
    past, past_and_next = history_mapping(grid), history_mapping(grid, later_windows=1)

    @dg.multi_asset(
        name="walk_forward",
        outs=asset_outs((FOLDS, PREDICTIONS, FEATURE_IMPORTANCE), ["xgboost", "duckdb"]),
        ins={
            "features": dg.AssetIn(list(FEATURES_TABLE.key), partition_mapping=past),
            "labels": dg.AssetIn(list(LABELS.key), partition_mapping=past),
            "bars": dg.AssetIn(list(BARS.key), partition_mapping=past_and_next),
        },
        group_name=GROUP,
        partitions_def=grid.cells,
        backfill_policy=dg.BackfillPolicy.single_run(),
        pool=TRAINING_POOL,
    )
    def walk_forward(
        context: dg.AssetExecutionContext,
        settings: dg.ResourceParam[Settings],
        features: pd.DataFrame,
        labels: pd.DataFrame,
        bars: pd.DataFrame,
    ) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
        from odyssey_assets.forecasting.training import forecast_windows
        from odyssey_assets.infrastructure.model_store import ModelStore
        from odyssey_assets.infrastructure.tracking import Tracker

        home = home_of(settings)
        forecasts = forecast_windows(
            features,
            labels,
            bars,
            windows_by_ticker(context.partition_keys),
            settings,
            ModelStore(home.models),
            Tracker(home.mlflow),
        )
        _add_pictures(context, forecasts, labels, settings)
        return (
            cut_to_run(context, forecasts.folds, FOLDS),
            cut_to_run(context, forecasts.predictions, PREDICTIONS),
            cut_to_run(context, forecasts.feature_importance, FEATURE_IMPORTANCE),
        )

    return walk_forward


def _add_pictures(
    context: dg.AssetExecutionContext,
    forecasts: "Forecasts",
    labels: pd.DataFrame,
    settings: Settings,
) -> None:
    """Attach two pictures a ticker, to the newest of its partitions in the run."""
    from odyssey_assets.forecasting.charts import forecast_chart, importance_chart

    is_simulated = settings.source == "simulated"
    for ticker, windows in windows_by_ticker(context.partition_keys).items():
        key = cell_key(windows[-1], ticker)
        own = forecasts.predictions[forecasts.predictions["ticker"] == ticker]
        drivers = forecasts.feature_importance[forecasts.feature_importance["ticker"] == ticker]
        if own.empty:
            continue
        outcomes = labels[labels["ticker"] == ticker]
        chart = forecast_chart(own, outcomes, is_simulated=is_simulated)
        context.add_asset_metadata(
            {"forecasts": picture(chart, f"Forecasts of {ticker} beside their outcomes")},
            asset_key=list(PREDICTIONS.key),
            partition_key=key,
        )
        context.add_asset_metadata(
            {
                "top_features": picture(
                    importance_chart(drivers, is_simulated=is_simulated),
                    f"Features that drove the newest model of {ticker}",
                )
            },
            asset_key=list(FEATURE_IMPORTANCE.key),
            partition_key=key,
        )
