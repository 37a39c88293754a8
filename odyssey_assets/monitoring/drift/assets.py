"""The assets of `monitoring.drift`: how far windows moved, and whether that is too far."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

import dagster as dg
import pandas as pd
from pydantic import Field

from odyssey_assets.core.collaborators import Champions
from odyssey_assets.core.slices import Slice
from odyssey_assets.core.windows import Window, window_of
from odyssey_assets.features.tables import FEATURES_TABLE
from odyssey_assets.forecasting.tables import CHALLENGERS, FOLDS, PREDICTIONS
from odyssey_assets.infrastructure.home import Home, home_of
from odyssey_assets.infrastructure.io_manager import asset_outs
from odyssey_assets.infrastructure.partitions import (
    PartitionGrid,
    cell_key,
    cut_to_run,
    history_mapping,
    last_session,
    windows_by_ticker,
)
from odyssey_assets.infrastructure.pictures import picture
from odyssey_assets.infrastructure.report_server import report_address
from odyssey_assets.infrastructure.warehouse import Warehouse
from odyssey_assets.monitoring.tables import DRIFT, DRIFT_SUMMARY
from odyssey_assets.settings import Settings

if TYPE_CHECKING:
    from odyssey_assets.monitoring.drift.judging import Judged

GROUP = "monitoring"


class DriftConfig(dg.Config):
    """What a person may ask of one run."""

    is_report_wanted: bool = Field(
        default=False,
        description="Write a report for the newest windows of the run even if nothing drifted.",
    )


def drift_assets(grid: PartitionGrid) -> list[dg.AssetsDefinition]:
    """Return the assets of drift on the given grid."""
    return [_drift(grid)]


def _drift(grid: PartitionGrid) -> dg.AssetsDefinition:
    past = history_mapping(grid)

    @dg.multi_asset(
        name="measure_drift",
        outs=asset_outs((DRIFT, DRIFT_SUMMARY), ["evidently", "duckdb"]),
        ins={
            contract.name: dg.AssetIn(list(contract.key), partition_mapping=past)
            for contract in (FEATURES_TABLE, PREDICTIONS, FOLDS)
        },
        group_name=GROUP,
        partitions_def=grid.cells,
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def measure_drift(
        context: dg.AssetExecutionContext,
        config: DriftConfig,
        settings: dg.ResourceParam[Settings],
        warehouse: dg.ResourceParam[Warehouse],
        champions: dg.ResourceParam[Champions],
        features: pd.DataFrame,
        predictions: pd.DataFrame,
        folds: pd.DataFrame,
    ) -> tuple[pd.DataFrame, pd.DataFrame]:
        from odyssey_assets.infrastructure.model_store import ModelStore
        from odyssey_assets.monitoring.drift.judging import cells_to_judge, judge_and_report
        from odyssey_assets.monitoring.drift.measurement import measure_drift
        from odyssey_assets.monitoring.drift.past_scores import PAST_COLUMNS
        from odyssey_assets.monitoring.drift.samples import verdict_tasks

        home, windows = home_of(settings), windows_by_ticker(context.partition_keys)
        running = window_of(last_session(settings))
        wanted = settings.drift.reports_kept if config.is_report_wanted else 0
        cells = cells_to_judge(windows, running, wanted)
        measured = measure_drift(
            features,
            folds,
            warehouse.read(CHALLENGERS),
            predictions,
            champions.reigns("forecaster"),
            windows,
            settings,
            ModelStore(home.models),
            warehouse.read(DRIFT, _before(windows), PAST_COLUMNS),
            cells,
        )
        tasks = verdict_tasks(
            measured.samples, cells, settings.drift.method, is_report_wanted=wanted > 0
        )
        judged = judge_and_report(
            measured.summary, tasks, running, home.reports, settings.drift, settings.workers
        )
        _add_notes(context, judged, home, settings)
        past = warehouse.read(DRIFT_SUMMARY, _before(windows))
        _add_pictures(context, measured.drift, pd.concat([past, judged.summary]), settings)
        return (
            cut_to_run(context, measured.drift, DRIFT),
            cut_to_run(context, judged.summary, DRIFT_SUMMARY),
        )

    return measure_drift


def _before(windows: Mapping[str, Sequence[Window]]) -> tuple[Slice, ...]:
    """Return each ticker's past: everything before its first window of the run."""
    tickers: dict[date, list[str]] = {}
    for ticker, own in windows.items():
        tickers.setdefault(min(own).start, []).append(ticker)
    return tuple(Slice(tuple(named), end=start) for start, named in sorted(tickers.items()))


def _add_notes(
    context: dg.AssetExecutionContext, judged: "Judged", home: Home, settings: Settings
) -> None:
    """Link every report from the cell it is of, and say what went wrong."""
    for problem in judged.problems:
        context.log.warning(problem)
    for task, file in judged.reports:
        address = report_address(settings.reports_port, home.reports, file)
        context.add_asset_metadata(
            {
                "report": dg.MetadataValue.url(address),
                "report_file": dg.MetadataValue.path(str(file)),
            },
            asset_key=list(DRIFT_SUMMARY.key),
            partition_key=cell_key(task.window, task.ticker),
        )
    counts = {"reports_written": len(judged.reports), "problems": list(judged.problems)}
    context.add_output_metadata(counts, DRIFT_SUMMARY.name)


def _add_pictures(
    context: dg.AssetExecutionContext,
    drift: pd.DataFrame,
    summary: pd.DataFrame,
    settings: Settings,
) -> None:
    """Attach what moved in the newest window, and how often it did before."""
    from odyssey_assets.monitoring.drift.charts import p_value_chart, share_chart

    is_simulated = settings.source == "simulated"
    windows = windows_by_ticker(context.partition_keys)
    ticker = max(windows, key=lambda name: (windows[name][-1], name))
    newest = cell_key(windows[ticker][-1], ticker)
    heat = p_value_chart(drift, settings.drift.method, is_simulated=is_simulated)
    shares = share_chart(summary, is_simulated=is_simulated)
    for contract, name, figure, text in (
        (DRIFT, "p_values", heat, "How unusual each input of each ticker is"),
        (DRIFT_SUMMARY, "share_drifted", shares, "Share of drifted inputs by ticker and window"),
    ):
        context.add_asset_metadata(
            {name: picture(figure, text)}, asset_key=list(contract.key), partition_key=newest
        )
