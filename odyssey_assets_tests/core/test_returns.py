import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy import stats

from odyssey_assets.core.drawdowns import calmar, drawdowns, max_drawdown, max_drawdown_sessions
from odyssey_assets.core.returns import (
    beta,
    cagr,
    compounded_growth,
    correlation,
    expected_shortfall,
    profit_factor,
    sharpe,
    sortino,
    total_return,
    value_at_risk,
    volatility,
    win_rate,
)
from odyssey_assets.core.sharpe_uncertainty import probabilistic_sharpe, sharpe_standard_error
from odyssey_assets.errors import ContractError
from odyssey_assets_tests.core.published_returns import (
    FLAT,
    MIXED,
    MIXED_FROM_START,
    NEGATIVE,
    NEVER_LOST,
    NONE,
    ONE,
    PAIR,
    POSITIVE,
)

Figure = Callable[[np.ndarray], np.ndarray]

FIGURES: tuple[Figure, ...] = (
    total_return, cagr, volatility, sharpe, sortino, win_rate, profit_factor, value_at_risk,
    expected_shortfall, max_drawdown, max_drawdown_sessions, calmar, sharpe_standard_error,
    probabilistic_sharpe,
)  # fmt: skip
AGAINST_A_BENCHMARK = (beta, correlation)

_TEN_THOUSANDTHS = st.integers(-3000, 3000).map(lambda whole: whole / 10_000)
_SERIES = arrays(np.float64, st.integers(2, 60), elements=_TEN_THOUSANDTHS)
_MANY = arrays(
    np.float64, array_shapes(min_dims=2, max_dims=3, max_side=9), elements=_TEN_THOUSANDTHS
)


def is_same(one: np.ndarray, two: np.ndarray) -> bool:
    """Return whether two figures are equal to the last bit; one NaN is as good as another."""
    bits = [np.where(np.isnan(figure), np.nan, figure).tobytes() for figure in (one, two)]
    return one.shape == two.shape and bits[0] == bits[1]


@pytest.mark.parametrize(
    ("returns", "growth"),
    [
        (MIXED_FROM_START, [0, 0.01, 0.111, 0.066559, 0.08789, 0.12052, 0.14293, 0.15436, 0.03893]),
        (NEGATIVE, [0, -0.06, -0.1258, -0.13454, -0.21243, -0.22818, -0.27449, -0.33253, -0.36590]),
        (
            np.append(PAIR[1, :-1], 0.0),
            [0.018462, 0.026548, 0.011680, 0.015955, 0.012504, 0.050542, 0.066461, 0.066461],
        ),
    ],
)
def test_compounded_growth_matches_published_cumulative_returns(
    returns: np.ndarray, growth: list[float]
) -> None:
    assert compounded_growth(returns) - 1 == pytest.approx(np.array(growth), abs=1e-5)
    assert total_return(returns) == pytest.approx(growth[-1], abs=1e-5)


@pytest.mark.parametrize(
    ("returns", "expected"),
    [
        (MIXED_FROM_START, 1.9135925373194231),
        (ONE, 11.274002099240244),
        (np.full(1000, 0.01), 11.274002099240256),
    ],
)
def test_cagr_matches_published_daily_figures(returns: np.ndarray, expected: float) -> None:
    assert cagr(returns) == pytest.approx(expected, abs=5e-9)


@pytest.mark.parametrize(
    ("periods", "growth", "deviation"),
    [
        (52, 0.24690830513998208, 0.38851569394870583),
        (12, 0.052242061386048144, 0.18663690238892558),
    ],
)
def test_annual_figures_match_published_weekly_and_monthly_ones(
    periods: int, growth: float, deviation: float
) -> None:
    years = periods / 252
    assert (1 + cagr(MIXED_FROM_START)) ** years - 1 == pytest.approx(growth, abs=5e-9)
    scaled = volatility(MIXED_FROM_START) * math.sqrt(years)
    assert scaled == pytest.approx(deviation, abs=5e-9)


