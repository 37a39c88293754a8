"""The assets of `portfolio`: policies trained a window at a time, and what every policy holds.

Versions that challenge the one that serves belong to `portfolio.versions`.
"""

from collections.abc import Sequence

import dagster as dg
import pandas as pd

from odyssey_assets.core.collaborators import Champions
from odyssey_assets.core.slices import Slice
from odyssey_assets.core.windows import Window, parse_window
from odyssey_assets.forecasting.tables import PREDICTIONS
from odyssey_assets.infrastructure.home import home_of
from odyssey_assets.infrastructure.io_manager import (
    FROM_THE_BEGINNING,
    OF_EVERY_TICKER,
    asset_outs,
)
from odyssey_assets.infrastructure.partitions import WINDOW_DIMENSION, PartitionGrid, cut_to_run
from odyssey_assets.infrastructure.pictures import picture
from odyssey_assets.infrastructure.warehouse import Warehouse
from odyssey_assets.market_data.tables import BARS, MACRO
from odyssey_assets.portfolio.tables import POLICIES, SEED_PATHS, TRAINING_CURVES, WEIGHTS
from odyssey_assets.settings import Settings

GROUP = "portfolio"
POLICY_POOL = "policy_training"
SINGLE_RUN = dg.BackfillPolicy.single_run()
LEARNED = "ppo"


def portfolio_assets(grid: PartitionGrid) -> list[dg.AssetsDefinition]:
    """Return the assets of the domain on the grid's windows, in pipeline order."""
    return [_policies(grid), _weights(grid)]


def _market_inputs() -> dict[str, dg.AssetIn]:
    """Return prices, forecasts and macro series of all tickers up to the end of the run."""
    of_cells = dg.MultiToSingleDimensionPartitionMapping(WINDOW_DIMENSION)
    whole_past = {**FROM_THE_BEGINNING, **OF_EVERY_TICKER}
    return {
        "bars": dg.AssetIn(list(BARS.key), partition_mapping=of_cells, metadata=whole_past),
        "predictions": dg.AssetIn(
            list(PREDICTIONS.key), partition_mapping=of_cells, metadata=whole_past
        ),
        "macro": dg.AssetIn(list(MACRO.key), metadata=FROM_THE_BEGINNING),
    }


def _policies(grid: PartitionGrid) -> dg.AssetsDefinition:
    @dg.multi_asset(
        name="train_policies",
        outs=asset_outs((POLICIES, TRAINING_CURVES), ["torch", "duckdb"]),
        ins=_market_inputs(),
        group_name=GROUP,
        partitions_def=grid.windows,
        backfill_policy=SINGLE_RUN,
        pool=POLICY_POOL,
    )
    def train_policies(
        context: dg.AssetExecutionContext,
        settings: dg.ResourceParam[Settings],
        warehouse: dg.ResourceParam[Warehouse],
        bars: pd.DataFrame,
        predictions: pd.DataFrame,
        macro: pd.DataFrame,
    ) -> tuple[pd.DataFrame, pd.DataFrame]:
        from odyssey_assets.infrastructure.model_store import ModelStore
        from odyssey_assets.infrastructure.tracking import Tracker
        from odyssey_assets.portfolio.market import market_of
        from odyssey_assets.portfolio.training import train_windows

        home, windows = home_of(settings), _windows_of(context)
        trained = train_windows(
            market_of(bars, predictions, macro, settings),
            windows,
            grid.window_list()[-1],
            warehouse.read(POLICIES, (Slice(end=windows[-1].start),)),
            settings,
            ModelStore(home.models),
            Tracker(home.mlflow),
            home.tensorboard,
            context.log.info,
        )
        _add_training_picture(context, trained.training_curves, settings)
        return (
            cut_to_run(context, trained.policies, POLICIES),
            cut_to_run(context, trained.training_curves, TRAINING_CURVES),
        )

    return train_policies


def _weights(grid: PartitionGrid) -> dg.AssetsDefinition:
    @dg.multi_asset(
        name="hold_portfolios",
        outs=asset_outs((WEIGHTS, SEED_PATHS), ["python", "duckdb"]),
        ins={
            **_market_inputs(),
            "policies": dg.AssetIn(list(POLICIES.key), metadata=FROM_THE_BEGINNING),
        },
        group_name=GROUP,
        partitions_def=grid.windows,
        backfill_policy=SINGLE_RUN,
    )
    def hold_portfolios(
        context: dg.AssetExecutionContext,
        settings: dg.ResourceParam[Settings],
        warehouse: dg.ResourceParam[Warehouse],
        champions: dg.ResourceParam[Champions],
        bars: pd.DataFrame,
        predictions: pd.DataFrame,
        macro: pd.DataFrame,
        policies: pd.DataFrame,
    ) -> tuple[pd.DataFrame, pd.DataFrame]:
        from odyssey_assets.infrastructure.model_store import ModelStore
        from odyssey_assets.portfolio.competition import compete
        from odyssey_assets.portfolio.deciders import RECORD_COLUMNS
        from odyssey_assets.portfolio.market import market_of

        held = compete(
            market_of(bars, predictions, macro, settings),
            policies,
            settings,
            ModelStore(home_of(settings).models),
            champions.reigns("policy"),
            warehouse.read(WEIGHTS, columns=RECORD_COLUMNS),
        )
        _add_weight_pictures(context, held.weights, settings)
        return (
            cut_to_run(context, held.weights, WEIGHTS),
            cut_to_run(context, held.seed_paths, SEED_PATHS),
        )

    return hold_portfolios


def _windows_of(context: dg.AssetExecutionContext) -> Sequence[Window]:
    return sorted(parse_window(key) for key in context.partition_keys)


def _add_training_picture(
    context: dg.AssetExecutionContext, curves: pd.DataFrame, settings: Settings
) -> None:
    """Attach how the newest window of the run was learned."""
    from odyssey_assets.portfolio.charts import training_chart

    if curves.empty:
        return
    figure = training_chart(curves, is_simulated=settings.source == "simulated")
    context.add_asset_metadata(
        {"training": picture(figure, "Reward and validation Sharpe ratio by training step")},
        asset_key=list(TRAINING_CURVES.key),
        partition_key=_windows_of(context)[-1].key,
    )


def _add_weight_pictures(
    context: dg.AssetExecutionContext, weights: pd.DataFrame, settings: Settings
) -> None:
    """Attach what each policy held over time and what it wants now."""
    from odyssey_assets.portfolio.charts import newest_portfolio_chart, weights_chart

    is_simulated = settings.source == "simulated"
    pictures = {}
    for policy, rows in weights.groupby("policy"):
        over_time = weights_chart(rows, is_simulated=is_simulated)
        pictures[f"weights_{policy}"] = picture(over_time, f"Weights of {policy} over time")
        if policy == LEARNED:
            newest = newest_portfolio_chart(rows, is_simulated=is_simulated)
            pictures["newest_portfolio"] = picture(newest, f"Newest target weights of {policy}")
    context.add_asset_metadata(
        pictures, asset_key=list(WEIGHTS.key), partition_key=_windows_of(context)[-1].key
    )
