import math
from itertools import groupby

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from odyssey_assets.core.drawdowns import calmar, drawdowns, max_drawdown, max_drawdown_sessions
from odyssey_assets.core.returns import cagr, compounded_growth, total_return
from odyssey_assets_tests.core.published_returns import (
    MIXED_FROM_START,
    NEGATIVE,
    NEVER_LOST,
    NONE,
    ONE,
    POSITIVE,
)

_RETURNS = arrays(
    np.float64, st.integers(1, 60), elements=st.integers(-100, 100).map(lambda whole: whole / 100)
)


@pytest.mark.parametrize(
    ("returns", "expected"),
    [
        (NONE, math.nan),
        (ONE, 0.0),
        (NEVER_LOST, 0.0),
        (POSITIVE, 0.0),
        (MIXED_FROM_START, -0.1),
        (NEGATIVE, -0.36590730349873601),
        (np.array([-2.0, -6.0, -7.0, -1.0, -9.0, -2.0, -6.0, -8.0, -5.0]) / 100, None),
        (np.array([0.1, -0.1, 0.1]), -0.1),
    ],
)
def test_max_drawdown_matches_published_figures(
    returns: np.ndarray, expected: float | None
) -> None:
    # Published for losses alone: the drawdown is the whole loss.
    known = float(total_return(returns)) if expected is None else expected
    assert max_drawdown(returns) == pytest.approx(known, abs=5e-9, nan_ok=True)


def test_max_drawdown_of_rolling_windows_matches_published_figures() -> None:
    windows = np.lib.stride_tricks.sliding_window_view(NEGATIVE, 6)
    expected = [-0.2282, -0.2745, -0.2899, -0.2747]
    assert max_drawdown(windows) == pytest.approx(expected, abs=5e-5)


@pytest.mark.parametrize(
    ("returns", "expected"),
    [(NONE, math.nan), (ONE, math.nan), (MIXED_FROM_START, 19.135925373194233)],
)
def test_calmar_matches_published_figures(returns: np.ndarray, expected: float) -> None:
    assert calmar(returns) == pytest.approx(expected, abs=5e-8, nan_ok=True)


def test_first_loss_is_a_drawdown_from_the_starting_capital() -> None:
    found = drawdowns(np.array([-0.2, 0.1, 0.5, -0.5]))
    assert found == pytest.approx(np.array([-0.2, -0.12, 0.0, -0.5]), abs=1e-15)


def test_calmar_is_growth_by_depth() -> None:
    returns = np.tile([0.02, -0.01], 126)
    assert calmar(returns) == pytest.approx((1.02 * 0.99) ** 126 / 0.01 - 100, rel=1e-9)
    assert calmar(-np.abs(returns)) == pytest.approx(-1.0, rel=1e-12)


@pytest.mark.parametrize(
    ("returns", "sessions"),
    [
        ([0.1, 0.0, 0.2], 0),
        ([-0.5, 1.0, 0.1], 1),
        ([0.1, -0.1, -0.1, 0.5, -0.9], 2),
        ([0.1, -0.01, 0.5, -0.1, 0.05, 0.0], 3),
        ([-0.5, -0.5, -0.5], 3),
    ],
)
def test_longest_drawdown_counts_sessions_below_the_peak(
    returns: list[float], sessions: int
) -> None:
    assert max_drawdown_sessions(np.array(returns)) == sessions


@given(returns=_RETURNS)
def test_drawdowns_are_the_loss_from_the_best_value_so_far(returns: np.ndarray) -> None:
    growth = np.append(1.0, compounded_growth(returns))
    expected = [growth[t] / growth[: t + 1].max() - 1 for t in range(1, len(growth))]
    found = drawdowns(returns)
    assert found.tolist() == expected
    assert max_drawdown(returns) == found.min()
    runs = [len(list(run)) for is_below, run in groupby(found < 0) if is_below]
    assert max_drawdown_sessions(returns) == max(runs, default=0)


@given(returns=_RETURNS)
def test_max_drawdown_is_between_ruin_and_the_worst_of_the_returns_and_the_whole(
    returns: np.ndarray,
) -> None:
    found = float(max_drawdown(returns))
    rounding = 1e-15
    assert -1 <= found <= min(0.0, returns.min(), float(total_return(returns))) + rounding


@given(returns=_RETURNS, scale=st.integers(0, 4))
def test_max_drawdown_of_less_exposure_is_no_deeper(returns: np.ndarray, scale: int) -> None:
    less = np.minimum(returns, 0.0) * scale / 4
    assert max_drawdown(np.minimum(returns, 0.0)) <= max_drawdown(less) + 1e-15


@given(returns=_RETURNS)
def test_calmar_has_the_sign_of_the_growth_and_exists_where_a_drawdown_does(
    returns: np.ndarray,
) -> None:
    if max_drawdown(returns) < 0:
        assert np.sign(calmar(returns)) == np.sign(cagr(returns))
    else:
        assert math.isnan(calmar(returns))


def test_drawdowns_past_ruin_are_unknown() -> None:
    past = np.array([0.1, -1.5, 0.3])
    assert np.isnan(drawdowns(past)).tolist() == [False, True, True]
    assert math.isnan(max_drawdown_sessions(past))
    assert max_drawdown(np.array([0.1, -1.0, 0.3])) == -1.0
