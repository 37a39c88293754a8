import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from odyssey_assets.errors import SettingsError
from odyssey_assets.forecasting.conformal import conformal_width


def test_width_of_nine_residuals_at_ninety_percent_is_the_largest() -> None:
    residuals = np.array([0.1, -0.9, 0.2, 0.3, -0.4, 0.5, 0.6, -0.7, 0.8])
    assert conformal_width(residuals, 0.9) == 0.9


@given(
    count=st.integers(20, 200),
    percent=st.integers(50, 95),
    seed=st.integers(0, 10_000),
)
def test_width_leaves_as_many_residuals_inside_as_the_rank_says(
    count: int, percent: int, seed: int
) -> None:
    residuals = np.random.default_rng(seed).standard_t(3, count)
    width = conformal_width(residuals, percent / 100)
    inside = int((np.abs(residuals) <= width).sum())
    assert inside == -(-(count + 1) * percent // 100)


@pytest.mark.parametrize("coverage", [0.5, 0.8, 0.9])
def test_coverage_of_exchangeable_data_is_what_is_stated(coverage: float) -> None:
    generator = np.random.default_rng(11)
    trials, count = 4000, 40
    draws = generator.standard_t(3, (trials, count + 1))
    covered = np.mean([abs(row[-1]) <= conformal_width(row[:-1], coverage) for row in draws])
    # Exact probability: rank / (count + 1); four standard errors around it.
    exact = math.ceil(round((count + 1) * coverage, 9)) / (count + 1)
    assert exact >= coverage
    assert covered == pytest.approx(exact, abs=4 * math.sqrt(exact * (1 - exact) / trials))


def test_too_few_residuals_for_the_coverage_are_refused() -> None:
    with pytest.raises(SettingsError, match=r"8 validation sessions cannot support.*90%"):
        conformal_width(np.ones(8), 0.9)
