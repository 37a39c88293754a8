"""A courtroom as a home: its tables in a warehouse, its models signed, and the jobs that judge."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
from mlflow import MlflowClient

from odyssey_assets.backtesting.tables import DAILY
from odyssey_assets.core.slices import WHOLE_TABLE
from odyssey_assets.features.tables import LABELS
from odyssey_assets.forecasting.tables import CHALLENGERS, FOLDS, PREDICTIONS, TRIALS
from odyssey_assets.infrastructure.home import Home, home_of
from odyssey_assets.infrastructure.io_manager import WarehouseIOManager
from odyssey_assets.infrastructure.model_store import ModelStore
from odyssey_assets.infrastructure.warehouse import Warehouse
from odyssey_assets.market_data.tables import BARS
from odyssey_assets.monitoring.ledgers import PROMOTIONS, RETRAINING_EVENTS
from odyssey_assets.monitoring.promotion.assets import promotion_assets
from odyssey_assets.monitoring.promotion.automation import promotion_jobs
from odyssey_assets.monitoring.promotion.champions import in_order
from odyssey_assets.monitoring.promotion.checks import promotion_checks
from odyssey_assets.monitoring.tables import FORECAST_QUALITY, POLICY_QUALITY
from odyssey_assets.portfolio.tables import POLICIES, POLICY_CHALLENGERS, POLICY_TRIALS
from odyssey_assets.settings import Settings
from odyssey_assets.settings_sections import WarehouseSettings
from odyssey_assets_tests.monitoring.promotion.courtroom import (
    Courtroom,
    content_of,
    name_of,
    settings_of,
    sha_of,
)

TABLES = {
    "challengers": CHALLENGERS, "trials": TRIALS, "predictions": PREDICTIONS, "labels": LABELS,
    "bars": BARS, "folds": FOLDS, "quality": FORECAST_QUALITY, "policies": POLICIES,
    "policy_challengers": POLICY_CHALLENGERS, "policy_trials": POLICY_TRIALS,
    "policy_quality": POLICY_QUALITY,
    "daily": DAILY, "ledger": PROMOTIONS,
}  # fmt: skip
JUDGE = "judge_now"
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dataclass(frozen=True)
class Courthouse:
    """A home with the tables of a courtroom, as they were known on its day.

    Attributes:
        settings: They name the home.
    """

    settings: Settings

    @property
    def home(self) -> Home:
        """The home."""
        return home_of(self.settings)

    @property
    def store(self) -> ModelStore:
        """Its signed models."""
        return ModelStore(self.home.models)

    @property
    def warehouse(self) -> Warehouse:
        """Its warehouse."""
        return Warehouse(self.home, self.settings.warehouse)

    @property
    def ledger(self) -> pd.DataFrame:
        """The ledger of promotions, in order."""
        return in_order(self.warehouse.read(PROMOTIONS))

    @property
    def definitions(self) -> dg.Definitions:
        """The part of the platform that promotes."""
        assets = promotion_assets()
        return dg.Definitions(
            assets=assets,
            asset_checks=promotion_checks(),
            jobs=[
                dg.define_asset_job(JUDGE, dg.AssetSelection.assets(*assets)),
                *promotion_jobs(),
            ],
            executor=dg.in_process_executor,
            resources={
                "settings": self.settings,
                "warehouse": self.warehouse,
                "io_manager": WarehouseIOManager(
                    self.warehouse, [*TABLES.values(), RETRAINING_EVENTS]
                ),
            },
        )

    def run(self, job: str, **ops: Mapping[str, Any]) -> dg.ExecuteInProcessResult:
        """Run a job with the configuration of its ops; errors are in the result."""
        return self.definitions.resolve_job_def(job).execute_in_process(
            run_config={**QUIET, "ops": {name: {"config": one} for name, one in ops.items()}},
            instance=dg.DagsterInstance.ephemeral(),
            raise_on_error=False,
        )

    def aliases(self, model: str) -> dict[str, str]:
        """Return the name in the store of the model behind each alias of a registered model."""
        uri = f"sqlite:///{self.home.mlflow / 'mlflow.db'}"
        client = MlflowClient(tracking_uri=uri, registry_uri=uri)
        found = client.get_registered_model(model).aliases
        return {
            alias: client.get_model_version(model, number).tags["model_name"]
            for alias, number in found.items()
        }

    def store_models(self, *names: str) -> None:
        """Sign models of the courtroom."""
        for name in names:
            parts = name_of(name).split("/")
            stored = self.store.save(parts, name.encode(), content_of(name), {})
            assert stored.model_sha256 == sha_of(name)


def courthouse(
    court: Courtroom, root: Path, registry: Path | None = None, **promotion: Any
) -> Courthouse:
    """Return a home with what the courtroom knows on its day.

    Args:
        court: The tables.
        root: Where the home is made.
        registry: An empty MLflow database to begin with: making one takes seconds.
        **promotion: Settings of the section.
    """
    patience = WarehouseSettings(lock_timeout_s=1.0, min_free_gb=0.0)
    settings = settings_of(root / "home", **promotion).model_copy(
        update={"end": court.today, "warehouse": patience}
    )
    built = Courthouse(settings)
    built.home.create()
    if registry is not None:
        shutil.copy(registry, built.home.mlflow / "mlflow.db")
    known = court.evidence.until(court.today)
    for field, contract in TABLES.items():
        rows = getattr(known, field)
        if contract.is_append_only:
            built.warehouse.append(contract, rows)
        else:
            built.warehouse.replace(contract, rows, (WHOLE_TABLE,))
    return built
