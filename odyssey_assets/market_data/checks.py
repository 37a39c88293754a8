"""What must be true of the market tables: their contracts, and that they are fresh."""

from datetime import date

import dagster as dg
import pandas as pd

from odyssey_assets.core.sessions import sessions_between
from odyssey_assets.infrastructure.contract_checks import build_contract_check
from odyssey_assets.infrastructure.partitions import PartitionGrid, last_session, windows_by_ticker
from odyssey_assets.infrastructure.warehouse import Warehouse
from odyssey_assets.market_data.tables import BARS, MACRO, QUARANTINE, RAW_BARS
from odyssey_assets.settings import Settings


def market_data_checks(grid: PartitionGrid) -> list[dg.AssetChecksDefinition]:
    """Return the checks of the domain on the given grid."""
    return [
        build_contract_check(MACRO, grid.windows),
        *(build_contract_check(contract, grid.cells) for contract in (RAW_BARS, BARS, QUARANTINE)),
        _bars_are_fresh(grid),
    ]


def _bars_are_fresh(grid: PartitionGrid) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=list(BARS.key),
        partitions_def=grid.cells,
        description=(
            "The newest traded bar of every ticker lies within the allowed number of sessions of "
            "the last one that is over."
        ),
    )
    def bars_are_fresh(
        context: dg.AssetCheckExecutionContext,
        settings: dg.ResourceParam[Settings],
        warehouse: dg.ResourceParam[Warehouse],
    ) -> dg.AssetCheckResult:
        expected = last_session(settings)
        windows = windows_by_ticker(context.partition_keys)
        current = [ticker for ticker, own in windows.items() if own[-1].end > expected]
        newest = newest_bars(warehouse, current)
        lags = {ticker: _sessions_behind(newest.get(ticker), expected) for ticker in current}
        stale = {
            ticker: lag for ticker, lag in lags.items()
            if lag is None or lag > settings.cleaning.freshness_sessions
        }  # fmt: skip
        return dg.AssetCheckResult(
            passed=not stale,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={
                "expected_session": str(expected),
                "allowed_lag_sessions": settings.cleaning.freshness_sessions,
                "tickers_checked": len(current),
                "failed_partitions": [
                    {
                        "ticker": ticker,
                        "window": windows[ticker][-1].key,
                        "value": lag,
                        "threshold": settings.cleaning.freshness_sessions,
                    }
                    for ticker, lag in stale.items()
                ],
            },
        )

    return bars_are_fresh


def newest_bars(warehouse: Warehouse, tickers: list[str]) -> dict[str, pd.Timestamp]:
    """Return the date of each ticker's newest bar that traded; tickers without one are absent."""
    if not tickers:
        return {}
    newest = warehouse.query(
        f"select ticker, max(date) as newest from {BARS.qualified_name} "
        "where not is_filled group by ticker"
    )
    return {
        ticker: day
        for ticker, day in zip(newest["ticker"], newest["newest"], strict=True)
        if ticker in tickers
    }


def _sessions_behind(newest: pd.Timestamp | None, expected: date) -> int | None:
    """Return how many sessions lie after `newest` up to `expected`; None without any bar."""
    if newest is None:
        return None
    return max(0, len(sessions_between(newest.date(), expected)) - 1)
