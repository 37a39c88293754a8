"""What must be true of policy challengers and their trials: their contracts."""

import dagster as dg

from odyssey_assets.infrastructure.contract_checks import build_contract_check
from odyssey_assets.portfolio.tables import VERSION_TABLES


def policy_version_checks() -> list[dg.AssetChecksDefinition]:
    """Return the checks of policy challengers and their trials."""
    return [build_contract_check(contract) for contract in VERSION_TABLES]
