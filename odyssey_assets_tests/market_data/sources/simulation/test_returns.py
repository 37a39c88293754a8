"""What can be foreseen is as weak as the setting says, and a break changes risk and drift."""

import numpy as np
import pytest

from odyssey_assets.market_data.sources.simulation.factors import Factors, simulate_factors
from odyssey_assets.market_data.sources.simulation.profiles import RATES, SECTORS, profile_of
from odyssey_assets.market_data.sources.simulation.returns import (
    BREAK_VOLATILITY_SCALE,
    REVERSAL_DECAY,
    TickerReturns,
    simulate_returns,
)

TICKERS = tuple(f"S{number}" for number in range(20))
DAYS = 6_000


@pytest.fixture(scope="module")
def factors() -> Factors:
    return simulate_factors(3, [*SECTORS, RATES], DAYS)


def returns_of(
    factors: Factors, predictability: float, is_broken: np.ndarray | None = None
) -> TickerReturns:
    profiles = [profile_of(ticker) for ticker in TICKERS]
    broken = np.zeros((DAYS, len(TICKERS)), dtype=bool) if is_broken is None else is_broken
    return simulate_returns(3, TICKERS, profiles, factors, predictability, broken)


def test_signal_is_the_decaying_sum_of_earlier_surprises_only(factors: Factors) -> None:
    returns = returns_of(factors, 0.05)
    day, column = 40, 3
    weights = REVERSAL_DECAY ** np.arange(day)
    past = returns.innovations[day - 1 :: -1, column]
    expected = -np.sqrt(1 - REVERSAL_DECAY**2) * (weights * past).sum()
    assert returns.signal[day, column] == pytest.approx(expected, rel=1e-9)
    assert returns.signal.std() == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("predictability", [0.05, 0.2])
def test_signal_correlates_with_the_day_as_the_setting_says(
    factors: Factors, predictability: float
) -> None:
    with_signal = returns_of(factors, predictability)
    without = returns_of(factors, 0.0)
    foreseen = (with_signal.log_returns - without.log_returns) / with_signal.volatility
    assert np.allclose(foreseen, predictability * with_signal.signal, atol=1e-12)
    assert foreseen.std() == pytest.approx(predictability, rel=0.05)


def test_surprises_have_unit_variance_and_fat_tails(factors: Factors) -> None:
    innovations = returns_of(factors, 0.05).innovations
    assert innovations.std() == pytest.approx(1.0, abs=0.05)
    assert (innovations**4).mean() > 3.5


def test_break_from_its_day_on_multiplies_volatility_and_leaves_the_past(factors: Factors) -> None:
    is_broken = np.zeros((DAYS, len(TICKERS)), dtype=bool)
    is_broken[5_000:, 2] = True
    broken, usual = returns_of(factors, 0.05, is_broken), returns_of(factors, 0.05)
    others = np.arange(len(TICKERS)) != 2
    assert np.array_equal(broken.log_returns[:, others], usual.log_returns[:, others])
    assert np.array_equal(broken.log_returns[:5_000], usual.log_returns[:5_000])
    ratio = broken.volatility[5_000:, 2] / usual.volatility[5_000:, 2]
    assert np.allclose(ratio, BREAK_VOLATILITY_SCALE)
    assert broken.log_returns[5_000:, 2].mean() < usual.log_returns[5_000:, 2].mean()
