"""The competition of all policies: who takes part, and what each of them holds.

Rolling portfolios forward belongs to `portfolio.rollout`, rows to `portfolio.weight_table`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pandas as pd

from odyssey_assets.core.collaborators import ModelStore
from odyssey_assets.core.execution import TradingCosts
from odyssey_assets.core.reigns import Reign
from odyssey_assets.portfolio.catalog import rule_contenders
from odyssey_assets.portfolio.contender import Contender
from odyssey_assets.portfolio.learned import learned_contenders
from odyssey_assets.portfolio.market import PortfolioMarket
from odyssey_assets.portfolio.policies.optimisation import OptimisingRule
from odyssey_assets.portfolio.policies.solutions import Solutions
from odyssey_assets.portfolio.rollout import roll_out
from odyssey_assets.portfolio.solution_store import load_solutions, save_solutions
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
    market: PortfolioMarket,
    policies: pd.DataFrame,
    settings: Settings,
    store: ModelStore,
    reigns: Sequence[Reign] = (),
    stored: pd.DataFrame | None = None,
) -> Holdings:
    """Roll every policy forward from the first session, all under the same costs.

    Args:
        market: Prices and forecasts of all sessions.
        policies: Rows of `portfolio.policies` from the beginning.
        settings: Policies, limits, costs and capital.
        store: Holds the models that the rows name, and what optimising rules solved before.
        reigns: Of policies, in the order of decision.
        stored: Rows of `portfolio.weights` as they were decided: what lost models decided stays.
            None: a lost model is an error.

    Raises:
        ModelError: A model is missing or has been altered, and `stored` is None.
        SettingsError: An unknown policy is configured.
    """
    solutions = load_solutions(store)
    contenders = tuple(
        _remembering(one, solutions)
        for one in contenders_of(policies, settings, store, reigns, stored)
    )
    costs = TradingCosts(**settings.costs.model_dump())
    rollout = roll_out(market, contenders, costs, settings.portfolio.capital_usd)
    save_solutions(store, solutions)
    return Holdings(
        weight_rows(rollout, market, contenders), seed_path_rows(rollout, market, contenders)
    )


def contenders_of(
    policies: pd.DataFrame,
    settings: Settings,
    store: ModelStore,
    reigns: Sequence[Reign] = (),
    stored: pd.DataFrame | None = None,
) -> tuple[Contender, ...]:
    """Return the rules and the trained seeds that the settings let compete."""
    learned = learned_contenders(policies, store, settings, reigns, stored)
    return (*rule_contenders(settings), *learned)


def _remembering(contender: Contender, solutions: Solutions) -> Contender:
    """Return the contender; a rule that optimises recalls what was solved before."""
    stretches = tuple(
        replace(stretch, policy=replace(stretch.policy, solutions=solutions))
        if isinstance(stretch.policy, OptimisingRule)
        else stretch
        for stretch in contender.stretches
    )
    return replace(contender, stretches=stretches)
