from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from odyssey_assets.core.constraints import TOLERANCE, Limits, project
from odyssey_assets.errors import SettingsError

WEIGHTS = st.lists(st.floats(-2.0, 2.0), min_size=1, max_size=12)
CAPS = st.floats(0.0, 1.0)
BUDGETS = st.floats(0.0, 1.5)


def project_by_optimizer(targets: np.ndarray, caps: np.ndarray, budget: float) -> np.ndarray:
    """Solve the quadratic programme as it is written, without knowing the form of its solution."""
    found = minimize(
        lambda weights: 0.5 * np.sum((weights - targets) ** 2),
        np.minimum(caps, budget / len(targets)) / 2,
        jac=lambda weights: weights - targets,
        bounds=[(0.0, cap) for cap in caps],
        constraints={
            "type": "ineq",
            "fun": lambda weights: budget - weights.sum(),
            "jac": lambda weights: -np.ones(len(weights)),
        },
        method="SLSQP",
        options={"ftol": 1e-15, "maxiter": 500},
    )
    return np.asarray(found.x)


def project_by_breakpoints(targets: np.ndarray, caps: np.ndarray, budget: float) -> np.ndarray:
    """Try every piece on which the solution is linear, and keep the nearest feasible weights."""
    candidates = [np.clip(targets, 0.0, caps)]
    points = np.unique(np.concatenate([targets, targets - caps, [0.0]]))
    for low, high in pairwise(points):
        middle = (low + high) / 2
        is_free = (targets > middle) & (targets - caps < middle)
        fixed = caps[targets - caps >= middle].sum()
        if is_free.any():
            shift = (targets[is_free].sum() + fixed - budget) / is_free.sum()
            candidates.append(np.clip(targets - max(shift, 0.0), 0.0, caps))
    candidates += [np.clip(targets - max(point, 0.0), 0.0, caps) for point in points]
    feasible = [one for one in candidates if one.sum() <= budget + 1e-12]
    return min(feasible, key=lambda one: float(np.sum((one - targets) ** 2)))


@pytest.mark.parametrize("seed", range(40))
def test_projection_equals_what_an_optimizer_finds(seed: int) -> None:
    generator = np.random.default_rng(seed)
    tickers = int(generator.integers(1, 9))
    targets = generator.normal(0.2, 0.4, tickers)
    caps, budget = generator.uniform(0.05, 0.5, tickers), float(generator.uniform(0.1, 1.0))

    found = project(targets, caps, budget)

    assert found == pytest.approx(project_by_optimizer(targets, caps, budget), abs=1e-6)


@given(targets=WEIGHTS, cap=CAPS, budget=BUDGETS)
@example(targets=[0.4, 0.4, -0.7, 0.3, -0.3], cap=0.2, budget=0.3)
@example(targets=[1.0, 1.0], cap=1.0, budget=0.0)
@example(targets=[0.2, 0.2, 0.2, 0.2], cap=0.2, budget=0.8)
@settings(max_examples=150, deadline=None)
def test_projection_is_the_nearest_of_all_linear_pieces(
    targets: list[float], cap: float, budget: float
) -> None:
    wanted, caps = np.array(targets), np.full(len(targets), cap)

    found = project(wanted, caps, budget)

    nearest = project_by_breakpoints(wanted, caps, budget)
    assert found == pytest.approx(nearest, abs=1e-12)


@given(targets=WEIGHTS, cap=CAPS, budget=BUDGETS, scale=st.sampled_from([1e-6, 1.0, 1e6, 1e18]))
@settings(max_examples=150, deadline=None)
def test_projection_keeps_limits_and_changes_nothing_the_second_time(
    targets: list[float], cap: float, budget: float, scale: float
) -> None:
    found = project(np.array(targets) * scale, cap, budget)

    assert (found >= 0).all()
    assert (found <= cap).all()
    assert found.sum() <= budget + 1e-11
    assert project(found, cap, budget).tobytes() == found.tobytes()


