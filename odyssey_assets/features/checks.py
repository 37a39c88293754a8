"""What must be true of features and labels: their contracts, ranges included."""

import dagster as dg

from odyssey_assets.features.tables import TABLES
from odyssey_assets.infrastructure.contract_checks import build_contract_check
from odyssey_assets.infrastructure.partitions import PartitionGrid


def feature_checks(grid: PartitionGrid) -> list[dg.AssetChecksDefinition]:
    """Return the checks of the domain on the given grid."""
    return [build_contract_check(contract, grid.cells) for contract in TABLES]
