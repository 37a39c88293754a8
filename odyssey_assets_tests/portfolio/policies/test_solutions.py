"""Solutions: one question is solved once, another question is another solution."""

from collections.abc import Callable, Mapping

import numpy as np
import pytest

from odyssey_assets.errors import PolicyError
from odyssey_assets.portfolio.policies.hierarchical_risk_parity import HierarchicalRiskParity
from odyssey_assets.portfolio.policies.minimum_variance import MinimumVariance
from odyssey_assets.portfolio.policies.optimisation import OptimisingRule
from odyssey_assets.portfolio.policies.solutions import Solutions
from odyssey_assets_tests.portfolio.markets import market_of_closes, random_market

RULE: Mapping[str, object] = {"kind": "test", "max_weight": 0.2}
RETURNS = np.random.default_rng(1).normal(size=(20, 3))
SESSIONS = 60
RULES = (MinimumVariance, HierarchicalRiskParity)


class Solver:
    """Counts how often it is asked; every answer is another one."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> np.ndarray:
        self.calls += 1
        return np.full(3, float(self.calls))


def never() -> np.ndarray:
    raise AssertionError("solved again")


def test_same_question_is_solved_once() -> None:
    solutions, solver = Solutions(), Solver()
    first = solutions.weights(RULE, RETURNS, solver)
    first[:] = -1.0  # what the caller does with its copy is not remembered
    assert solutions.weights(dict(RULE), RETURNS.copy(order="F"), solver).tolist() == [1.0] * 3
    assert solver.calls == 1


@pytest.mark.parametrize(
    ("rule", "returns"),
    [
        ({**RULE, "max_weight": np.nextafter(0.2, 1)}, RETURNS),
        ({**RULE, "kind": "other"}, RETURNS),
        (RULE, np.where(np.arange(60).reshape(20, 3) == 31, np.nextafter(RETURNS, 1), RETURNS)),
        (RULE, RETURNS[1:]),
        (RULE, RETURNS.reshape(15, 4)),
    ],
    ids=["one parameter", "kind", "one bit of one return", "a session less", "another shape"],
)
def test_any_other_question_is_solved_anew(rule: Mapping[str, object], returns: np.ndarray) -> None:
    solutions, solver = Solutions(), Solver()
    solutions.weights(RULE, RETURNS, solver)
    solutions.weights(rule, returns, solver)
    assert solver.calls == 2


def test_known_solutions_are_recalled_and_only_those_asked_for_are_listed() -> None:
    earlier = Solutions()
    earlier.weights(RULE, RETURNS, Solver())
    earlier.weights({"kind": "unused"}, RETURNS, Solver())
    later = Solutions(earlier.asked)
    assert dict(later.asked) == {}
    assert later.weights(RULE, RETURNS, never).tolist() == [1.0] * 3
    assert len(later.asked) == 1


def test_failure_is_not_remembered() -> None:
    def fail() -> np.ndarray:
        raise PolicyError("no weights")

    solutions = Solutions()
    with pytest.raises(PolicyError):
        solutions.weights(RULE, RETURNS, fail)
    assert solutions.weights(RULE, RETURNS, Solver()).tolist() == [1.0] * 3


@pytest.mark.parametrize("kind", RULES)
def test_recalled_decision_has_the_bits_of_a_solved_one(
    kind: Callable[..., OptimisingRule],
) -> None:
    view, held = random_market(SESSIONS + 1, 6).until(SESSIONS), np.zeros(6)
    solved = kind(SESSIONS, 0.4, 0.8)
    expected = solved.decide(view, held)
    recalled = kind(SESSIONS, 0.4, 0.8, Solutions(solved.solutions.asked)).decide(view, held)
    assert expected is not None
    assert recalled is not None
    assert recalled.tobytes() == expected.tobytes()


@pytest.mark.parametrize("kind", RULES)
def test_restated_price_is_decided_on_anew(kind: Callable[..., OptimisingRule]) -> None:
    market, held = random_market(SESSIONS + 1, 6), np.zeros(6)
    rule = kind(SESSIONS, 0.4, 0.8)
    former = rule.decide(market.until(SESSIONS), held)
    close = market.panel.close.copy()
    close[10, 2] *= 1.05
    restated = market_of_closes(close).until(SESSIONS)
    found = rule.decide(restated, held)
    fresh = kind(SESSIONS, 0.4, 0.8).decide(restated, held)
    assert found is not None
    assert former is not None
    assert fresh is not None
    assert found.tobytes() == fresh.tobytes() != former.tobytes()
