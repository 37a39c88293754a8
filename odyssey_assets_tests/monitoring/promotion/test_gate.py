"""The gate: what passes, what does not, and how often it errs."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from scipy.stats import spearmanr

from odyssey_assets.core.costs import ProportionalCosts
from odyssey_assets.core.forecast_scores import sign_strategy_returns
from odyssey_assets.core.returns import sharpe
from odyssey_assets.monitoring.promotion.gate import (
    PairedForecasts,
    Verdict,
    judge_forecasts,
    judge_returns,
    p_value_worse,
)
from odyssey_assets.settings_sections import PromotionSettings

COSTS = ProportionalCosts(10.0, 5.0)
QUICK = PromotionSettings(bootstrap_paths=300)
SESSIONS = np.arange("2024-07-01", "2025-07-01", dtype="datetime64[D]").astype("datetime64[us]")
SCALE = 0.02


def pair_of(
    challenger: np.ndarray, incumbent: np.ndarray, outcome: np.ndarray, seed: int = 0
) -> PairedForecasts:
    opens = 100 * np.exp(np.cumsum(np.random.default_rng(seed).normal(0, SCALE, len(outcome))))
    return PairedForecasts(SESSIONS[: len(outcome)], challenger, incumbent, outcome, opens)


def judged(pair: PairedForecasts, settings: PromotionSettings = QUICK, seed: int = 0) -> Verdict:
    return judge_forecasts(pair, "it", COSTS, settings, np.random.default_rng(seed))


def overlapping_outcomes(generator: np.random.Generator, sessions: int) -> np.ndarray:
    """Return five-session returns of a random walk: as autocorrelated as real labels."""
    steps = generator.normal(0, SCALE / np.sqrt(5), sessions + 4)
    return np.convolve(steps, np.ones(5), mode="valid")


@given(seed=st.integers(0, 2**32), sessions=st.integers(20, 120))
@hypothesis_settings(max_examples=25, deadline=None)
def test_gate_equal_forecasts_are_not_worse_and_gain_nothing(seed: int, sessions: int) -> None:
    generator = np.random.default_rng(seed)
    forecast, outcome = generator.normal(0, SCALE, (2, sessions))
    verdict = judged(pair_of(forecast, forecast.copy(), outcome, seed % 1000))
    assert verdict.p_value_worse == 1.0
    assert verdict.challenger == verdict.incumbent
    assert verdict.outcome == "failed"
    assert "nothing is better" in verdict.reason


def test_gate_clearly_worse_forecasts_fail_the_test_almost_always() -> None:
    found = []
    for seed in range(200):
        generator = np.random.default_rng(seed)
        outcome = overlapping_outcomes(generator, 40)
        good = outcome + generator.normal(0, SCALE, 40)
        bad = generator.normal(0, 3 * SCALE, 40)
        verdict = judged(pair_of(bad, good, outcome, seed), seed=seed)
        assert verdict.outcome == "failed"
        found.append(verdict.p_value_worse < QUICK.significance)
    assert np.mean(found) >= 0.95


def test_gate_forecasts_of_equal_quality_are_seldom_called_worse() -> None:
    found = []
    for seed in range(400):
        generator = np.random.default_rng(seed)
        outcome = overlapping_outcomes(generator, 60)
        one, two = generator.normal(0, SCALE, (2, 60))
        verdict = judged(pair_of(one, two, outcome, seed), seed=seed)
        found.append(verdict.p_value_worse < QUICK.significance)
    assert np.mean(found) <= 0.12


@pytest.mark.parametrize("seed", range(5))
def test_gate_truth_passes_against_noise(seed: int) -> None:
    generator = np.random.default_rng(seed)
    opens = 100 * np.exp(np.cumsum(generator.normal(0, SCALE, 40)))
    outcome = np.append(opens[2:] / opens[1:-1] - 1, [0.0, 0.0])
    pair = PairedForecasts(SESSIONS[:40], outcome, generator.normal(0, SCALE, 40), outcome, opens)
    verdict = judged(pair)
    assert verdict.outcome == "passed"
    assert verdict.challenger.rmse == 0
    assert verdict.challenger.information_coefficient == pytest.approx(1)
    assert verdict.p_value_worse > 0.9


def test_gate_figures_are_those_of_the_plain_formulas() -> None:
    generator = np.random.default_rng(3)
    challenger, incumbent, outcome = generator.normal(0, SCALE, (3, 50))
    pair = pair_of(challenger, incumbent, outcome)
    verdict = judged(pair)
    for figures, forecast in ((verdict.challenger, challenger), (verdict.incumbent, incumbent)):
        assert figures.rmse == pytest.approx(float(np.sqrt(np.mean((forecast - outcome) ** 2))))
        expected = spearmanr(forecast, outcome).statistic
        assert figures.information_coefficient == pytest.approx(expected)
        net = sign_strategy_returns(forecast, pair.opens, COSTS)
        assert figures.sharpe == float(sharpe(net))


@pytest.mark.parametrize("sessions", [0, 1, 19])
def test_gate_with_too_few_sessions_says_so_and_compares_nothing(sessions: int) -> None:
    verdict = judged(pair_of(*np.zeros((3, sessions))))
    assert verdict.outcome == "too_few"
    assert len(verdict.sessions) == sessions
    assert np.isnan(verdict.p_value_worse)
    assert np.isnan(verdict.challenger.rmse)
    assert "20 are needed" in verdict.reason


@pytest.mark.parametrize(
    ("tolerance", "figure"),
    [
        ({"sharpe_tolerance": 100.0}, "Sharpe ratio"),
        ({"correlation_tolerance": 2.0}, "rank correlation"),
        ({"rmse_tolerance": 100.0}, "error"),
    ],
)
def test_gate_names_each_figure_that_lacks_and_tolerates_what_it_is_told_to(
    tolerance: dict[str, float], figure: str
) -> None:
    generator = np.random.default_rng(0)
    outcome = generator.normal(0, SCALE, 40)
    pair = pair_of(-outcome, outcome / 2, outcome)
    # The strategy must lose with the challenger and win with the incumbent.
    opens = 100 * np.cumprod(np.append([1.0, 1.0], 1 + np.sign(outcome[:-2]) * 0.01 + outcome[:-2]))
    pair = PairedForecasts(pair.sessions, pair.challenger, pair.incumbent, outcome, opens)
    strict = judged(pair)
    assert strict.outcome == "failed"
    assert figure in strict.reason
    assert figure not in judged(pair, QUICK.model_copy(update=tolerance)).reason


def test_gate_constant_incumbent_has_no_skill_and_a_ranking_challenger_gains() -> None:
    generator = np.random.default_rng(5)
    opens = 100 * np.exp(np.cumsum(generator.normal(-0.01, SCALE, 60)))
    outcome = np.append(opens[2:] / opens[1:-1] - 1, [0.0, 0.0])
    verdict = judged(
        PairedForecasts(SESSIONS[:60], outcome / 2, np.full(60, 0.001), outcome, opens)
    )
    assert np.isnan(verdict.incumbent.information_coefficient)
    assert verdict.outcome == "passed"


@given(scale=st.floats(1e-3, 1e3), seed=st.integers(0, 1000))
@hypothesis_settings(max_examples=25, deadline=None)
def test_p_value_does_not_depend_on_the_unit_of_the_loss(scale: float, seed: int) -> None:
    losses = np.random.default_rng(seed).normal(0, 1, 50)
    one, two = (
        p_value_worse(factor * losses, QUICK, np.random.default_rng(1)) for factor in (1.0, scale)
    )
    assert one == pytest.approx(two, abs=0.01)
    assert 0 < one <= 1


def test_p_value_of_a_lead_and_of_a_lag_lie_on_both_sides() -> None:
    losses = np.random.default_rng(0).normal(0.5, 1, 100)
    worse = p_value_worse(losses, QUICK, np.random.default_rng(1))
    better = p_value_worse(-losses, QUICK, np.random.default_rng(1))
    assert worse < 0.05 < 0.95 < better


def test_p_value_is_the_same_for_the_same_generator() -> None:
    losses = np.random.default_rng(0).normal(0, 1, 100)
    one, two = (p_value_worse(losses, QUICK, np.random.default_rng(9)) for _ in range(2))
    assert one == two


def test_returns_above_the_baseline_pass_and_equal_ones_do_not() -> None:
    generator = np.random.default_rng(0)
    baseline = generator.normal(0, 0.01, 252)
    for own, outcome in ((baseline + 0.002, "passed"), (baseline, "failed")):
        verdict = judge_returns(
            SESSIONS[:252], own, baseline, "equal weight", QUICK, np.random.default_rng(1), 252
        )
        assert verdict.outcome == outcome
        assert verdict.challenger.sharpe == float(sharpe(own))
        assert np.isnan(verdict.challenger.rmse)
        assert "error" not in verdict.reason
