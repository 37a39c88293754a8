import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from odyssey_assets.portfolio.policies.allocation import (
    affordable_weights,
    on_all_tickers,
    proportional_weights,
)

SCORES = st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=20).map(np.array)
SHARES = st.floats(0.05, 1.0)


def test_what_a_cap_keeps_out_is_spread_over_the_rest_in_proportion() -> None:
    weights = proportional_weights(np.array([2.0, 6.0, 1.0, 1.0]), cap=0.4, budget=1.0)
    assert weights == pytest.approx([0.3, 0.4, 0.15, 0.15])


def test_cap_that_a_second_score_reaches_only_after_spreading_holds_too() -> None:
    weights = proportional_weights(np.array([10.0, 3.0, 1.0]), cap=0.4, budget=1.0)
    assert weights == pytest.approx([0.4, 0.4, 0.2])


@given(scores=SCORES, cap=SHARES, budget=SHARES)
def test_proportional_weights_spend_the_budget_with_one_scale_below_the_cap(
    scores: np.ndarray, cap: float, budget: float
) -> None:
    weights = proportional_weights(scores, cap, budget)

    assert weights.max() <= cap
    assert weights.sum() == pytest.approx(min(budget, cap * len(scores)), rel=1e-9)
    scale = weights / scores
    is_below = weights < cap * (1 - 1e-9)
    if is_below.any():
        assert scale[is_below] == pytest.approx(scale[is_below][0], rel=1e-9)
        assert (scale[~is_below] <= scale[is_below][0] * (1 + 1e-9)).all()


@given(bets=SCORES, cap=SHARES, budget=SHARES)
def test_bets_are_only_ever_cut_and_keep_their_order(
    bets: np.ndarray, cap: float, budget: float
) -> None:
    weights = affordable_weights(bets, cap, budget)

    assert (weights <= np.minimum(bets, cap) * (1 + 1e-9)).all()
    assert weights.sum() <= budget * (1 + 1e-9)
    assert (np.diff(weights[np.argsort(bets)]) >= -1e-12).all()


@given(bets=SCORES, cap=SHARES, budget=SHARES)
def test_bets_inside_the_limits_stay_as_they_are(
    bets: np.ndarray, cap: float, budget: float
) -> None:
    small = bets / bets.sum() * min(cap, budget) * 0.99
    assume((small > 0).all())
    assert affordable_weights(small, cap, budget).tolist() == small.tolist()


def test_no_scores_give_no_weights() -> None:
    assert proportional_weights(np.zeros(0), 0.2, 0.8).shape == (0,)
    assert affordable_weights(np.zeros(0), 0.2, 0.8).shape == (0,)


def test_tickers_without_a_weight_get_zero() -> None:
    weights = on_all_tickers(np.array([0.1, 0.2]), np.array([1, 3]), 5)
    assert weights.tolist() == [0, 0.1, 0, 0.2, 0]