def test_volatility_matches_published_figures() -> None:
    assert volatility(MIXED) == pytest.approx(0.9136465399704637, abs=5e-9)
    assert volatility(np.full(1000, 0.01)) == 0.0


@pytest.mark.parametrize(
    ("returns", "expected"),
    [
        (MIXED, 1.7238613961706866),
        (POSITIVE, 52.915026221291804),
        (NEGATIVE, -24.406808633910085),
        (NONE, math.nan),
        (ONE, math.nan),
    ],
)
def test_sharpe_matches_published_figures(returns: np.ndarray, expected: float) -> None:
    assert sharpe(returns) == pytest.approx(expected, nan_ok=True, abs=5e-9)


def test_sharpe_of_rolling_windows_matches_published_figures() -> None:
    windows = np.lib.stride_tricks.sliding_window_view(NEGATIVE, 6)
    expected = [-18.09162052, -26.79897486, -26.69138263, -25.72298838]
    assert sharpe(windows) == pytest.approx(expected, abs=5e-9)
    windows = np.lib.stride_tricks.sliding_window_view(MIXED, 6)
    assert sharpe(windows) == pytest.approx([8.22784105, 8.22784105, -3.1374751], abs=5e-9)


@pytest.mark.parametrize(
    ("returns", "expected"),
    [
        (MIXED, 2.605531251673693),
        (NEGATIVE, -13.532743075043401),
        (PAIR, [3.0639640966566306, 38.090963117002495]),
        (NONE, math.nan),
        (ONE, math.nan),
    ],
)
def test_sortino_matches_published_figures(
    returns: np.ndarray, expected: float | list[float]
) -> None:
    assert sortino(returns) == pytest.approx(expected, nan_ok=True, abs=5e-9)


def test_ratios_to_no_risk_are_unknown_where_empyrical_says_infinite() -> None:
    assert math.isnan(sharpe(FLAT))
    assert math.isnan(sortino(POSITIVE))
    assert math.isnan(sortino(NEVER_LOST))


@pytest.mark.parametrize(
    ("returns", "tail", "expected"),
    [
        ([1.0, 2.0], 0.0, 1.0),
        ([1.0, 2.0], 0.3, 1.3),
        ([1.0, 2.0], 1.0, 2.0),
        ([1.0, 81.0, 82.0, 83.0, 84.0, 85.0], 0.1, 41.0),
        ([1.0, 81.0, 82.0, 83.0, 84.0, 85.0], 0.2, 81.0),
        ([1.0, 81.0, 82.0, 83.0, 84.0, 85.0], 0.3, 81.5),
    ],
)
def test_value_at_risk_matches_published_figures(
    returns: list[float], tail: float, expected: float
) -> None:
    assert value_at_risk(np.array(returns), tail) == pytest.approx(expected, abs=5e-8)


@pytest.mark.parametrize("tail", [0.0, 0.0499, 0.05, 0.2, 0.999, 1.0])
def test_expected_shortfall_is_the_published_mean_of_the_worst_sessions(tail: float) -> None:
    assert expected_shortfall(ONE, tail) == ONE[0]
    returns = np.random.default_rng(21).normal(0, 0.02, 21)
    worst = np.sort(returns)[: int(20 * tail) + 1]
    assert expected_shortfall(returns, tail) == pytest.approx(worst.mean(), rel=1e-12)


def test_expected_shortfall_counts_all_sessions_at_the_value_at_risk() -> None:
    # empyrical averages the two worst of 21 sessions whatever equals the second of them.
    returns = np.append([-0.03, -0.02, -0.02], np.linspace(0.0, 0.01, 18))
    assert value_at_risk(returns) == pytest.approx(-0.02, rel=1e-12)
    assert expected_shortfall(returns) == pytest.approx(-0.07 / 3, rel=1e-12)


def test_beta_matches_published_figures() -> None:
    assert beta(MIXED, NEGATIVE[1:]) == pytest.approx(-0.71296296296296313, abs=5e-9)
    assert beta(MIXED, MIXED) == 1.0
    assert beta(MIXED, -MIXED) == -1.0
    assert math.isnan(beta(MIXED, FLAT[1:]))
    assert math.isnan(beta(ONE, ONE))
    assert math.isnan(beta(NONE, NONE))


