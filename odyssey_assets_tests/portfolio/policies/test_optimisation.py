import warnings
from typing import Any

import numpy as np
import pytest
from skfolio.optimization import MeanRisk

from odyssey_assets.errors import PolicyError
from odyssey_assets.portfolio.market import MarketView
from odyssey_assets.portfolio.policies.lookback import Lookback, look_back
from odyssey_assets.portfolio.policies.minimum_variance import TOLERANCES
from odyssey_assets.portfolio.policies.optimisation import optimal_weights
from odyssey_assets_tests.portfolio.markets import random_market

SESSIONS = 60


def past_and_view(tickers: int = 4) -> tuple[Lookback, MarketView]:
    view = random_market(SESSIONS + 1, tickers).until(SESSIONS)
    past = look_back(view, SESSIONS)
    assert past is not None
    return past, view


def optimiser(**arguments: Any) -> MeanRisk:
    return MeanRisk(raise_on_failure=False, save_problem=True, **arguments)


def test_problem_without_a_solution_is_a_clear_error() -> None:
    past, view = past_and_view()
    with pytest.raises(
        PolicyError, match=r"MeanRisk found no weights on 2015-.* 60 returns of 4 tickers: .+"
    ):
        optimal_weights(optimiser(max_weights=0.1, budget=0.8), past, view)


def test_solver_that_gives_up_is_a_clear_error() -> None:
    past, view = past_and_view()
    with pytest.raises(PolicyError, match="user_limit"):
        optimal_weights(optimiser(solver_params={**TOLERANCES, "max_iter": 2}), past, view)


def test_ticker_named_twice_is_solved_without_a_word() -> None:
    past, view = past_and_view()
    twice = Lookback(
        np.arange(8), np.hstack([past.returns] * 2), np.concatenate([past.volatility] * 2)
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        weights = optimal_weights(optimiser(), twice, view)
    assert weights.sum() == pytest.approx(1)
