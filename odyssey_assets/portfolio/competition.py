"""The competition of all policies: who takes part, and what each of them holds.

Rolling portfolios forward belongs to `portfolio.rollout`, rows to `portfolio.weight_table`.
"""

from dataclasses import dataclass

import pandas as pd

from odyssey_assets.core.collaborators import ModelStore
from odyssey_assets.core.execution import TradingCosts
from odyssey_assets.portfolio.catalog import rule_contenders
from odyssey_assets.portfolio.contender import Contender
from odyssey_assets.portfolio.learned import learned_contenders
from odyssey_assets.portfolio.market import PortfolioMarket
from odyssey_assets.portfolio.rollout import roll_out
from odyssey_assets.portfolio.weight_table import seed_path_rows, weight_rows
from odyssey_assets.settings import Settings


@dataclass(frozen=True)
class Holdings:
    """What was held, as the contracts of `portfolio` want it.

    Attributes:
        weights: Rows of `portfolio.weights`.
        seed_paths: Rows of `portfolio.seed_paths`.
    """

    weights: pd.DataFrame
    seed_paths: pd.DataFrame


def compete(
    market: PortfolioMarket, policies: pd.DataFrame, settings: Settings, store: ModelStore
) -> Holdings:
    """Roll every policy forward from the first session, all under the same costs.

    Args:
        market: Prices and forecasts of all sessions.
        policies: Rows of `portfolio.policies` from the beginning.
        settings: Policies, limits, costs and capital.
        store: Holds the models that the rows name.

    Raises:
        ModelError: A model is missing or has been altered.
        SettingsError: An unknown policy is configured.
    """
    contenders = contenders_of(policies, settings, store)
    costs = TradingCosts(**settings.costs.model_dump())
    rollout = roll_out(market, contenders, costs, settings.portfolio.capital_usd)
    return Holdings(
        weight_rows(rollout, market, contenders), seed_path_rows(rollout, market, contenders)
    )


def contenders_of(
    policies: pd.DataFrame, settings: Settings, store: ModelStore
) -> tuple[Contender, ...]:
    """Return the rules and the trained seeds that the settings let compete."""
    return (*rule_contenders(settings), *learned_contenders(policies, store, settings))
