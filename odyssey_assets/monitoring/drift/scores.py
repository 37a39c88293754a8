"""How far samples lie from a reference, by four methods and for many columns at once, compiled.

The numbers are Evidently's own (0.7.23, `calculations/stattests`), to 1e-9:

- `psi`: population stability index over Sturges' bins of both samples together, an empty bin
  filled as Evidently fills it; over distinct values where the reference has at most 20.
- `ks`: the two-sample Kolmogorov-Smirnov statistic. Evidently shows its exact p-value, which for
  given numbers of rows falls as the statistic rises: `ks_p_value`. The statistic is kept because
  for all four methods larger means farther.
- `jensen_shannon`: distance, natural logarithm, over the bins of `psi`, not filled.
- `wasserstein`: first distance over the reference's standard deviation, which counts as 0.001 at
  least.

Nulls and infinite values are left out, as Evidently leaves them out; a column without any value in
either sample has null scores. References are sorted once and every sample is searched in them, so
a score costs its sample, not its reference. Numba is slow to import: only bodies import this
module. Which samples are scored belongs to `measurement`.
"""

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
from numba import njit

from odyssey_assets.monitoring.drift.distances import (
    bin_shares,
    has_few_values,
    jensen_shannon_distance,
    ks_distance,
    locate,
    psi_distance,
    running_deviations,
    standard_deviation,
    value_shares,
    wasserstein_distance,
)
from odyssey_assets.monitoring.tables import METHODS

PSI, KS, JENSEN_SHANNON, WASSERSTEIN = (
    METHODS.index(name) for name in ("psi", "ks", "jensen_shannon", "wasserstein")
)
LEAST_STD = 0.001


@dataclass(frozen=True, eq=False)
class SortedColumns:
    """Columns of a reference in ascending order.

    Attributes:
        ascending: Values, what is null at the end as NaN; float64, shape (columns, rows).
        counts: Values of each column that are not null, int64, shape (columns,).
    """

    ascending: np.ndarray
    counts: np.ndarray

    @classmethod
    def of(cls, rows: np.ndarray) -> Self:
        """Sort the columns of `rows`, shape (rows, columns); infinite values count as null."""
        columns = np.ascontiguousarray(np.asarray(rows, dtype=np.float64).T)
        values = np.sort(np.where(np.isfinite(columns), columns + 0.0, np.nan), axis=1)
        return cls(values, np.isfinite(values).sum(axis=1))


def score_samples(
    reference: SortedColumns, rows: np.ndarray, first: np.ndarray, last: np.ndarray
) -> np.ndarray:
    """Return how far each sample lies from the reference, column by column.

    Args:
        reference: What is held against.
        rows: Where the samples lie, in any order; float64, shape (rows, columns).
        first: First row of each sample, shape (samples,).
        last: Row after the last of each sample, shape (samples,).

    Returns:
        Scores in the order of `METHODS`, float64, shape (samples, columns, 4); NaN where the
        sample or the reference has no value.
    """
    columns = np.ascontiguousarray(np.asarray(rows, dtype=np.float64).T)
    scores = np.full((len(first), len(columns), len(METHODS)), np.nan)
    _score(
        reference.ascending,
        reference.counts,
        columns,
        np.asarray(first, dtype=np.int64),
        np.asarray(last, dtype=np.int64),
        scores,
    )
    return scores


@njit(cache=True)
def ks_p_value(statistic: float, reference_rows: int, sample_rows: int) -> float:
    """Return the exact probability of such a Kolmogorov-Smirnov statistic or a larger one.

    That of `scipy.stats.ks_2samp` up to 10,000 rows, which is what Evidently shows. Walks the
    lattice of all orders in which the two samples may mix (Hodges 1957, Arkiv for Matematik 3) and
    adds up what first reaches the statistic, so that small probabilities keep their digits.

    Args:
        statistic: At least 0.
        reference_rows: Rows of one sample.
        sample_rows: Rows of the other.
    """
    # Of two lattice points the differences are whole; half a step keeps rounding out.
    reached = statistic * reference_rows * sample_rows - 0.5
    if reached <= 0.0:
        return 1.0
    inside = np.zeros(sample_rows + 1)
    inside[0] = 1.0
    outside = 0.0
    for one in range(reference_rows + 1):
        for two in range(sample_rows + 1):
            mass = inside[two]
            if mass == 0.0:
                continue
            if abs(one * sample_rows - two * reference_rows) >= reached:
                outside += mass
                inside[two] = 0.0
                continue
            left = reference_rows - one + sample_rows - two
            if left > 0:
                inside[two] = mass * (reference_rows - one) / left
                if two < sample_rows:
                    inside[two + 1] += mass * (sample_rows - two) / left
    return min(outside, 1.0)


@njit(cache=True)
def _score(
    references: np.ndarray,
    counts: np.ndarray,
    columns: np.ndarray,
    first: np.ndarray,
    last: np.ndarray,
    scores: np.ndarray,
) -> None:
    prefix = np.empty(references.shape[1] + 1)
    own = np.empty(columns.shape[1])
    below = np.empty(columns.shape[1], dtype=np.int64)
    shares = np.empty((2, references.shape[1] + columns.shape[1] + 2))
    for column in range(len(references)):
        reference = references[column, : counts[column]]
        if len(reference) == 0:
            continue
        mean = running_deviations(reference, prefix)
        std = standard_deviation(reference, mean)
        is_discrete = has_few_values(reference)
        for at in range(len(first)):
            size = 0
            for row in range(first[at], last[at]):
                if math.isfinite(columns[column, row]):
                    own[size] = columns[column, row] + 0.0
                    size += 1
            if size == 0:
                continue
            sample = own[:size]
            sample.sort()
            bins = (
                value_shares(reference, sample, shares)
                if is_discrete
                else bin_shares(reference, sample, shares)
            )
            score = scores[at, column]
            score[JENSEN_SHANNON] = jensen_shannon_distance(shares[0, :bins], shares[1, :bins])
            score[PSI] = psi_distance(shares[0, :bins], shares[1, :bins])
            locate(reference, sample, below)
            score[KS] = ks_distance(reference, sample, below)
            distance = wasserstein_distance(reference, sample, below, prefix, mean)
            score[WASSERSTEIN] = distance / max(std, LEAST_STD)