def test_sharpe_of_two_returns_matches_the_closed_form() -> None:
    returns = np.array([0.01, 0.03])
    assert sharpe(returns) == pytest.approx(0.02 / (0.01 * math.sqrt(2)) * math.sqrt(252))


def test_growth_of_one_year_of_equal_returns_is_their_power() -> None:
    returns = np.full(252, 0.001)
    assert total_return(returns) == pytest.approx(1.001**252 - 1, rel=1e-12)
    assert cagr(returns) == total_return(returns)
    assert cagr(returns[:126]) == pytest.approx(1.001**252 - 1, rel=1e-12)


def test_nothing_compounds_past_ruin() -> None:
    assert compounded_growth(np.array([0.1, -1.0, 0.5])).tolist() == [1.1, 0.0, 0.0]
    past = np.array([0.1, -1.2, -3.0])
    assert np.isnan(compounded_growth(past)).tolist() == [False, True, True]
    assert math.isnan(total_return(past))
    assert cagr(np.array([-1.0, 0.2])) == -1.0


def test_win_rate_leaves_out_sessions_without_a_return() -> None:
    assert win_rate(np.array([0.01, 0.0, -0.02, 0.03, 0.0])) == 2 / 3
    assert math.isnan(win_rate(np.zeros(3)))


def test_profit_factor_is_gains_by_losses_and_unknown_without_a_loss() -> None:
    assert profit_factor(np.array([0.03, -0.01, 0.0, -0.005])) == pytest.approx(2.0, rel=1e-15)
    assert profit_factor(np.array([-0.01, 0.0])) == 0.0
    assert math.isnan(profit_factor(NEVER_LOST))


def test_normal_tail_has_the_quantile_and_mean_of_the_normal_distribution() -> None:
    normal = stats.norm(0.0005, 0.01)
    returns = normal.ppf((np.arange(200_000) + 0.5) / 200_000)
    assert value_at_risk(returns) == pytest.approx(normal.ppf(0.05), rel=1e-4)
    expected = 0.0005 - 0.01 * stats.norm.pdf(stats.norm.ppf(0.05)) / 0.05
    assert expected_shortfall(returns) == pytest.approx(expected, rel=1e-4)


@given(returns=_SERIES)
def test_sharpe_of_one_series_is_the_textbook_formula_to_the_last_bit(returns: np.ndarray) -> None:
    expected = math.nan
    if np.ptp(returns) > 0:
        expected = float(np.mean(returns) / np.std(returns, ddof=1) * math.sqrt(252))
    assert is_same(sharpe(returns), np.array(expected))


@given(returns=_SERIES, scale=st.floats(0.01, 100))
def test_ratios_do_not_depend_on_leverage(returns: np.ndarray, scale: float) -> None:
    for ratio in (sharpe, sortino, profit_factor, win_rate):
        assert ratio(returns * scale) == pytest.approx(
            ratio(returns), rel=1e-9, abs=1e-9, nan_ok=True
        )
    for risk in (volatility, value_at_risk, expected_shortfall):
        assert risk(returns * scale) == pytest.approx(risk(returns) * scale, rel=1e-9, abs=1e-12)


@given(one=_SERIES, two=_SERIES)
def test_total_return_of_joined_series_compounds(one: np.ndarray, two: np.ndarray) -> None:
    joined = (1 + total_return(one)) * (1 + total_return(two)) - 1
    assert total_return(np.append(one, two)) == pytest.approx(joined, rel=1e-12, abs=1e-12)


@given(returns=_SERIES, tail=st.floats(0.0, 1.0))
def test_expected_shortfall_is_between_the_worst_return_and_the_value_at_risk(
    returns: np.ndarray, tail: float
) -> None:
    rounding = 1e-15
    worst, shortfall = returns.min(), expected_shortfall(returns, tail)
    assert worst - rounding <= shortfall <= value_at_risk(returns, tail) + rounding


