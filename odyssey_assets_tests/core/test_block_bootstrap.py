import math

import numpy as np
import pytest
from scipy.stats import chisquare

from odyssey_assets.core.block_bootstrap import draw_paths

# Seeds are fixed: a test of this size fails by chance for no more than one seed in a thousand.
SIGNIFICANCE = 1e-3


def drawn_by_hand(
    seed: int, available: int, block: float, paths: int, path_sessions: int
) -> list[list[int]]:
    """String blocks together with lists, from the same random numbers."""
    generator = np.random.default_rng(seed)
    result = []
    for _ in range(paths):
        path: list[int] = []
        while len(path) < path_sessions:
            start, draw = int(generator.random() * available), generator.random()
            length, stays = 1, 1.0 - 1.0 / block
            while stays > 0 and draw >= 1.0 - stays**length and length < path_sessions:
                length += 1
            path += [(start + step) % available for step in range(length)]
        result.append(path[:path_sessions])
    return result


def autoregressive(sessions: int, persistence: float, seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0.0005, 0.01, sessions)
    series = noise.copy()
    for at in range(1, sessions):
        series[at] += persistence * series[at - 1]
    return series


def lag_one(series: np.ndarray) -> float:
    return float(np.corrcoef(series[:-1], series[1:])[0, 1])


def block_lengths(path: np.ndarray) -> np.ndarray:
    """Return the lengths of the blocks of a path drawn from so many sessions that few touch."""
    begins = np.flatnonzero(np.append(True, np.diff(path) != 1))
    return np.diff(begins)


@pytest.mark.parametrize("block", [1.0, 1.5, 4.0, 20.0, 1e6])
@pytest.mark.parametrize("available", [1, 2, 9])
def test_draw_paths_matches_blocks_strung_together_by_hand(block: float, available: int) -> None:
    drawn = draw_paths(np.random.default_rng(3), available, block, paths=40, path_sessions=30)

    assert drawn.tolist() == drawn_by_hand(3, available, block, 40, 30)


def test_draw_paths_lengths_of_blocks_are_geometric() -> None:
    mean = 5.0
    path = draw_paths(np.random.default_rng(1), 10**9, mean, paths=1, path_sessions=500_000)[0]
    lengths = block_lengths(path)

    counts = np.bincount(np.minimum(lengths, 30), minlength=31)[1:]
    shares = (1 - 1 / mean) ** np.arange(30) / mean
    shares[-1] = (1 - 1 / mean) ** 29
    assert chisquare(counts, shares * len(lengths)).pvalue > SIGNIFICANCE
    assert lengths.mean() == pytest.approx(mean, abs=4 * math.sqrt(20.0 / len(lengths)))


def test_draw_paths_with_block_of_one_draws_every_session_anew() -> None:
    path = draw_paths(np.random.default_rng(2), 4, 1.0, paths=1, path_sessions=200_000)[0]

    pairs = np.bincount(4 * path[:-1:2] + path[1::2], minlength=16)
    assert chisquare(pairs).pvalue > SIGNIFICANCE


@pytest.mark.parametrize("position", [0, 7, 19])
def test_draw_paths_at_any_position_every_session_is_equally_likely(position: int) -> None:
    drawn = draw_paths(np.random.default_rng(4), 6, 3.0, paths=60_000, path_sessions=20)

    assert chisquare(np.bincount(drawn[:, position], minlength=6)).pvalue > SIGNIFICANCE


def test_draw_paths_with_huge_block_goes_round_the_sample() -> None:
    drawn = draw_paths(np.random.default_rng(5), 7, 1e300, paths=50, path_sessions=20)

    assert ((drawn - drawn[:, :1] - np.arange(20)) % 7 == 0).all()


@pytest.mark.parametrize("block", [1.0, 5.0, 30.0])
def test_path_means_have_the_variance_of_the_stationary_bootstrap(block: float) -> None:
    """Politis and Romano (1994), lemma 1, for paths of any length.

    Two sessions i apart lie in one block with probability (1 - p)^i and are independent otherwise,
    so their covariance is that times the circular autocovariance of the sample.
    """
    series = autoregressive(60, 0.6, seed=6)
    sessions, paths = 40, 60_000
    centered = series - series.mean()
    circular = np.array([np.mean(centered * np.roll(centered, -lag)) for lag in range(sessions)])
    lags = np.arange(1, sessions)
    joint = (1 - 1 / block) ** lags * circular[1:]
    expected = (circular[0] + 2 * np.sum((1 - lags / sessions) * joint)) / sessions

    drawn = draw_paths(np.random.default_rng(7), 60, block, paths, sessions)
    means = series[drawn].mean(axis=1)

    assert means.mean() == pytest.approx(series.mean(), abs=4 * math.sqrt(expected / paths))
    assert means.var() == pytest.approx(expected, rel=0.03)


@pytest.mark.parametrize("block", [1.0, 2.0, 10.0, 1000.0])
def test_path_autocorrelation_is_that_of_the_sample_times_the_chance_to_stay(block: float) -> None:
    series = autoregressive(20_000, 0.7, seed=8)
    path = series[draw_paths(np.random.default_rng(9), 20_000, block, 1, 200_000)[0]]

    assert lag_one(path) == pytest.approx((1 - 1 / block) * lag_one(series), abs=0.02)
