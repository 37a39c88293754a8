"""The asset of `monitoring.lineage`: what stood behind every weight, added and never changed.

It has no windows of its own, since a restated past adds rows to any of them. A run looks at the
windows that are still open, and at those of which the ledger lacks a decision or a newer vintage.
"""

from datetime import UTC, date, datetime

import dagster as dg
import pandas as pd

from odyssey_assets.contracts import TableContract
from odyssey_assets.core.slices import rectangles
from odyssey_assets.core.windows import Window
from odyssey_assets.features.tables import FEATURES_TABLE, HORIZONS_SESSIONS
from odyssey_assets.forecasting.tables import PREDICTIONS
from odyssey_assets.infrastructure.io_manager import asset_metadata
from odyssey_assets.infrastructure.partitions import open_windows
from odyssey_assets.infrastructure.warehouse import Warehouse
from odyssey_assets.market_data.tables import BARS, RAW_BARS
from odyssey_assets.monitoring.ledgers import LINEAGE
from odyssey_assets.portfolio.tables import WEIGHTS
from odyssey_assets.settings import Settings

GROUP = "monitoring"
SOURCES: tuple[TableContract, ...] = (WEIGHTS, PREDICTIONS, FEATURES_TABLE, BARS, RAW_BARS)
_BAR_COLUMNS = ("ticker", "date", "source", "is_filled")
_RAW_COLUMNS = (
    "ticker", "date", "source", "row_sha256", "defect", "ingested_at", "response_sha256",
)  # fmt: skip
_WEIGHT_COLUMNS = ("policy", "date", "ticker", "is_decision", "target_weight", "model_sha256")
_UNRECORDED = """
with decisions as (
    select policy, ticker, date, "window", target_weight, model_sha256
    from portfolio.weights
    where is_decision
),

windows as (
    select
        "window",
        max(date) as last_date
    from decisions
    group by "window"
),

unrecorded as (
    select distinct decisions."window"
    from decisions
    anti join monitoring.lineage as recorded
        on recorded.policy = decisions.policy
        and recorded.ticker = decisions.ticker
        and recorded.date = decisions.date
        and recorded.target_weight = decisions.target_weight
        and recorded.policy_sha256 is not distinct from decisions.model_sha256
),

vintages as (
    select
        date,
        max(ingested_at) as ingested_at
    from market_data.raw_bars
    group by date
),

restated as (
    select distinct windows."window"
    from windows
    inner join vintages
        on vintages.date between windows."window" and windows.last_date
    where vintages.ingested_at > (
        select max(recorded.recorded_at)
        from monitoring.lineage as recorded
        where recorded.date between windows."window" and windows.last_date
    )
)

select "window" from unrecorded
union
select "window" from restated
"""


def lineage_assets() -> list[dg.AssetsDefinition]:
    """Return the asset of the ledger; it belongs to the job without partitions."""
    return [_lineage()]


def windows_to_record(warehouse: Warehouse, settings: Settings) -> tuple[Window, ...]:
    """Return the windows whose rows may not all be in the ledger, oldest first.

    Raises:
        WarehouseError: Lock, disk or file.
    """
    warehouse.create_missing((*SOURCES, LINEAGE))
    stored = pd.to_datetime(warehouse.query(_UNRECORDED)["window"])
    unrecorded = {Window(_day(start)) for start in stored}
    return tuple(sorted(unrecorded.union(open_windows(settings, max(HORIZONS_SESSIONS)))))


def _day(moment: pd.Timestamp) -> date:
    return moment.date()


def _lineage() -> dg.AssetsDefinition:
    @dg.asset(
        key=list(LINEAGE.key),
        deps=[list(contract.key) for contract in SOURCES],
        group_name=GROUP,
        description=LINEAGE.description,
        metadata=asset_metadata(LINEAGE),
        kinds={"python", "duckdb"},
    )
    def lineage(
        context: dg.AssetExecutionContext,
        settings: dg.ResourceParam[Settings],
        warehouse: dg.ResourceParam[Warehouse],
    ) -> pd.DataFrame:
        from odyssey_assets.monitoring.lineage.rows import Evidence, lineage_rows

        windows = windows_to_record(warehouse, settings)
        slices = rectangles((None, window) for window in windows)
        evidence = Evidence(
            weights=warehouse.read(WEIGHTS, slices, _WEIGHT_COLUMNS),
            predictions=warehouse.read(PREDICTIONS, slices),
            features=warehouse.read(FEATURES_TABLE, slices),
            bars=warehouse.read(BARS, slices, _BAR_COLUMNS),
            raw_bars=warehouse.read(RAW_BARS, slices, _RAW_COLUMNS),
        )
        context.add_output_metadata({"windows": [window.key for window in windows]})
        return lineage_rows(
            evidence,
            settings.portfolio.forecast_model,
            settings.forecasting.horizon_sessions,
            datetime.now(UTC),
        )

    return lineage
