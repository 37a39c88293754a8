import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon

from odyssey_assets.monitoring.drift.distances import (
    MAX_DISTINCT,
    SMALL_SHARE,
    bin_shares,
    has_few_values,
    jensen_shannon_distance,
    locate,
    psi_distance,
    value_shares,
)


@given(
    rows=st.lists(st.integers(-5, 30), min_size=1, max_size=60),
    sample=st.lists(st.integers(-8, 33), min_size=1, max_size=30),
)
@settings(max_examples=100, deadline=None)
def test_locate_in_ties_and_gaps_finds_what_a_search_does(
    rows: list[int], sample: list[int]
) -> None:
    reference, values = np.sort(np.array(rows, float)), np.sort(np.array(sample, float))
    below = np.empty(len(values), dtype=np.int64)
    locate(reference, values, below)
    np.testing.assert_array_equal(below, np.searchsorted(reference, values, side="left"))


@given(seed=st.integers(0, 2**32 - 1), rows=st.integers(2, 3000), size=st.integers(1, 130))
@settings(max_examples=100, deadline=None)
def test_bin_shares_of_any_samples_are_those_of_numpys_histogram(
    seed: int, rows: int, size: int
) -> None:
    generator = np.random.default_rng(seed)
    reference, sample = np.sort(generator.normal(size=rows)), np.sort(generator.normal(size=size))
    # Values on edges: where one operation less would put them on the other side.
    edges = np.histogram_bin_edges(np.concatenate([reference, sample]), bins="sturges")
    sample[: len(edges)] = np.sort(edges[: len(sample)])
    sample.sort()
    shares = np.empty((2, rows + size + 2))
    bins = bin_shares(reference, sample, shares)
    edges = np.histogram_bin_edges(np.concatenate([reference, sample]), bins="sturges")
    assert bins == len(edges) - 1
    np.testing.assert_array_equal(shares[0, :bins], np.histogram(reference, edges)[0] / rows)
    np.testing.assert_array_equal(shares[1, :bins], np.histogram(sample, edges)[0] / size)


def test_value_shares_of_other_values_hold_every_value_of_both() -> None:
    shares = np.empty((2, 10))
    bins = value_shares(np.array([1.0, 1.0, 2.0, 4.0]), np.array([0.0, 2.0]), shares)
    assert bins == 4
    assert shares[:, :4].tolist() == [[0.0, 0.5, 0.25, 0.25], [0.5, 0.0, 0.5, 0.0]]


@pytest.mark.parametrize(
    ("distinct", "expected"), [(MAX_DISTINCT, True), (MAX_DISTINCT + 1, False)]
)
def test_has_few_values_at_the_limit_counts_distinct_ones(distinct: int, expected: bool) -> None:
    values = np.repeat(np.arange(float(distinct)), 3)
    assert has_few_values(values) is expected


def test_psi_of_an_empty_bin_fills_it_with_a_small_share() -> None:
    one, two = np.array([0.5, 0.5]), np.array([1.0, 0.0])
    expected = (0.5 - 1.0) * np.log(0.5 / 1.0) + (0.5 - SMALL_SHARE) * np.log(0.5 / SMALL_SHARE)
    assert psi_distance(one, two) == pytest.approx(expected, rel=1e-12)


def test_psi_of_an_empty_bin_beside_a_tiny_share_fills_it_with_a_millionth_of_that() -> None:
    one, two = np.array([0.5, 0.5 - 5e-5, 5e-5]), np.array([1 - 5e-5, 0.0, 5e-5])
    filled = np.array([1 - 5e-5, 5e-11, 5e-5])
    expected = ((one - filled) * np.log(one / filled)).sum()
    assert psi_distance(one, two) == pytest.approx(expected, rel=1e-12)


def test_jensen_shannon_of_random_shares_is_scipys() -> None:
    one, two = np.random.default_rng(0).dirichlet(np.ones(12), 2)
    one[3] = 0.0
    one /= one.sum()
    assert jensen_shannon_distance(one, two) == pytest.approx(jensenshannon(one, two), rel=1e-12)
