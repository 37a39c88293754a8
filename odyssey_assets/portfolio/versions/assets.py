"""The assets of `portfolio.versions`: challengers of the learned policy, and everybody's trials.

They have no partitions: a challenger is asked for by policy, and trials are of the newest window.
"""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import dagster as dg
import pandas as pd
from pydantic import Field

from odyssey_assets.core.collaborators import Champions
from odyssey_assets.forecasting.tables import PREDICTIONS
from odyssey_assets.infrastructure.home import home_of
from odyssey_assets.infrastructure.io_manager import asset_outs
from odyssey_assets.infrastructure.typed_requests import day_or_none, known_names
from odyssey_assets.infrastructure.warehouse import Warehouse
from odyssey_assets.market_data.tables import BARS, MACRO
from odyssey_assets.portfolio.assets import GROUP, POLICY_POOL
from odyssey_assets.portfolio.catalog import learned_policies
from odyssey_assets.portfolio.tables import POLICIES, POLICY_CHALLENGERS, POLICY_TRIALS, WEIGHTS
from odyssey_assets.settings import Settings

if TYPE_CHECKING:
    from odyssey_assets.portfolio.market import PortfolioMarket

MARKET = (BARS, PREDICTIONS, MACRO)


def policy_version_assets() -> list[dg.AssetsDefinition]:
    """Return the assets of policy challengers and their trials, in pipeline order."""
    return [_challengers(), _trials()]


class PolicyChallengerRequest(dg.Config):
    """Which learned policies are made anew, and from what."""

    policies: list[str] = Field([], description="of the settings; none: nothing is trained")
    as_of: str | None = Field(
        None, description="newest day whose data may be seen; null: the last session"
    )


def _challengers() -> dg.AssetsDefinition:
    @dg.multi_asset(
        name="train_policy_challengers",
        outs=asset_outs((POLICY_CHALLENGERS,), ["torch", "duckdb"]),
        deps=[list(contract.key) for contract in (*MARKET, POLICIES)],
        group_name=GROUP,
        pool=POLICY_POOL,
    )
    def train_policy_challengers(
        context: dg.AssetExecutionContext,
        config: PolicyChallengerRequest,
        settings: dg.ResourceParam[Settings],
        warehouse: dg.ResourceParam[Warehouse],
        champions: dg.ResourceParam[Champions],
    ) -> pd.DataFrame:
        policies = known_names("policies", config.policies, learned_policies(settings))
        as_of = day_or_none("as_of", config.as_of)
        if not policies:
            context.log.info("No policy was asked for: nothing is trained.")
            return POLICY_CHALLENGERS.empty()
        from odyssey_assets.infrastructure.model_store import ModelStore
        from odyssey_assets.infrastructure.tracking import Tracker
        from odyssey_assets.portfolio.versions.challengers import train_challenger

        home = home_of(settings)
        trained = train_challenger(
            _market(warehouse, settings),
            warehouse.read(POLICIES),
            as_of,
            champions.reigns("policy"),
            settings,
            ModelStore(home.models),
            Tracker(home.mlflow),
            datetime.now(UTC).replace(tzinfo=None),
            home.tensorboard,
            context.log.info,
        )
        context.add_output_metadata(
            {"skipped": trained.skipped, "without_stand_in": trained.without_stand_in}
        )
        return trained.rows

    return train_policy_challengers


def _trials() -> dg.AssetsDefinition:
    @dg.multi_asset(
        name="run_policy_trials",
        outs=asset_outs((POLICY_TRIALS,), ["python", "duckdb"]),
        deps=[list(contract.key) for contract in (*MARKET, POLICIES, WEIGHTS, POLICY_CHALLENGERS)],
        group_name=GROUP,
    )
    def run_policy_trials(
        context: dg.AssetExecutionContext,
        settings: dg.ResourceParam[Settings],
        warehouse: dg.ResourceParam[Warehouse],
        champions: dg.ResourceParam[Champions],
    ) -> pd.DataFrame:
        challengers, reigns = warehouse.read(POLICY_CHALLENGERS), champions.reigns("policy")
        if challengers.empty and not reigns:
            return POLICY_TRIALS.empty()
        from odyssey_assets.infrastructure.model_store import ModelStore
        from odyssey_assets.portfolio.deciders import RECORD_COLUMNS
        from odyssey_assets.portfolio.versions.trials import run_policy_trials

        tried = run_policy_trials(
            _market(warehouse, settings),
            warehouse.read(POLICIES),
            challengers,
            reigns,
            settings,
            ModelStore(home_of(settings).models),
            warehouse.read(WEIGHTS, columns=RECORD_COLUMNS),
        )
        context.add_output_metadata({"unreadable": dict(tried.unreadable)})
        return tried.rows

    return run_policy_trials


def _market(warehouse: Warehouse, settings: Settings) -> "PortfolioMarket":
    """Return prices and forecasts of all stored sessions."""
    from odyssey_assets.portfolio.market import market_of

    bars, predictions, macro = (warehouse.read(contract) for contract in MARKET)
    return market_of(bars, predictions, macro, settings)
