"""The assets of `forecasting`: one training call makes folds, forecasts and importances.

Versions that challenge the ones that serve, and their trials, have no partitions: they are asked
for by ticker, and only added to.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import dagster as dg
import pandas as pd
from pydantic import Field

from odyssey_assets.core.collaborators import Champions
from odyssey_assets.core.slices import Slice, rectangles
from odyssey_assets.features.tables import FEATURES_TABLE, LABELS
from odyssey_assets.forecasting.tables import (
    CHALLENGERS,
    FEATURE_IMPORTANCE,
    FOLDS,
    PREDICTIONS,
    TRIALS,
)
from odyssey_assets.infrastructure.home import home_of
from odyssey_assets.infrastructure.io_manager import asset_outs
from odyssey_assets.infrastructure.partitions import (
    PartitionGrid,
    cell_key,
    cut_to_run,
    history_mapping,
    slices_of,
    windows_by_ticker,
)
from odyssey_assets.infrastructure.pictures import picture
from odyssey_assets.infrastructure.sql_assets import PictureMaker
from odyssey_assets.infrastructure.typed_requests import day_or_none, known_names
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


def version_assets() -> list[dg.AssetsDefinition]:
    """Return the assets of challengers and their trials, in pipeline order."""
    return [_challengers(), _trials()]


class ChallengerRequest(dg.Config):
    """Whose model is made anew, and from what."""

    tickers: list[str] = Field([], description="of the settings; none: nothing is fitted")
    as_of: str | None = Field(
        None, description="newest day whose data may be seen; null: each ticker's last session"
    )


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
        warehouse: dg.ResourceParam[Warehouse],
        champions: dg.ResourceParam[Champions],
        features: pd.DataFrame,
        labels: pd.DataFrame,
        bars: pd.DataFrame,
    ) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
        from odyssey_assets.forecasting.training import forecast_windows
        from odyssey_assets.infrastructure.model_store import ModelStore
        from odyssey_assets.infrastructure.tracking import Tracker

        home = home_of(settings)
        windows = windows_by_ticker(context.partition_keys)
        reigns = [
            reign
            for reign in champions.reigns("forecaster")
            if reign.window in windows.get(reign.subject, ())
        ]
        stored = warehouse.read(PREDICTIONS, slices_of(context.partition_keys)) if reigns else None
        forecasts = forecast_windows(
            features,
            labels,
            bars,
            windows,
            settings,
            ModelStore(home.models),
            Tracker(home.mlflow),
            reigns=reigns,
            stored=stored,
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


def _challengers() -> dg.AssetsDefinition:
    @dg.multi_asset(
        name="fit_challengers",
        outs=asset_outs((CHALLENGERS,), ["xgboost", "duckdb"]),
        deps=[list(contract.key) for contract in (FEATURES_TABLE, LABELS, BARS)],
        group_name=GROUP,
        pool=TRAINING_POOL,
    )
    def fit_challengers(
        context: dg.AssetExecutionContext,
        config: ChallengerRequest,
        settings: dg.ResourceParam[Settings],
        warehouse: dg.ResourceParam[Warehouse],
        champions: dg.ResourceParam[Champions],
    ) -> pd.DataFrame:
        from odyssey_assets.forecasting.challengers import fit_challengers
        from odyssey_assets.infrastructure.model_store import ModelStore
        from odyssey_assets.infrastructure.tracking import Tracker

        tickers = known_names("tickers", config.tickers, settings.tickers)
        as_of = day_or_none("as_of", config.as_of)
        if not tickers:
            context.log.info("No ticker was asked for: nothing is fitted.")
            return CHALLENGERS.empty()
        own = (Slice(tickers=tickers),)
        home = home_of(settings)
        fitted = fit_challengers(
            warehouse.read(FEATURES_TABLE, own),
            warehouse.read(LABELS, own),
            warehouse.read(BARS, own),
            tickers,
            as_of,
            champions.reigns("forecaster"),
            settings,
            ModelStore(home.models),
            Tracker(home.mlflow),
            datetime.now(UTC).replace(tzinfo=None),
        )
        context.add_output_metadata(
            {
                "skipped": dict(fitted.skipped),
                "without_stand_in": dict(fitted.without_stand_in),
            }
        )
        return fitted.challengers

    return fit_challengers


def _trials() -> dg.AssetsDefinition:
    @dg.multi_asset(
        name="run_trials",
        outs=asset_outs((TRIALS,), ["xgboost", "duckdb"]),
        deps=[list(contract.key) for contract in (CHALLENGERS, FOLDS, FEATURES_TABLE)],
        group_name=GROUP,
    )
    def run_trials(
        context: dg.AssetExecutionContext,
        settings: dg.ResourceParam[Settings],
        warehouse: dg.ResourceParam[Warehouse],
    ) -> pd.DataFrame:
        challengers = warehouse.read(CHALLENGERS)
        if challengers.empty:
            return TRIALS.empty()
        from odyssey_assets.forecasting.trials import run_trials, tried_windows
        from odyssey_assets.infrastructure.model_store import ModelStore

        folds = warehouse.read(FOLDS, (Slice(tickers=tuple(challengers["ticker"].unique())),))
        cells = rectangles(tried_windows(folds, challengers).items())
        if not cells:
            return TRIALS.empty()
        tried = run_trials(
            warehouse.read(FEATURES_TABLE, cells),
            folds,
            challengers,
            settings,
            ModelStore(home_of(settings).models),
            datetime.now(UTC).replace(tzinfo=None),
        )
        context.add_output_metadata({"unreadable": dict(tried.unreadable)})
        return tried.rows

    return run_trials
