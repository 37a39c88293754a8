"""The assets of `backtesting`: equity and fills by window, and what the whole history amounts to.

Daily equity and trades have windows; figures over the whole history have no partitions and are
rebuilt as one.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import dagster as dg
import pandas as pd

from odyssey_assets.backtesting.tables import (
    COMPARISONS,
    DAILY,
    MONTE_CARLO,
    PERFORMANCE,
    REGIMES,
    STRESS,
    TEAR_SHEETS,
    TRADES,
)
from odyssey_assets.contracts import TableContract
from odyssey_assets.features.tables import FEATURES_TABLE
from odyssey_assets.infrastructure.home import Home, home_of
from odyssey_assets.infrastructure.io_manager import (
    FROM_THE_BEGINNING,
    OF_EVERY_TICKER,
    asset_outs,
)
from odyssey_assets.infrastructure.partitions import WINDOW_DIMENSION, PartitionGrid, cut_to_run
from odyssey_assets.infrastructure.pictures import picture
from odyssey_assets.infrastructure.report_server import report_address
from odyssey_assets.infrastructure.warehouse import Warehouse
from odyssey_assets.market_data.tables import BARS, MACRO
from odyssey_assets.portfolio.catalog import chosen_policies
from odyssey_assets.portfolio.tables import SEED_PATHS, WEIGHTS
from odyssey_assets.settings import Settings

if TYPE_CHECKING:
    from matplotlib.figure import Figure

GROUP = "backtesting"
KINDS = ("python", "duckdb")
REGIME_COLUMNS = ("ticker", "date", "regime")


def backtest_assets(grid: PartitionGrid) -> list[dg.AssetsDefinition]:
    """Return the assets of the domain on the grid's windows."""
    return [_backtests(grid)]


def summary_assets() -> list[dg.AssetsDefinition]:
    """Return the assets of the domain over the whole history, in pipeline order."""
    return [_performance(), _monte_carlo(), _stress(), _regimes(), _tear_sheets()]


