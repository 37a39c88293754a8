"""What must be true of the ledger of promotions: its contract, and that MLflow shows the same."""

import dagster as dg

from odyssey_assets.forecasting.tables import CHALLENGERS, FOLDS
from odyssey_assets.infrastructure.contract_checks import build_contract_check
from odyssey_assets.infrastructure.warehouse import Warehouse
from odyssey_assets.monitoring.ledgers import PROMOTIONS
from odyssey_assets.portfolio.tables import POLICIES, POLICY_CHALLENGERS
from odyssey_assets.settings import Settings

FITTED = (FOLDS, CHALLENGERS, POLICIES, POLICY_CHALLENGERS)


def promotion_checks() -> list[dg.AssetChecksDefinition]:
    """Return the checks of the ledger."""
    return [build_contract_check(PROMOTIONS, None), _registry_follows_the_ledger()]


def _registry_follows_the_ledger() -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=list(PROMOTIONS.key),
        description=(
            "MLflow's registry shows every model of the ledger, with its champion and challenger."
        ),
    )
    def registry_follows_the_ledger(
        settings: dg.ResourceParam[Settings],
        warehouse: dg.ResourceParam[Warehouse],
    ) -> dg.AssetCheckResult:
        from odyssey_assets.monitoring.promotion.mirror import registry_of, wanted_versions

        fitted = [warehouse.read(contract) for contract in FITTED]
        wanted = wanted_versions(warehouse.read(PROMOTIONS), fitted)
        problems = registry_of(settings).differences(wanted)
        return dg.AssetCheckResult(
            passed=not problems,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={"versions": len(wanted), "problems": problems},
        )

    return registry_follows_the_ledger
