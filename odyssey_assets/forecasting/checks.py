"""What must be true of forecasts: their contracts, their honesty, and whether they are any good."""

import dagster as dg
import pandas as pd

from odyssey_assets.core.collaborators import Champions
from odyssey_assets.core.made_anew import MADE_ANEW
from odyssey_assets.forecasting.tables import (
    FOLDS,
    PREDICTIONS,
    TABLES,
    VERSION_TABLES,
)
from odyssey_assets.infrastructure.contract_checks import build_contract_check
from odyssey_assets.infrastructure.home import home_of
from odyssey_assets.infrastructure.partitions import PartitionGrid, slices_of, windows_by_ticker
from odyssey_assets.infrastructure.warehouse import Warehouse
from odyssey_assets.settings import Settings

BASELINE_MODEL = "historical_mean"
DEFAULT_MODEL = "xgboost"


def forecasting_checks(grid: PartitionGrid) -> list[dg.AssetChecksDefinition]:
    """Return the checks of the domain on the given grid."""
    return [
        *(build_contract_check(contract, grid.cells) for contract in TABLES),
        _forecasts_follow_their_training(grid),
        _model_beats_the_historical_mean(grid),
        _reigning_models_are_loadable(grid),
    ]


def version_checks() -> list[dg.AssetChecksDefinition]:
    """Return the checks of challengers and trials, which have no partitions."""
    return [build_contract_check(contract) for contract in VERSION_TABLES]


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


def _reigning_models_are_loadable(grid: PartitionGrid) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=list(PREDICTIONS.key),
        partitions_def=grid.cells,
        description=(
            "Every model that was put in the place of a window's own is whole and where it "
            "belongs, and no window's own had to be made anew because its file was altered. Where "
            "not, the model before it, or the same one made anew, serves."
        ),
    )
    def reigning_models_are_loadable(
        context: dg.AssetCheckExecutionContext,
        settings: dg.ResourceParam[Settings],
        warehouse: dg.ResourceParam[Warehouse],
        champions: dg.ResourceParam[Champions],
    ) -> dg.AssetCheckResult:
        from odyssey_assets.forecasting.serving import unusable_reigns
        from odyssey_assets.infrastructure.model_store import ModelStore

        windows = windows_by_ticker(context.partition_keys)
        reigns = [
            reign
            for reign in champions.reigns("forecaster")
            if reign.window in windows.get(reign.subject, ())
        ]
        folds = warehouse.read(
            FOLDS, slices_of(context.partition_keys), ("ticker", "window", "model_name")
        )
        altered = folds[folds["model_name"].str.endswith(MADE_ANEW, na=False)]
        failed = [
            *unusable_reigns(reigns, settings, ModelStore(home_of(settings).models)),
            *made_anew(altered),
        ]
        return dg.AssetCheckResult(
            passed=not failed,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={"reigns": len(reigns), "failed_partitions": failed},
        )

    return reigning_models_are_loadable


def made_anew(folds: pd.DataFrame) -> list[dict[str, str]]:
    """Return which of the windows' own models stand in for an altered file, and why."""
    return [
        {
            "ticker": str(ticker),
            "window": f"{window:%Y-%m-%d}",
            "model": str(name),
            "reason": (
                f"The file of {str(name).removesuffix(MADE_ANEW)} does not carry this home's "
                "signature: the same model was fitted anew and serves. Find out who changed it; "
                "delete its folder."
            ),
        }
        for ticker, window, name in folds[["ticker", "window", "model_name"]].itertuples(
            index=False
        )
    ]


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