def _backtests(grid: PartitionGrid) -> dg.AssetsDefinition:
    @dg.multi_asset(
        name="backtest_strategies",
        outs=asset_outs((DAILY, TRADES), ["python", "duckdb"]),
        ins={
            "weights": dg.AssetIn(list(WEIGHTS.key), metadata=FROM_THE_BEGINNING),
            "bars": dg.AssetIn(
                list(BARS.key),
                partition_mapping=dg.MultiToSingleDimensionPartitionMapping(WINDOW_DIMENSION),
                metadata={**FROM_THE_BEGINNING, **OF_EVERY_TICKER},
            ),
            "macro": dg.AssetIn(list(MACRO.key), metadata=FROM_THE_BEGINNING),
        },
        group_name=GROUP,
        partitions_def=grid.windows,
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def backtest_strategies(
        context: dg.AssetExecutionContext,
        settings: dg.ResourceParam[Settings],
        weights: pd.DataFrame,
        bars: pd.DataFrame,
        macro: pd.DataFrame,
    ) -> tuple[pd.DataFrame, pd.DataFrame]:
        from odyssey_assets.backtesting.engine import backtest

        result = backtest(weights, bars, macro, settings)
        return (
            cut_to_run(context, result.daily, DAILY),
            cut_to_run(context, result.trades, TRADES),
        )

    return backtest_strategies


def _performance() -> dg.AssetsDefinition:
    @dg.multi_asset(
        name="measure_performance",
        outs=asset_outs((PERFORMANCE, COMPARISONS), KINDS),
        ins=_inputs(DAILY, SEED_PATHS, BARS),
        group_name=GROUP,
    )
    def measure(
        context: dg.AssetExecutionContext,
        settings: dg.ResourceParam[Settings],
        daily: pd.DataFrame,
        seed_paths: pd.DataFrame,
        bars: pd.DataFrame,
    ) -> tuple[pd.DataFrame, pd.DataFrame]:
        from odyssey_assets.backtesting.comparison import comparison_rows
        from odyssey_assets.backtesting.gallery import equity_gallery
        from odyssey_assets.backtesting.performance import measure_performance

        rows = measure_performance(daily, seed_paths, bars, settings.proxy)
        _add_pictures(context, equity_gallery(daily, seed_paths, rows), PERFORMANCE.name)
        return rows, comparison_rows(daily, rows)

    return measure


def _monte_carlo() -> dg.AssetsDefinition:
    @dg.multi_asset(
        name="resample_returns",
        outs=asset_outs((MONTE_CARLO,), KINDS),
        ins=_inputs(DAILY),
        group_name=GROUP,
    )
    def resample(
        context: dg.AssetExecutionContext,
        settings: dg.ResourceParam[Settings],
        daily: pd.DataFrame,
    ) -> pd.DataFrame:
        from odyssey_assets.backtesting.gallery import drawn_alone
        from odyssey_assets.backtesting.monte_carlo import monte_carlo_rows, wealth_fan
        from odyssey_assets.backtesting.risk_charts import monte_carlo_chart

        rows, fan = monte_carlo_rows(daily, settings), wealth_fan(daily, settings)
        _add_pictures(
            context,
            {
                f"fan_{strategy}": (
                    monte_carlo_chart(rows, fan, strategy),
                    f"Wealth of {strategy} over resampled paths",
                )
                for strategy in drawn_alone(rows["strategy"].unique())
            },
        )
        return rows

    return resample


def _stress() -> dg.AssetsDefinition:
    @dg.multi_asset(
        name="stress_strategies",
        outs=asset_outs((STRESS,), KINDS),
        ins=_inputs(DAILY, WEIGHTS, BARS, MACRO),
        group_name=GROUP,
    )
    def stress(
        context: dg.AssetExecutionContext,
        settings: dg.ResourceParam[Settings],
        daily: pd.DataFrame,
        weights: pd.DataFrame,
        bars: pd.DataFrame,
        macro: pd.DataFrame,
    ) -> pd.DataFrame:
        from odyssey_assets.backtesting.risk_charts import stress_chart
        from odyssey_assets.backtesting.stress import stress_rows

        rows = stress_rows(daily, weights, bars, macro, settings)
        chart = stress_chart(rows, settings.proxy)
        _add_pictures(context, {"stress": (chart, "Every strategy in crises and shocks")})
        return rows

    return stress


def _regimes() -> dg.AssetsDefinition:
    @dg.multi_asset(
        name="split_by_regime",
        outs=asset_outs((REGIMES,), KINDS),
        ins=_inputs(DAILY),
        deps=[list(FEATURES_TABLE.key)],
        group_name=GROUP,
    )
    def split(
        context: dg.AssetExecutionContext,
        settings: dg.ResourceParam[Settings],
        warehouse: dg.ResourceParam[Warehouse],
        daily: pd.DataFrame,
    ) -> pd.DataFrame:
        from odyssey_assets.backtesting.regimes import measure_regimes
        from odyssey_assets.backtesting.risk_charts import regime_chart

        features = warehouse.read(FEATURES_TABLE, columns=REGIME_COLUMNS)
        rows = measure_regimes(daily, features, settings.proxy)
        _add_pictures(context, {"regimes": (regime_chart(rows), "Strategies by market regime")})
        return rows

    return split


def _tear_sheets() -> dg.AssetsDefinition:
    @dg.multi_asset(
        name="write_tear_sheets",
        outs=asset_outs((TEAR_SHEETS,), ["plotly", "duckdb"]),
        ins=_inputs(DAILY, TRADES, PERFORMANCE, MONTE_CARLO, STRESS, REGIMES, WEIGHTS, SEED_PATHS),
        group_name=GROUP,
    )
    def write(
        context: dg.AssetExecutionContext,
        settings: dg.ResourceParam[Settings],
        daily: pd.DataFrame,
        trades: pd.DataFrame,
        performance: pd.DataFrame,
        monte_carlo: pd.DataFrame,
        stress: pd.DataFrame,
        regimes: pd.DataFrame,
        weights: pd.DataFrame,
        seed_paths: pd.DataFrame,
    ) -> pd.DataFrame:
        from odyssey_assets.backtesting.monte_carlo import wealth_fan
        from odyssey_assets.backtesting.simulation_rules import simulation_rules
        from odyssey_assets.backtesting.tear_sheet import TearSheetInputs, write_tear_sheets

        home, present = home_of(settings), set(daily["strategy"])
        chosen = {entry.name: entry.description for entry in chosen_policies(settings)}
        inputs = TearSheetInputs(
            descriptions={name: text for name, text in chosen.items() if name in present},
            daily=daily,
            trades=trades,
            performance=performance,
            monte_carlo=monte_carlo,
            wealth_fan=wealth_fan(daily, settings),
            stress=stress,
            regimes=regimes,
            weights=weights,
            seed_paths=seed_paths,
            proxy=settings.proxy,
            rules=simulation_rules(settings),
        )
        rows = write_tear_sheets(inputs, home.tear_sheets, home.root)
        _add_links(context, home, rows, settings.reports_port)
        return rows

    return write


def _add_links(
    context: dg.AssetExecutionContext, home: Home, rows: pd.DataFrame, port: int
) -> None:
    """Link every sheet: its address while the UI runs, and its file."""
    files = {
        name: home.root / path for name, path in zip(rows["strategy"], rows["path"], strict=True)
    }
    addresses = {
        name: dg.MetadataValue.url(report_address(port, home.reports, file))
        for name, file in files.items()
    }
    paths = {f"{name}_file": dg.MetadataValue.path(str(file)) for name, file in files.items()}
    context.add_output_metadata({**addresses, **paths})


def _inputs(*contracts: TableContract) -> dict[str, dg.AssetIn]:
    """Return whole tables as inputs named as they are."""
    return {contract.name: dg.AssetIn(list(contract.key)) for contract in contracts}


def _add_pictures(
    context: dg.AssetExecutionContext,
    figures: Mapping[str, tuple["Figure", str]],
    output: str | None = None,
) -> None:
    context.add_output_metadata(
        {name: picture(figure, text) for name, (figure, text) in figures.items()}, output
    )
