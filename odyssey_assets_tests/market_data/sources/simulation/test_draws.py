"""Streams belong to their names: prefixes and neighbours do not change them."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import lfilter

from odyssey_assets.market_data.sources.simulation.draws import (
    LARGEST_INNOVATION,
    fat_tailed_draws,
    normal_draws,
    remember,
    uniform_draws,
)

names = st.lists(st.text("ABC", min_size=1, max_size=4), min_size=1, max_size=4, unique=True)


@settings(deadline=None, max_examples=40)
@given(names, st.integers(0, 40), st.integers(0, 40), st.integers(0, 9))
def test_draws_with_more_days_keep_their_beginning(
    tickers: list[str], days: int, more: int, seed: int
) -> None:
    for draw in (normal_draws, uniform_draws, fat_tailed_draws):
        short, long = (draw(seed, tickers, "x", count) for count in (days, days + more))
        assert np.array_equal(short, long[:days])


@settings(deadline=None, max_examples=40)
@given(names, st.integers(1, 30))
def test_draws_with_more_names_keep_the_others(tickers: list[str], days: int) -> None:
    for draw in (normal_draws, uniform_draws, fat_tailed_draws):
        alone = draw(1, tickers[:1], "x", days)
        assert np.array_equal(alone[:, 0], draw(1, tickers, "x", days)[:, 0])


def test_draws_of_other_names_seeds_or_purposes_are_independent() -> None:
    draws = [
        normal_draws(seed, [name], purpose, 20_000)[:, 0]
        for seed, name, purpose in ((1, "A", "x"), (2, "A", "x"), (1, "B", "x"), (1, "A", "y"))
    ]
    correlation = np.corrcoef(draws) - np.eye(4)
    assert np.abs(correlation).max() < 0.03


def test_fat_tailed_draws_have_unit_variance_and_fat_tails() -> None:
    draws = fat_tailed_draws(3, ["A", "B"], "x", 100_000)
    assert np.allclose(draws.std(axis=0), 1.0, atol=0.03)
    kurtosis = (draws**4).mean(axis=0) / draws.var(axis=0) ** 2
    assert (kurtosis > 5.0).all()
    assert np.abs(draws).max() <= LARGEST_INNOVATION


def test_draws_of_no_names_are_empty() -> None:
    assert normal_draws(1, [], "x", 5).shape == (5, 0)


def test_remember_matches_the_linear_filter_of_scipy() -> None:
    shocks = np.random.default_rng(0).normal(size=(50, 3))
    expected = lfilter([1.0], [1.0, -0.9], shocks, axis=0)
    assert np.allclose(remember(shocks, 0.9), expected, rtol=1e-12)
    assert remember(shocks[:0], 0.9).shape == (0, 3)
