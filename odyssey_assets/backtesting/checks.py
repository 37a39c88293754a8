"""What must be true of backtests: contracts, money that adds up, fills that could have happened.

The arithmetic lies in `backtesting.reconciliation`, `feasibility`, `fill_rules` and `comparison`.
"""

from typing import Any

import dagster as dg
import pandas as pd

from odyssey_assets.backtesting.tables import (
    COMPARISONS,
    DAILY,
    PERFORMANCE,
    SUMMARY_TABLES,
    TRADES,
    WINDOW_TABLES,
)
from odyssey_assets.core.windows import parse_window
from odyssey_assets.infrastructure.contract_checks import build_contract_check
from odyssey_assets.infrastructure.partitions import PartitionGrid, slices_of
from odyssey_assets.infrastructure.warehouse import Warehouse
from odyssey_assets.market_data.tables import BARS, MACRO, QUARANTINE
from odyssey_assets.portfolio.catalog import POLICIES
from odyssey_assets.portfolio.tables import SEED_PATHS, WEIGHTS
from odyssey_assets.settings import Settings

MAX_EXAMPLES = 10
BASELINE = "equal_weight"
COMPARED_FIGURES = (
    "sessions", "sharpe", "baseline_sharpe", "difference", "difference_error", "is_clear",
    "seed_count", "sharpe_seed_low", "sharpe_seed_high",
)  # fmt: skip


def backtest_checks(grid: PartitionGrid) -> list[dg.AssetChecksDefinition]:
    """Return the checks of the domain on the grid's windows."""
    return [
        *(build_contract_check(contract, grid.windows) for contract in WINDOW_TABLES),
        _weights_are_feasible(grid),
        _fills_could_have_happened(grid),
        _equity_reconciles_from_trades(grid),
    ]


def summary_checks() -> list[dg.AssetChecksDefinition]:
    """Return the checks of the domain over the whole history."""
    return [
        *(build_contract_check(contract) for contract in SUMMARY_TABLES),
        _turnover_and_costs_stay_below_settings(),
        _learned_policies_beat_equal_weight(),
    ]


def _weights_are_feasible(grid: PartitionGrid) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=list(WEIGHTS.key),
        partitions_def=grid.windows,
        blocking=True,
        description="Targets keep every limit on every date, and change only at decisions.",
    )
    def weights_are_feasible(
        context: dg.AssetCheckExecutionContext,
        settings: dg.ResourceParam[Settings],
        warehouse: dg.ResourceParam[Warehouse],
    ) -> dg.AssetCheckResult:
        from odyssey_assets.backtesting.feasibility import halted_positions, infeasible_targets

        weights = warehouse.read(WEIGHTS)
        limits = {entry.name: entry.limits(settings) for entry in POLICIES}
        kept = halted_positions(weights)
        return _result(
            _of_run(context, infeasible_targets(weights, limits)),
            {"rows_checked": len(weights), "kept_without_a_bar": len(_of_run(context, kept))},
        )

    return weights_are_feasible


def _fills_could_have_happened(grid: PartitionGrid) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=list(TRADES.key),
        partitions_def=grid.windows,
        additional_deps=[list(BARS.key), list(QUARANTINE.key)],
        blocking=True,
        description="No fill on a quarantined or filled bar; each at its open, after its decision.",
    )
    def fills_could_have_happened(
        context: dg.AssetCheckExecutionContext, warehouse: dg.ResourceParam[Warehouse]
    ) -> dg.AssetCheckResult:
        from odyssey_assets.backtesting.fill_rules import impossible_fills

        slices = slices_of(context.partition_keys)
        trades = warehouse.read(TRADES, slices)
        found = impossible_fills(
            trades, warehouse.read(BARS, slices), warehouse.read(QUARANTINE, slices)
        )
        return _result(found, {"fills_checked": len(trades)})

    return fills_could_have_happened


