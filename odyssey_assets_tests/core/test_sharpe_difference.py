import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from odyssey_assets.core.returns import sharpe
from odyssey_assets.core.sharpe_difference import sharpe_difference_error
from odyssey_assets.core.sharpe_uncertainty import sharpe_standard_error
from odyssey_assets.errors import ContractError

YEAR = math.sqrt(252)
RETURNS = arrays(
    np.float64, st.just(40), elements=st.integers(-300, 300).map(lambda whole: whole / 1000)
)


def correlated(
    generator: np.random.Generator,
    size: int | tuple[int, int],
    ratios: tuple[float, float],
    correlation: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Return normal returns with these true ratios of one session; the second is twice as wild."""
    one = generator.standard_normal(size)
    other = correlation * one + math.sqrt(1 - correlation**2) * generator.standard_normal(size)
    return 0.01 * (one + ratios[0]), 0.02 * (other + ratios[1])


@pytest.mark.parametrize("correlation", [-0.5, 0.0, 0.6, 0.95])
@pytest.mark.parametrize("ratios", [(0.05, 0.05), (0.3, -0.1)])
def test_error_of_normal_returns_is_memmels(
    ratios: tuple[float, float], correlation: float
) -> None:
    sessions = 400_000
    one, other = correlated(np.random.default_rng(1), sessions, ratios, correlation)
    variance = (
        2
        - 2 * correlation
        + (ratios[0] ** 2 + ratios[1] ** 2 - 2 * ratios[0] * ratios[1] * correlation**2) / 2
    )
    expected = math.sqrt(variance / sessions) * YEAR

    assert sharpe_difference_error(one, other) == pytest.approx(expected, rel=0.01)


def test_error_is_the_spread_of_the_difference_over_repetitions() -> None:
    one, other = correlated(np.random.default_rng(2), (4000, 252), (0.1, 0.05), 0.8)
    differences = sharpe(one) - sharpe(other)
    errors = [sharpe_difference_error(*pair) for pair in zip(one[:200], other[:200], strict=True)]

    assert np.mean(errors) == pytest.approx(differences.std(), rel=0.05)


def test_fat_tails_and_skewness_count() -> None:
    generator = np.random.default_rng(3)
    shocks = -(generator.exponential(1.0, (4000, 252)) - 1.0)
    one, other = 0.01 * (shocks + 0.4), 0.01 * generator.standard_normal((4000, 252))
    errors = [sharpe_difference_error(*pair) for pair in zip(one[:300], other[:300], strict=True)]
    spread = (sharpe(one) - sharpe(other)).std()
    normal = math.sqrt((2 + 0.4**2 / 2) / 252) * YEAR

    assert np.mean(errors) == pytest.approx(spread, rel=0.05)
    assert spread > 1.1 * normal


@given(RETURNS)
def test_error_against_a_twin_of_the_opposite_sign_is_twice_the_ratios_own(
    returns: np.ndarray,
) -> None:
    own = float(sharpe_standard_error(returns))
    found = sharpe_difference_error(returns, -returns)

    # The ratios move oppositely: their difference is twice the one.
    assert found == pytest.approx(2 * own, rel=1e-6, abs=1e-6, nan_ok=True)


@given(RETURNS, RETURNS)
def test_error_is_symmetric_and_at_most_the_sum_of_both(one: np.ndarray, other: np.ndarray) -> None:
    found = sharpe_difference_error(one, other)

    assert found == pytest.approx(sharpe_difference_error(other, one), nan_ok=True)
    both = float(sharpe_standard_error(one) + sharpe_standard_error(other))
    assert math.isnan(found) or math.isnan(both) or found <= both * (1 + 1e-9) + 1e-9


@given(RETURNS)
def test_equal_and_scaled_returns_differ_for_sure(returns: np.ndarray) -> None:
    found = sharpe_difference_error(returns, returns)
    assert found == 0 or (math.isnan(found) and np.ptp(returns) == 0)
    if np.ptp(returns) > 0:
        assert sharpe_difference_error(returns, 3 * returns) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(
    ("one", "other"),
    [([], []), ([0.1], [0.2]), ([0.1, 0.1], [0.2, 0.1]), ([0.1, 0.2], [0.0, 0.0])],
)
def test_error_without_both_ratios_does_not_exist(one: list[float], other: list[float]) -> None:
    assert math.isnan(sharpe_difference_error(np.array(one), np.array(other)))


def test_returns_of_different_sessions_are_refused() -> None:
    with pytest.raises(ContractError, match="of 2 and of 3 sessions"):
        sharpe_difference_error(np.zeros(2), np.zeros(3))
