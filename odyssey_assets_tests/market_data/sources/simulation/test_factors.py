"""Regimes and clustered volatility, against their closed forms."""

import numpy as np
import pytest

from odyssey_assets.market_data.sources.simulation.factors import (
    MARKET_GARCH,
    MARKET_VOLATILITY,
    OWN_GARCH,
    TRANSITIONS,
    Garch,
    daily,
    simulate_factors,
    simulate_regimes,
)

DAYS = 60_000


@pytest.mark.parametrize("garch", [MARKET_GARCH, OWN_GARCH])
def test_garch_with_fat_tails_has_a_finite_fourth_moment(garch: Garch) -> None:
    a, b = garch.reaction, garch.persistence
    assert 9 * a**2 + 2 * a * b + b**2 < 1.0


def test_garch_variances_follow_the_recursion() -> None:
    innovations = np.array([[2.0], [0.0]])
    variances = Garch(0.1, 0.8).variances(innovations)
    second = 0.1 + (0.1 * 4.0 + 0.8) * 1.0
    assert variances[:, 0].tolist() == pytest.approx([1.0, second, 0.1 + 0.8 * second])


def test_garch_variances_of_normal_innovations_average_one() -> None:
    innovations = np.random.default_rng(5).normal(size=(DAYS, 4))
    assert MARKET_GARCH.variances(innovations).mean() == pytest.approx(1.0, abs=0.05)


def test_regimes_visit_three_states_as_the_stationary_distribution_says() -> None:
    regimes = simulate_regimes(7, DAYS)
    values, vectors = np.linalg.eig(TRANSITIONS.T)
    stationary = np.real(vectors[:, np.argmax(np.real(values))])
    stationary = stationary / stationary.sum()
    assert np.allclose(np.bincount(regimes, minlength=3) / DAYS, stationary, atol=0.05)
    assert not ((regimes[:-1] == 0) & (regimes[1:] == 2)).any()


def test_market_volatility_rises_from_calm_to_stressed() -> None:
    factors = simulate_factors(7, ["technology"], DAYS)
    volatility = [
        np.sqrt(((factors.market_returns[factors.regimes == state]) ** 2).mean())
        for state in range(3)
    ]
    assert np.allclose(volatility, daily(MARKET_VOLATILITY), rtol=0.1)


def test_sectors_with_a_further_sector_stay_unchanged() -> None:
    few = simulate_factors(7, ["energy"], 500)
    more = simulate_factors(7, ["abroad", "energy"], 500)
    assert np.array_equal(few.sector_returns[:, 0], more.sector_returns[:, 1])
    assert np.array_equal(few.market_returns, more.market_returns)