def _equity_reconciles_from_trades(grid: PartitionGrid) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=list(DAILY.key),
        partitions_def=grid.windows,
        additional_deps=[list(each.key) for each in (TRADES, BARS, MACRO, WEIGHTS, SEED_PATHS)],
        blocking=True,
        description=(
            "A second bookkeeping from the fills alone gives the same equity, cash and held "
            "weights. If it fails in older windows only, settings changed: refresh all windows."
        ),
    )
    def equity_reconciles_from_trades(
        context: dg.AssetCheckExecutionContext,
        settings: dg.ResourceParam[Settings],
        warehouse: dg.ResourceParam[Warehouse],
    ) -> dg.AssetCheckResult:
        from odyssey_assets.backtesting.audit import unreconciled

        daily = warehouse.read(DAILY)
        found = unreconciled(
            daily,
            warehouse.read(TRADES),
            warehouse.read(WEIGHTS),
            warehouse.read(SEED_PATHS),
            warehouse.read(BARS),
            warehouse.read(MACRO),
            settings,
        )
        return _result(_of_run(context, found), {"rows_checked": len(daily)})

    return equity_reconciles_from_trades


def _turnover_and_costs_stay_below_settings() -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=list(PERFORMANCE.key),
        description="No strategy trades or pays more a year than the settings wish.",
    )
    def turnover_and_costs_stay_below_settings(
        settings: dg.ResourceParam[Settings], warehouse: dg.ResourceParam[Warehouse]
    ) -> dg.AssetCheckResult:
        from odyssey_assets.backtesting.comparison import excessive_trading

        found = excessive_trading(
            warehouse.read(PERFORMANCE),
            settings.portfolio.max_annual_turnover,
            settings.portfolio.max_annual_cost,
        )
        return _result(found, {}, dg.AssetCheckSeverity.WARN)

    return turnover_and_costs_stay_below_settings


def _learned_policies_beat_equal_weight() -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=list(COMPARISONS.key),
        description=(
            "Each learned policy has a higher Sharpe ratio after costs than equal weight, on the "
            "sessions they share. Where it has not, it has not earned its keep."
        ),
    )
    def learned_policies_beat_equal_weight(
        warehouse: dg.ResourceParam[Warehouse],
    ) -> dg.AssetCheckResult:
        rows = warehouse.read(COMPARISONS)
        learned = [entry.name for entry in POLICIES if entry.is_learned]
        compared = rows[rows["strategy"].isin(learned) & (rows["baseline"] == BASELINE)]
        return dg.AssetCheckResult(
            passed=bool(compared["is_better"].all()),
            severity=dg.AssetCheckSeverity.WARN,
            metadata={
                "compared": len(compared),
                **{
                    f"{row['strategy']}_{name}": row[name]
                    for row in compared.to_dict("records")
                    for name in COMPARED_FIGURES
                    if not pd.isna(row[name])
                },
            },
        )

    return learned_policies_beat_equal_weight


def _of_run(context: dg.AssetCheckExecutionContext, found: pd.DataFrame) -> pd.DataFrame:
    """Return the findings dated inside the run's windows."""
    windows = sorted(parse_window(key) for key in context.partition_keys)
    first, end = pd.Timestamp(windows[0].start), pd.Timestamp(windows[-1].end)
    is_inside = (found["date"] >= first) & (found["date"] < end)
    return found[is_inside]


def _result(
    found: pd.DataFrame,
    counts: dict[str, int],
    severity: dg.AssetCheckSeverity = dg.AssetCheckSeverity.ERROR,
) -> dg.AssetCheckResult:
    metadata: dict[str, Any] = {**counts, "violations": len(found)}
    if len(found):
        shown = found.head(MAX_EXAMPLES).astype(str)
        metadata["examples"] = dg.MetadataValue.table(
            [dg.TableRecord(row) for row in shown.to_dict("records")],
            schema=dg.TableSchema([dg.TableColumn(name, type="string") for name in found.columns]),
        )
    return dg.AssetCheckResult(passed=found.empty, severity=severity, metadata=metadata)
