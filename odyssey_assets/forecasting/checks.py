"""What must be true of forecasts: their contracts, their honesty, and whether they are any good."""

import dagster as dg
import pandas as pd

from odyssey_assets.forecasting.tables import FOLDS, PREDICTIONS, TABLES
from odyssey_assets.infrastructure.contract_checks import build_contract_check
from odyssey_assets.infrastructure.partitions import PartitionGrid, slices_of
from odyssey_assets.infrastructure.warehouse import Warehouse

BASELINE_MODEL = "historical_mean"
DEFAULT_MODEL = "xgboost"


def forecasting_checks(grid: PartitionGrid) -> list[dg.AssetChecksDefinition]:
    """Return the checks of the domain on the given grid."""
    return [
        *(build_contract_check(contract, grid.cells) for contract in TABLES),
        _forecasts_follow_their_training(grid),
        _model_beats_the_historical_mean(grid),
    ]


def _forecasts_follow_their_training(grid: PartitionGrid) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=list(PREDICTIONS.key),
        partitions_def=grid.cells,
        blocking=True,
        description="No model forecasts a session whose data it had seen.",
    )
    def forecasts_follow_their_training(
        context: dg.AssetCheckExecutionContext, warehouse: dg.ResourceParam[Warehouse]
    ) -> dg.AssetCheckResult:
        predictions = warehouse.read(PREDICTIONS, slices_of(context.partition_keys))
        is_early = predictions["date"] <= predictions["trained_as_of"]
        is_outside = predictions["date"] < predictions["window"]
        failed = predictions[is_early | is_outside]
        return dg.AssetCheckResult(
            passed=failed.empty,
            metadata={
                "expected": "date > trained_as_of and date >= window",
                "forecasts": len(predictions),
                "violations": len(failed),
                "failed_partitions": failed_partitions(failed),
            },
        )

    return forecasts_follow_their_training


def _model_beats_the_historical_mean(grid: PartitionGrid) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=list(FOLDS.key),
        partitions_def=grid.cells,
        description=(
            "Over the run's windows the default model's out-of-sample error is below that of the "
            "historical mean. Where it is not, the forecast has no value by this measure."
        ),
    )
    def model_beats_the_historical_mean(
        context: dg.AssetCheckExecutionContext, warehouse: dg.ResourceParam[Warehouse]
    ) -> dg.AssetCheckResult:
        folds = warehouse.read(FOLDS, slices_of(context.partition_keys))
        errors = root_mean_squared_errors(folds)
        means = errors.mean().dropna()
        losers = errors[errors[DEFAULT_MODEL] >= errors[BASELINE_MODEL]]
        return dg.AssetCheckResult(
            passed=losers.empty,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={
                "tickers": len(errors),
                "tickers_beaten": len(losers),
                **{f"mean_rmse_{model}": float(mean) for model, mean in means.items()},
                "failed_tickers": [
                    {"ticker": str(ticker), "value": float(error), "threshold": float(baseline)}
                    for ticker, error, baseline in losers.itertuples()
                ],
            },
        )

    return model_beats_the_historical_mean


def root_mean_squared_errors(folds: pd.DataFrame) -> pd.DataFrame:
    """Return the out-of-sample RMSE by ticker (rows) and model (columns), pooled over folds."""
    scored = folds[folds["rmse"].notna()]
    squared = (scored["rmse"] ** 2 * scored["scored_rows"]).rename("squared")
    sums = (
        scored.assign(squared=squared)
        .groupby(["ticker", "model"])[["squared", "scored_rows"]]
        .sum()
    )
    errors = (sums["squared"] / sums["scored_rows"]).pow(0.5).rename("rmse").reset_index()
    errors = errors.pivot_table(index="ticker", columns="model", values="rmse")
    return errors.reindex(columns=[DEFAULT_MODEL, BASELINE_MODEL]).dropna()


def failed_partitions(rows: pd.DataFrame) -> list[dict[str, str]]:
    """Return the tickers and windows of `rows`, each once."""
    cells = rows[["ticker", "window"]].drop_duplicates()
    return [
        {"ticker": str(ticker), "window": f"{window:%Y-%m-%d}"}
        for ticker, window in zip(cells["ticker"], cells["window"], strict=True)
    ]
