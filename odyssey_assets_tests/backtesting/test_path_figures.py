import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from odyssey_assets.backtesting.path_figures import (
    MAX_DRAWDOWN,
    SHARPE,
    TERMINAL_WEALTH,
    path_figures,
)
from odyssey_assets.core.block_bootstrap import draw_paths
from odyssey_assets.core.drawdowns import max_drawdown
from odyssey_assets.core.returns import compounded_growth, sharpe, total_return

percent_returns = st.integers(-100, 100).map(lambda whole: whole / 100)


def test_path_figures_match_the_metrics_of_the_materialised_paths() -> None:
    generator = np.random.default_rng(10)
    returns = generator.standard_t(3, (300, 5)) * 0.02
    returns = np.maximum(returns, -1.0)
    drawn = draw_paths(generator, 300, 8.0, paths=200, path_sessions=150)

    figures = path_figures(returns, drawn)

    paths = returns[drawn].transpose(0, 2, 1)
    np.testing.assert_allclose(figures[TERMINAL_WEALTH], 1 + total_return(paths), rtol=1e-12)
    np.testing.assert_allclose(figures[SHARPE], sharpe(paths), rtol=1e-10)
    np.testing.assert_allclose(figures[MAX_DRAWDOWN], max_drawdown(paths), rtol=1e-11, atol=1e-14)


@given(arrays(np.float64, st.integers(1, 40), elements=percent_returns))
@settings(deadline=None, max_examples=200)
def test_path_figures_of_any_returns_match_the_metrics(returns: np.ndarray) -> None:
    figures = path_figures(returns[:, None], np.arange(len(returns), dtype=np.int32)[None])

    wealth, ratio, depth = figures[:, 0, 0]
    assert wealth == compounded_growth(returns)[-1]
    assert ratio == pytest.approx(float(sharpe(returns)), rel=1e-9, abs=1e-9, nan_ok=True)
    assert depth == pytest.approx(float(max_drawdown(returns)), rel=1e-12, abs=1e-14)


@given(
    st.floats(-0.99, 1.0),
    st.integers(2, 500),
)
@settings(deadline=None, max_examples=100)
def test_sharpe_of_constant_path_never_exists(value: float, sessions: int) -> None:
    figures = path_figures(np.array([[value]]), np.zeros((1, sessions), dtype=np.int32))

    assert math.isnan(figures[SHARPE, 0, 0])


def test_path_figures_of_a_path_of_one_session_have_no_sharpe() -> None:
    figures = path_figures(np.array([[0.02], [-0.5]]), np.array([[0], [1]], dtype=np.int32))

    assert np.isnan(figures[SHARPE]).all()
    assert figures[TERMINAL_WEALTH, :, 0].tolist() == [1.02, 0.5]
    assert figures[MAX_DRAWDOWN, :, 0].tolist() == [0.0, -0.5]


def test_path_figures_after_ruin_stay_ruined() -> None:
    returns = np.array([[0.1], [-1.0], [0.5]])

    figures = path_figures(returns, np.array([[0, 1, 2]], dtype=np.int32))

    assert figures[TERMINAL_WEALTH, 0, 0] == 0.0
    assert figures[MAX_DRAWDOWN, 0, 0] == -1.0


@pytest.mark.parametrize("strategies", [2, 3, 8, 17])
def test_path_figures_of_a_strategy_do_not_depend_on_its_company(strategies: int) -> None:
    generator = np.random.default_rng(11)
    returns = generator.normal(0.0, 0.01, (100, strategies))
    drawn = draw_paths(generator, 100, 5.0, paths=20, path_sessions=60)

    together = path_figures(returns, drawn)

    for column in range(strategies):
        alone = path_figures(returns[:, [column]], drawn)
        assert alone.tobytes() == np.ascontiguousarray(together[:, :, [column]]).tobytes()