@given(returns=_SERIES, seed=st.integers(0, 1000), slope=st.floats(-3, 3), shift=st.floats(-1, 1))
def test_beta_and_correlation_are_those_of_a_straight_line_through_the_benchmark(
    returns: np.ndarray, seed: int, slope: float, shift: float
) -> None:
    benchmark = np.random.default_rng(seed).normal(0, 0.01, len(returns))
    line = stats.linregress(benchmark, returns)
    assert beta(returns, benchmark) == pytest.approx(line.slope, rel=1e-9, abs=1e-9)
    if np.ptp(returns) > 0:
        assert correlation(returns, benchmark) == pytest.approx(line.rvalue, rel=1e-9, abs=1e-9)
        assert correlation(returns, returns) == pytest.approx(1.0, rel=1e-15)
    moved = beta(slope * returns + shift, benchmark)
    assert moved == pytest.approx(slope * beta(returns, benchmark), rel=1e-9, abs=1e-9)


@settings(max_examples=50)
@given(returns=_MANY)
def test_many_series_equal_one_at_a_time_to_the_last_bit(returns: np.ndarray) -> None:
    single = returns.reshape(-1, returns.shape[-1])
    for figure in (*FIGURES, compounded_growth, drawdowns):
        expected = np.array([figure(series) for series in single])
        found = figure(returns)
        assert is_same(found, expected.reshape(found.shape)), figure
        assert is_same(figure(np.asfortranarray(returns)), found), figure
    for pair in AGAINST_A_BENCHMARK:
        expected = np.array([pair(series, single[0]) for series in single])
        assert is_same(pair(returns, single[0]), expected.reshape(returns.shape[:-1])), pair
        repeated = np.repeat(single[:1], len(single), axis=0).reshape(returns.shape)
        assert is_same(pair(returns, repeated), pair(returns, single[0])), pair


@pytest.mark.parametrize("sessions", [126, 252, 504, 1008])
def test_many_long_series_equal_one_at_a_time_to_the_last_bit(sessions: int) -> None:
    returns = np.random.default_rng(7).standard_t(4, (50, sessions)) / 100
    for figure in FIGURES:
        assert is_same(figure(returns), np.array([figure(series) for series in returns])), figure
        assert is_same(figure(returns[::2, ::2]), figure(returns[::2, ::2].copy())), figure


@pytest.mark.parametrize("figure", FIGURES)
def test_figures_without_sessions_are_unknown(figure: Figure) -> None:
    assert is_same(figure(NONE), np.array(np.nan))
    assert is_same(figure(np.empty((2, 3, 0))), np.full((2, 3), np.nan))


@pytest.mark.parametrize("figure", FIGURES)
def test_figures_of_a_series_with_an_unknown_return_are_unknown(figure: Figure) -> None:
    returns = np.stack([MIXED, MIXED, NEGATIVE[1:]])
    returns[1, 3] = np.nan
    found = figure(returns)
    assert np.isnan(found).tolist() == [False, True, np.isnan(figure(NEGATIVE[1:]))]
    assert found[0] == figure(MIXED)


@pytest.mark.parametrize("pair", AGAINST_A_BENCHMARK)
def test_comparison_with_an_unknown_return_is_unknown(pair: Callable[..., np.ndarray]) -> None:
    broken = MIXED.copy()
    broken[3] = np.nan
    assert math.isnan(pair(broken, MIXED))
    assert math.isnan(pair(MIXED, broken))
    assert math.isnan(correlation(FLAT, MIXED_FROM_START))


@pytest.mark.parametrize("figure", [volatility, sharpe, sortino, sharpe_standard_error])
def test_spread_of_one_return_is_unknown(figure: Figure) -> None:
    assert math.isnan(figure(np.array([-0.01])))


@pytest.mark.parametrize("pair", AGAINST_A_BENCHMARK)
@pytest.mark.parametrize("sessions", [1, 7])
def test_benchmark_of_other_sessions_is_refused(
    pair: Callable[..., np.ndarray], sessions: int
) -> None:
    with pytest.raises(ContractError, match=f"8 sessions.*benchmark of {sessions}"):
        pair(MIXED, MIXED[:sessions])
