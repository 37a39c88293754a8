"""Distances of one ascending sample from one ascending reference, compiled: Evidently's formulas.

Bins are numpy's, operation by operation, so that a value on an edge falls to the same side. Sample
values are searched in the reference, so a distance costs the sample, not the reference. What is
measured, and how many columns at once, belongs to `scores`.
"""

import math

import numpy as np
from numba import njit

MAX_DISTINCT = 20
"""A reference of at most so many distinct values is compared value by value, not bin by bin."""

SMALL_SHARE = 0.0001
"""An empty bin counts as this share, or as a millionth of the least share if that is no larger."""


@njit(cache=True)
def running_deviations(reference: np.ndarray, prefix: np.ndarray) -> float:
    """Write the running sums of the deviations from the mean, which is returned."""
    total = 0.0
    for value in reference:
        total += value - reference[0]
    mean = reference[0] + total / len(reference)
    prefix[0] = 0.0
    for row in range(len(reference)):
        prefix[row + 1] = prefix[row] + (reference[row] - mean)
    return mean


@njit(cache=True)
def standard_deviation(reference: np.ndarray, mean: float) -> float:
    """Return the standard deviation (ddof 0) about the given mean."""
    squares = 0.0
    for value in reference:
        squares += (value - mean) * (value - mean)
    return math.sqrt(squares / len(reference))


@njit(cache=True)
def has_few_values(reference: np.ndarray) -> bool:
    """Return whether the reference has at most `MAX_DISTINCT` distinct values."""
    distinct = 1
    for row in range(1, len(reference)):
        distinct += reference[row] != reference[row - 1]
        if distinct > MAX_DISTINCT:
            return False
    return True


@njit(cache=True)
def value_shares(reference: np.ndarray, sample: np.ndarray, shares: np.ndarray) -> int:
    """Write the share of each distinct value in both; return how many values there are."""
    one, two, bins = 0, 0, 0
    while one < len(reference) or two < len(sample):
        value = reference[one] if one < len(reference) else sample[two]
        if two < len(sample):
            value = min(value, sample[two])
        begin_one, begin_two = one, two
        one += _at_or_below(reference[one:], value)
        two += _at_or_below(sample[two:], value)
        shares[0, bins] = (one - begin_one) / len(reference)
        shares[1, bins] = (two - begin_two) / len(sample)
        bins += 1
    return bins


@njit(cache=True)
def bin_shares(reference: np.ndarray, sample: np.ndarray, shares: np.ndarray) -> int:
    """Write the share of each bin in both; return how many bins there are.

    Sturges' bins of both together, as `numpy.histogram_bin_edges` lays them: the same operations
    in the same order, so that a value on an edge falls to the same side. All are half-open but
    the last.
    """
    lowest = min(reference[0], sample[0])
    highest = max(reference[-1], sample[-1])
    width = (highest - lowest) / (math.log2(len(reference) + len(sample)) + 1.0)
    bins = math.ceil((highest - lowest) / width)
    step = (highest - lowest) / bins
    before_one, before_two = 0, 0
    for at in range(bins - 1):
        edge = (at + 1) * step + lowest
        below_one, below_two = _below(reference, edge), _below(sample, edge)
        shares[0, at] = (below_one - before_one) / len(reference)
        shares[1, at] = (below_two - before_two) / len(sample)
        before_one, before_two = below_one, below_two
    shares[0, bins - 1] = (len(reference) - before_one) / len(reference)
    shares[1, bins - 1] = (len(sample) - before_two) / len(sample)
    return bins


@njit(cache=True)
def psi_distance(one: np.ndarray, two: np.ndarray) -> float:
    """Return the population stability index of two lists of shares, empty bins filled."""
    fill_one, fill_two = _fill(one), _fill(two)
    total = 0.0
    for at in range(len(one)):
        expected = one[at] if one[at] > 0.0 else fill_one
        found = two[at] if two[at] > 0.0 else fill_two
        total += (expected - found) * math.log(expected / found)
    return total


