"""The assets of `market_data`: fetch, clean, keep what was rejected.

Bodies take frames and resources, call one pure function and return frames; the I/O manager checks
and stores them.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

import dagster as dg
import pandas as pd

from odyssey_assets.core.sessions import sessions_between
from odyssey_assets.infrastructure.io_manager import asset_metadata, asset_outs
from odyssey_assets.infrastructure.partitions import (
    PartitionGrid,
    cell_key,
    cut_to_run,
    history_mapping,
    last_session,
    slices_of,
    windows_by_ticker,
)
from odyssey_assets.infrastructure.pictures import picture
from odyssey_assets.infrastructure.sql_assets import PictureMaker
from odyssey_assets.infrastructure.warehouse import Warehouse
from odyssey_assets.market_data.cleaning import CleanedBars, clean_bars
from odyssey_assets.market_data.ingestion import (
    ingest_bars,
    ingest_macro,
    with_stored_series,
)
from odyssey_assets.market_data.source import PriceSource
from odyssey_assets.market_data.tables import BARS, MACRO, QUARANTINE, RAW_BARS
from odyssey_assets.settings import Settings

GROUP = "market_data"
DELIVERED_CHECK = "every_ticker_was_delivered"
SERIES_CHECK = "every_series_was_delivered"
SINGLE_RUN = dg.BackfillPolicy.single_run()


def macro_assets(grid: PartitionGrid) -> list[dg.AssetsDefinition]:
    """Return the assets of the domain that have windows but no tickers."""
    return [_macro(grid)]


def market_data_assets(grid: PartitionGrid) -> list[dg.AssetsDefinition]:
    """Return the ticker-level assets of the domain, in pipeline order."""
    return [_raw_bars(grid), _bars_and_quarantine(grid)]


def data_quality_pictures(settings: Settings) -> PictureMaker:
    """Return what adds the missing-data map to the data-quality mart."""

    def pictures(warehouse: Warehouse) -> Mapping[str, dg.MetadataValue]:
        from odyssey_assets.market_data.charts import missing_data_map

        sessions = sessions_between(settings.start, last_session(settings))
        figure = missing_data_map(warehouse.read(BARS), sessions, settings.tickers)
        return {"missing_data": picture(figure, "Missing and filled sessions by ticker")}

    return pictures


def _macro(grid: PartitionGrid) -> dg.AssetsDefinition:
    @dg.asset(
        key=list(MACRO.key),
        group_name=GROUP,
        description=MACRO.description,
        metadata=asset_metadata(MACRO),
        partitions_def=grid.windows,
        backfill_policy=SINGLE_RUN,
        check_specs=[
            dg.AssetCheckSpec(
                SERIES_CHECK,
                asset=list(MACRO.key),
                description="The source delivered every macro series; of others the old rows stay.",
            )
        ],
        kinds={"python", "duckdb"},
    )
    def macro(
        context: dg.AssetExecutionContext,
        settings: dg.ResourceParam[Settings],
        source: dg.ResourceParam[PriceSource],
        warehouse: dg.ResourceParam[Warehouse],
    ) -> Iterator[dg.Output[pd.DataFrame] | dg.AssetCheckResult]:
        slices = slices_of(context.partition_keys)
        start = max(settings.start, min(part.start for part in slices if part.start))
        ingestion = ingest_macro(source, settings.macro_series, start, last_session(settings))
        rows = with_stored_series(ingestion, warehouse.read(MACRO, slices), source)
        yield dg.Output(cut_to_run(context, rows, MACRO), metadata={"source": source.name})
        yield dg.AssetCheckResult(
            check_name=SERIES_CHECK,
            passed=not ingestion.failures,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={
                "expected": len(settings.macro_series),
                "not_delivered": dict(ingestion.failures),
            },
        )

    return macro


def _raw_bars(grid: PartitionGrid) -> dg.AssetsDefinition:
    @dg.asset(
        key=list(RAW_BARS.key),
        group_name=GROUP,
        description=RAW_BARS.description,
        metadata=asset_metadata(RAW_BARS),
        partitions_def=grid.cells,
        backfill_policy=SINGLE_RUN,
        check_specs=[
            dg.AssetCheckSpec(
                DELIVERED_CHECK,
                asset=list(RAW_BARS.key),
                description="The source delivered every ticker of the run; the others go on.",
            )
        ],
        kinds={"python", "duckdb"},
    )
    def raw_bars(
        context: dg.AssetExecutionContext,
        settings: dg.ResourceParam[Settings],
        source: dg.ResourceParam[PriceSource],
    ) -> Iterator[dg.Output[pd.DataFrame] | dg.AssetCheckResult]:
        windows = windows_by_ticker(context.partition_keys)
        start = max(settings.start, min(each[0].start for each in windows.values()))
        ingestion = ingest_bars(
            source, tuple(windows), start, last_session(settings), datetime.now(UTC)
        )
        yield dg.Output(ingestion.rows, metadata={"source": source.name})
        yield dg.AssetCheckResult(
            check_name=DELIVERED_CHECK,
            passed=not ingestion.failures,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={"expected": len(windows), "not_delivered": dict(ingestion.failures)},
        )

    return raw_bars


def _bars_and_quarantine(grid: PartitionGrid) -> dg.AssetsDefinition:
    @dg.multi_asset(
        name="clean_bars",
        outs=asset_outs((BARS, QUARANTINE), ["python", "duckdb"]),
        ins={"raw": dg.AssetIn(list(RAW_BARS.key), partition_mapping=history_mapping(grid))},
        group_name=GROUP,
        partitions_def=grid.cells,
        backfill_policy=SINGLE_RUN,
    )
    def clean(
        context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings], raw: pd.DataFrame
    ) -> tuple[pd.DataFrame, pd.DataFrame]:
        slices = slices_of(context.partition_keys)
        last_day = max(part.end for part in slices if part.end) - timedelta(days=1)
        cleaned = clean_bars(
            raw,
            settings.cleaning,
            source=settings.source,
            end=min(last_session(settings), last_day),
            now=datetime.now(UTC),
        )
        _add_price_charts(context, cleaned)
        bars = cut_to_run(context, cleaned.bars, BARS)
        return bars, cut_to_run(context, cleaned.quarantine, QUARANTINE)

    return clean


def _add_price_charts(context: dg.AssetExecutionContext, cleaned: CleanedBars) -> None:
    """Attach a price chart and the gaps of each ticker to the newest of its partitions."""
    from odyssey_assets.market_data.charts import price_chart

    bars, gaps = cleaned.bars, cleaned.gaps
    for ticker, windows in windows_by_ticker(context.partition_keys).items():
        is_shown = (bars["ticker"] == ticker) & (bars["date"] < pd.Timestamp(windows[-1].end))
        if is_shown.any():
            chart = picture(price_chart(bars[is_shown]), f"Price of {ticker}")
            found = _gap_table(gaps[gaps["ticker"] == ticker])
            context.add_asset_metadata(
                {"price": chart, "gaps": dg.MetadataValue.md(found)},
                asset_key=list(BARS.key),
                partition_key=cell_key(windows[-1], ticker),
            )


def _gap_table(gaps: pd.DataFrame) -> str:
    """Return a ticker's gaps as a table; `is_filled` says whether all of its sessions were."""
    if gaps.empty:
        return "No session is missing since the first bar."
    lines = ["| first missing | last missing | sessions | filled |", "|---|---|---|---|"]
    lines += [
        f"| {gap.start:%Y-%m-%d} | {gap.end:%Y-%m-%d} | {gap.sessions} | {gap.is_filled} |"
        for gap in gaps.tail(50).itertuples()
    ]
    return "\n".join(lines)
