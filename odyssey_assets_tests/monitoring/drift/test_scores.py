import numpy as np
import pandas as pd
import pytest
from evidently.legacy.calculations.stattests import (
    jensenshannon_stat_test,
    ks_stat_test,
    psi_stat_test,
    wasserstein_stat_test,
)
from evidently.legacy.core import ColumnType
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.stats import ks_2samp

from odyssey_assets.monitoring.drift.scores import (
    JENSEN_SHANNON,
    KS,
    PSI,
    WASSERSTEIN,
    SortedColumns,
    ks_p_value,
    score_samples,
)

KINDS = ("wide", "ties", "constant", "few values", "other constant", "power of two", "outlier")


def _score(reference: np.ndarray, sample: np.ndarray) -> np.ndarray:
    scores = score_samples(
        SortedColumns.of(reference[:, None]),
        sample[:, None],
        np.array([0]),
        np.array([len(sample)]),
    )
    return np.asarray(scores[0, 0])


def _evidently(reference: np.ndarray, sample: np.ndarray) -> np.ndarray:
    """Return Evidently's scores as its metric computes them: without nulls and infinities."""
    one, two = (
        pd.Series(values).replace([-np.inf, np.inf], np.nan).dropna()
        for values in (reference, sample)
    )
    tests = (psi_stat_test, ks_stat_test, jensenshannon_stat_test, wasserstein_stat_test)
    return np.array(
        [float(test(one, two, ColumnType.Numerical, None).drift_score) for test in tests]
    )


def _samples(kind: str, rows: int, size: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    scale = 10.0 ** generator.uniform(-5, 5)
    reference = generator.standard_t(3, rows) * scale + 10.0 ** generator.uniform(-3, 4)
    sample = generator.choice(reference, size) * generator.choice([1.0, 1.2, -1.0])
    if kind == "ties":
        reference, sample = np.round(reference / scale), np.round(sample / scale)
    elif kind == "constant":
        reference, sample = np.full(rows, 3.3), np.full(size, 3.3)
    elif kind == "few values":
        reference = generator.integers(0, 19, rows).astype(float)
        sample = generator.integers(-3, 25, size).astype(float)
    elif kind == "other constant":
        sample = np.full(size, reference.mean())
    elif kind == "power of two":
        # Sturges' width then divides the range: a bin more or less by the last bit.
        reference = generator.normal(size=max(2 ** int(np.log2(rows + size)) - size, 1))
    elif kind == "outlier":
        reference[0] = 1e6 * scale
    return reference, sample


@given(
    kind=st.sampled_from(KINDS),
    rows=st.integers(1, 1500),
    size=st.integers(1, 140),
    seed=st.integers(0, 2**32 - 1),
    share_null=st.sampled_from([0.0, 0.0, 0.2]),
)
@example(kind="wide", rows=1, size=1, seed=0, share_null=0.0)
@example(kind="power of two", rows=1948, size=100, seed=0, share_null=0.0)
@settings(max_examples=150, deadline=None)
def test_scores_on_any_samples_equal_evidently_to_a_billionth(
    kind: str, rows: int, size: int, seed: int, share_null: float
) -> None:
    reference, sample = _samples(kind, rows, size, seed)
    generator = np.random.default_rng(seed)
    for values in (reference, sample):
        values[1:][generator.random(len(values) - 1) < share_null] = np.nan
        values[1:][generator.random(len(values) - 1) < share_null / 4] = np.inf
    found, expected = _score(reference, sample), _evidently(reference, sample)
    for method in (PSI, JENSEN_SHANNON, WASSERSTEIN):
        assert found[method] == pytest.approx(expected[method], rel=1e-9, abs=1e-9)
    kept = [values[np.isfinite(values)] for values in (reference, sample)]
    assert found[KS] == pytest.approx(ks_2samp(*kept).statistic, abs=1e-12)
    p_value = ks_p_value(found[KS], len(kept[0]), len(kept[1]))
    assert p_value == pytest.approx(expected[KS], rel=1e-9, abs=1e-9)


def test_ks_p_value_of_a_rising_statistic_falls() -> None:
    steps = np.arange(1, 1000 * 63 + 1, 500) / (1000 * 63)
    p_values = np.array([ks_p_value(step, 1000, 63) for step in steps])
    assert (np.diff(p_values) <= 0).all()
    assert p_values[0] == 1.0
    assert 0.0 < p_values[-1] < 1e-90


def test_scores_of_nested_samples_of_many_columns_equal_those_of_each_alone() -> None:
    generator = np.random.default_rng(0)
    reference, rows = generator.normal(size=(500, 4)), generator.normal(size=(126, 4))
    first, last = np.array([0, 0, 20]), np.array([21, 126, 60])
    together = score_samples(SortedColumns.of(reference), rows, first, last)
    assert together.shape == (3, 4, 4)
    for at in range(3):
        for column in range(4):
            alone = _score(reference[:, column], rows[first[at] : last[at], column])
            assert together[at, column].tobytes() == alone.tobytes()


def test_columns_without_a_value_on_either_side_have_null_scores() -> None:
    nothing, something = np.full(50, np.nan), np.arange(50.0)
    assert np.isnan(_score(nothing, something)).all()
    assert np.isnan(_score(something, nothing)).all()
    assert np.isfinite(_score(something, something)).all()


def test_sorted_columns_of_rows_with_nulls_put_them_last_and_count_the_rest() -> None:
    rows = np.array([[3.0, -0.0], [np.nan, np.inf], [1.0, 0.0]])
    columns = SortedColumns.of(rows)
    np.testing.assert_array_equal(columns.ascending, [[1.0, 3.0, np.nan], [0.0, 0.0, np.nan]])
    assert columns.counts.tolist() == [2, 2]
    assert not np.signbit(columns.ascending[1, :2]).any()


def test_scores_of_equal_samples_are_zero_and_of_a_shift_grow_with_it() -> None:
    values = np.random.default_rng(0).normal(size=400)
    np.testing.assert_allclose(_score(values, values), 0.0, atol=1e-12)
    near, far = _score(values, values + 0.5), _score(values, values + 1.0)
    assert (far > near).all()
    assert near[WASSERSTEIN] == pytest.approx(0.5 / values.std(), rel=1e-9)