@given(targets=WEIGHTS, cap=st.floats(0.01, 1.0), budget=st.floats(0.01, 1.5))
@settings(max_examples=150, deadline=None)
def test_projection_satisfies_the_optimality_conditions(
    targets: list[float], cap: float, budget: float
) -> None:
    """Karush-Kuhn-Tucker: one price of the budget, paid only when the budget binds."""
    wanted = np.array(targets)
    found = project(wanted, cap, budget)
    gap = wanted - found
    is_free = (found > 1e-12) & (found < cap - 1e-12)
    price = float(gap[is_free].mean()) if is_free.any() else None

    if found.sum() < budget - 1e-9:
        assert found == pytest.approx(np.clip(wanted, 0.0, cap), abs=1e-12)
    elif price is not None:
        assert price >= -1e-12
        assert gap[is_free] == pytest.approx(price, abs=1e-12)
        assert (gap[found <= 1e-12] <= price + 1e-12).all()
        assert (gap[found >= cap - 1e-12] >= price - 1e-12).all()


def test_projection_of_weights_inside_the_limits_returns_the_same_bits() -> None:
    weights = np.random.default_rng(1).dirichlet(np.ones(15), size=50) * 0.8
    weights = np.minimum(weights, 0.2)

    assert project(weights, 0.2, 0.8).tobytes() == weights.tobytes()


def test_projection_of_equal_targets_shares_the_budget_equally() -> None:
    assert project(np.full(5, 0.9), 0.2, 0.8) == pytest.approx(np.full(5, 0.16), abs=1e-15)


def test_projection_with_a_cap_of_zero_gives_the_ticker_nothing() -> None:
    found = project(np.array([0.5, 0.5, 0.5]), np.array([0.0, 0.3, 0.3]), 0.4)

    assert found == pytest.approx([0.0, 0.2, 0.2], abs=1e-15)


def test_projection_without_budget_is_exactly_zero() -> None:
    assert (project(np.array([0.3, 1e-3, -1.0]), 0.2, 0.0) == 0.0).all()


def test_projection_takes_any_leading_shape() -> None:
    targets = np.random.default_rng(2).normal(0.2, 0.3, (3, 4, 6))
    found = project(targets, 0.2, 0.8)

    assert found.shape == targets.shape
    for row in np.ndindex(3, 4):
        assert found[row].tobytes() == project(targets[row], 0.2, 0.8).tobytes()


@pytest.mark.parametrize(
    ("targets", "caps", "budget"),
    [([np.nan], 0.2, 0.8), ([np.inf], 0.2, 0.8), ([0.1], -0.2, 0.8), ([0.1], 0.2, np.nan)],
)
def test_projection_of_senseless_arguments_is_refused(
    targets: list[float], caps: float, budget: float
) -> None:
    with pytest.raises(ValueError, match="Targets must be finite"):
        project(np.array(targets), caps, budget)


@pytest.mark.parametrize("name", ["max_weight", "max_invested", "min_cash"])
@pytest.mark.parametrize("value", [-0.1, 1.1, np.nan])
def test_limits_outside_of_equity_are_refused(name: str, value: float) -> None:
    with pytest.raises(SettingsError, match=name):
        Limits(**{"max_weight": 0.2, "max_invested": 0.5, "min_cash": 0.2, name: value})


def test_limits_that_contradict_each_other_are_refused_with_both_figures() -> None:
    with pytest.raises(SettingsError, match=r"0\.9.*0\.2.*contradict"):
        Limits(max_weight=0.2, max_invested=0.9, min_cash=0.2)


def test_budget_is_the_narrower_of_invested_and_cash() -> None:
    assert Limits(0.2, 0.5, 0.2).budget == 0.5
    assert Limits(0.2, 0.8, 0.2).budget == 0.8
    assert Limits(0.2, 1.0, 0.0).budget <= 1.0 + TOLERANCE
