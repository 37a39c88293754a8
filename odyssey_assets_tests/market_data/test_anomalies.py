import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from odyssey_assets.market_data.anomalies import anomalous_moves


def _walk(count: int, seed: int, spread: float = 0.01) -> np.ndarray:
    return 50 * np.exp(np.cumsum(np.random.default_rng(seed).standard_t(3, count) * spread))


def _oracle(close: np.ndarray, deviations: float, min_sessions: int) -> np.ndarray:
    moves = pd.Series(np.log(close)).diff()
    past = moves.shift().expanding(min_periods=min_sessions)
    return ((moves - past.mean()).abs() > deviations * past.std()).to_numpy()


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    count=st.integers(1, 400),
    deviations=st.floats(1.0, 6.0),
    min_sessions=st.integers(20, 300),
)
def test_anomalous_moves_equal_expanding_statistics_of_the_past(
    seed: int, count: int, deviations: float, min_sessions: int
) -> None:
    close = _walk(count, seed)
    found = anomalous_moves(close, deviations, min_sessions)
    assert np.array_equal(found, _oracle(close, deviations, min_sessions))


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), cut=st.integers(1, 300))
def test_anomalous_moves_do_not_see_later_closes(seed: int, cut: int) -> None:
    close = _walk(300, seed)
    head = anomalous_moves(close[:cut], 3.0, 20)
    assert np.array_equal(anomalous_moves(close, 3.0, 20)[:cut], head)


def test_crash_is_flagged_and_does_not_hide_itself() -> None:
    close = _walk(300, seed=1, spread=0.005)
    close[270:] *= 0.6
    found = np.flatnonzero(anomalous_moves(close, 5.0, 252))
    assert found.tolist() == [270]


def test_move_before_the_minimum_past_is_not_flagged() -> None:
    close = _walk(60, seed=1, spread=0.001)
    close[20:] *= 2
    assert not anomalous_moves(close, 5.0, 20).any()
    close[21:] *= 2
    assert np.flatnonzero(anomalous_moves(close, 4.0, 20)).tolist() == [21]


def test_constant_price_is_never_anomalous() -> None:
    assert not anomalous_moves(np.full(300, 100.0), 5.0, 20).any()
