"""The ledger of retrainings as an asset: requests that have ended are settled, nothing is lost.

Sensors enter what they ask for at once; here, each time the marts are built, the ledger also takes
in what became of it, so that what is published is settled.
"""

import dagster as dg
import pandas as pd

from odyssey_assets.infrastructure.io_manager import asset_outs
from odyssey_assets.infrastructure.partitions import PartitionGrid
from odyssey_assets.infrastructure.warehouse import Warehouse
from odyssey_assets.monitoring.ledgers import PROMOTIONS, RETRAINING_EVENTS
from odyssey_assets.monitoring.retraining.settling.automation import new_rows
from odyssey_assets.settings import Settings

GROUP = "monitoring"


def retraining_assets(grid: PartitionGrid) -> list[dg.AssetsDefinition]:
    """Return the asset of the ledger; it belongs to the job without partitions."""

    @dg.multi_asset(
        name="settle_retrainings",
        outs=asset_outs((RETRAINING_EVENTS,), ["python", "duckdb"]),
        deps=[list(PROMOTIONS.key)],
        group_name=GROUP,
    )
    def settle_retrainings(
        context: dg.AssetExecutionContext,
        settings: dg.ResourceParam[Settings],
        warehouse: dg.ResourceParam[Warehouse],
    ) -> pd.DataFrame:
        entered = 0
        # Each is made from the ledger as those before have left it, so it is stored at once.
        for rows in new_rows(context.instance, grid, settings, warehouse):
            entered += warehouse.append(RETRAINING_EVENTS, rows).row_count
        context.add_output_metadata({"entries": entered})
        return RETRAINING_EVENTS.empty()

    return [settle_retrainings]