@njit(cache=True)
def _fill(shares: np.ndarray) -> float:
    least = 1.0
    for share in shares:
        if 0.0 < share < least:
            least = share
    return least / 10**6 if least <= SMALL_SHARE else SMALL_SHARE


@njit(cache=True)
def jensen_shannon_distance(one: np.ndarray, two: np.ndarray) -> float:
    """Return the Jensen-Shannon distance of two lists of shares, natural logarithm."""
    total = 0.0
    for at in range(len(one)):
        middle = (one[at] + two[at]) / 2.0
        if one[at] > 0.0:
            total += one[at] * math.log(one[at] / middle)
        if two[at] > 0.0:
            total += two[at] * math.log(two[at] / middle)
    return math.sqrt(max(total, 0.0) / 2.0)


@njit(cache=True)
def locate(reference: np.ndarray, sample: np.ndarray, below: np.ndarray) -> None:
    """Write how many of the reference lie below each sample value, each found from the last."""
    rows, low = len(reference), 0
    for at in range(len(sample)):
        value, step, high = sample[at], 1, low
        while high < rows and reference[high] < value:
            low = high + 1
            high += step
            step *= 2
        high = min(high, rows)
        while low < high:
            middle = (low + high) // 2
            if reference[middle] < value:
                low = middle + 1
            else:
                high = middle
        below[at] = low


@njit(cache=True)
def ks_distance(reference: np.ndarray, sample: np.ndarray, below: np.ndarray) -> float:
    """Return the largest gap of the two distribution functions; it opens beside a sample value."""
    rows, size, farthest, at = len(reference), len(sample), 0.0, 0
    while at < size:
        upto, through = at, below[at]
        while upto < size and sample[upto] == sample[at]:
            upto += 1
        if through < rows and reference[through] == sample[at]:
            through += _at_or_below(reference[through:], sample[at])
        before = abs(below[at] / rows - at / size)
        farthest = max(farthest, before, abs(through / rows - upto / size))
        at = upto
    return farthest


@njit(cache=True)
def wasserstein_distance(
    reference: np.ndarray, sample: np.ndarray, below: np.ndarray, prefix: np.ndarray, mean: float
) -> float:
    """Return the area between the two quantile functions, sample value by sample value.

    The reference's quantile function is a staircase whose integral `prefix` knows; it crosses a
    sample value where the reference's distribution function says.
    """
    rows, size, total = float(len(reference)), len(sample), 0.0
    begin, area_begin = 0.0, 0.0
    for at in range(size):
        end = rows * (at + 1) / size
        area_end = _area(reference, prefix, mean, end)
        value = sample[at] - mean
        crossing = min(max(float(below[at]), begin), end)
        area_crossing = _area(reference, prefix, mean, crossing)
        total += value * (crossing - begin) - (area_crossing - area_begin)
        total += (area_end - area_crossing) - value * (end - crossing)
        begin, area_begin = end, area_end
    return max(total, 0.0) / rows


@njit(cache=True)
def _area(reference: np.ndarray, prefix: np.ndarray, mean: float, position: float) -> float:
    whole = min(int(position), len(reference) - 1)
    return prefix[whole] + (position - whole) * (reference[whole] - mean)


@njit(cache=True)
def _below(values: np.ndarray, limit: float) -> int:
    """Return how many of the ascending values lie below the limit."""
    low, high = 0, len(values)
    while low < high:
        middle = (low + high) // 2
        if values[middle] < limit:
            low = middle + 1
        else:
            high = middle
    return low


@njit(cache=True)
def _at_or_below(values: np.ndarray, limit: float) -> int:
    """Return how many of the ascending values lie at or below the limit."""
    low, high = 0, len(values)
    while low < high:
        middle = (low + high) // 2
        if values[middle] <= limit:
            low = middle + 1
        else:
            high = middle
    return low
