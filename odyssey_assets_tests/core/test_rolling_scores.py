import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from odyssey_assets.core.forecast_scores import (
    direction_accuracy,
    information_coefficient,
    interval_coverage,
    rmse,
)
from odyssey_assets.core.rolling_scores import (
    rolling_direction_accuracy,
    rolling_information_coefficient,
    rolling_interval_coverage,
    rolling_rmse,
    trailing,
)

WIDTH = 0.02
# Few different values, so that ties, zeros and constants are common.
_VALUES = st.integers(-4, 4).map(lambda whole: whole / 100)
_HISTORIES = st.lists(st.tuples(_VALUES, st.one_of(_VALUES, st.none())), max_size=40)


def one_by_one(
    prediction: np.ndarray, outcome: np.ndarray, sessions: int
) -> list[tuple[float, ...]]:
    """Return the four figures after each row from the functions for one sample."""
    figures: list[tuple[float, ...]] = []
    for end in range(1, len(outcome) + 1):
        rows = slice(max(end - sessions, 0), end)
        one, two = prediction[rows], outcome[rows]
        if end < sessions or np.isnan(two).any():
            figures.append((math.nan,) * 4)
            continue
        figures.append(
            (
                rmse(one, two),
                direction_accuracy(one, two),
                information_coefficient(one, two),
                interval_coverage(one, two, WIDTH),
            )
        )
    return figures


def all_at_once(prediction: np.ndarray, outcome: np.ndarray, sessions: int) -> np.ndarray:
    return np.column_stack(
        [
            rolling_rmse(prediction, outcome, sessions),
            rolling_direction_accuracy(prediction, outcome, sessions),
            rolling_information_coefficient(prediction, outcome, sessions),
            rolling_interval_coverage(prediction - WIDTH, prediction + WIDTH, outcome, sessions),
        ]
    )


def arrays_of(history: list[tuple[float, float | None]]) -> tuple[np.ndarray, np.ndarray]:
    prediction = np.array([one for one, _ in history], dtype=np.float64)
    outcome = np.array([math.nan if two is None else two for _, two in history], dtype=np.float64)
    return prediction, outcome


@given(history=_HISTORIES, sessions=st.integers(1, 12))
def test_rolling_figures_equal_the_figures_of_each_stretch(
    history: list[tuple[float, float | None]], sessions: int
) -> None:
    prediction, outcome = arrays_of(history)
    expected = np.array(one_by_one(prediction, outcome, sessions)).reshape(-1, 4)
    found = all_at_once(prediction, outcome, sessions)
    assert found == pytest.approx(expected, abs=1e-12, nan_ok=True)


@given(history=_HISTORIES, sessions=st.integers(1, 12), cut=st.integers(0, 40))
def test_rolling_figures_do_not_change_by_a_bit_when_the_future_is_cut(
    history: list[tuple[float, float | None]], sessions: int, cut: int
) -> None:
    prediction, outcome = arrays_of(history)
    whole = all_at_once(prediction, outcome, sessions)[:cut]
    assert whole.tobytes() == all_at_once(prediction[:cut], outcome[:cut], sessions).tobytes()


def test_trailing_values_end_with_the_row_and_are_unknown_before_the_first() -> None:
    expected = [[math.nan, math.nan, 1.0], [math.nan, 1.0, 2.0], [1.0, 2.0, 3.0], [2.0, 3.0, 4.0]]
    assert trailing(np.array([1.0, 2.0, 3.0, 4.0]), 3) == pytest.approx(
        np.array(expected), nan_ok=True
    )


def test_trailing_values_of_nothing_are_nothing() -> None:
    assert trailing(np.empty(0), 5).shape == (0, 5)
