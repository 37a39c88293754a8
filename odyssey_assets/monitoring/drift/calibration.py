"""What scores a ticker's windows have when nothing changes, and what therefore is too far.

Rolling features wander so slowly that no textbook threshold or test holds for them. So a score is
held against those of the ticker's earlier windows, each against its own reference, or, where there
are too few, against stretches drawn from the reference itself. In two steps:

1. Column by column: a Student prediction interval on a scale on which the scores are about
   symmetric, with the spread shrunk towards that of all columns (Smyth 2004, Statistical
   Applications in Genetics and Molecular Biology 3(1)), since some twenty windows say little about
   the spread of one.
2. All judged columns and all looks of a window together: each earlier window is judged by the
   others as if it were the present one, and its most striking look counts (Simes 1986, Biometrika
   73(3), which is what Benjamini-Hochberg rejects by). How striking earlier windows were sets the
   level at which no more than the wanted share of unchanged windows alarms, however the columns
   depend on each other, whatever their tails, and however often a window is looked at.

The p-values given back are already scaled to that level: Benjamini and Hochberg (1995, Journal of
the Royal Statistical Society B 57(1)) at the false-alarm rate rejects exactly the columns above
their threshold. Pure. Which windows and looks there are belongs to `measurement`.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr, stdtrit

from odyssey_assets.monitoring.tables import METHODS

PRIOR_FREEDOM = 10.0
"""Earlier windows that the spread of all columns counts for, beside those of the column itself."""

LEAST_SPREAD, LEAST_LEVEL = 1e-6, 1e-200
MIN_SCORES = 3
OFFSETS = {METHODS.index("psi"): 0.5, METHODS.index("wasserstein"): 1.5}
"""Added before the logarithm, about the median score: below it differences count as they are."""


@dataclass(frozen=True, eq=False)
class Null:
    """Scores of a ticker in which nothing has changed.

    Attributes:
        scores: Of earlier windows or of drawn samples, at every checkpoint; NaN where there is
            none. Float64, shape (windows, checkpoints, columns, methods).
        independent: How many independent windows they are worth, at most `len(scores)`.
    """

    scores: np.ndarray
    independent: float


@dataclass(frozen=True, eq=False)
class Judgement:
    """What a look's scores mean; each of shape (columns, methods).

    Attributes:
        p_values: Scaled so that Benjamini-Hochberg at the false-alarm rate gives the verdict; NaN
            without a score or without enough earlier ones.
        thresholds: Scores above these are drift, at this look; NaN where the p-value is, and where
            no score would be.
        is_drifted: Whether the score lies above its threshold.
        past_scores: Earlier or drawn scores that the p-value rests on.
    """

    p_values: np.ndarray
    thresholds: np.ndarray
    is_drifted: np.ndarray
    past_scores: np.ndarray


@dataclass(frozen=True, eq=False)
class Calibration:
    """A null, and the level at which the judged columns keep the false-alarm rate.

    Attributes:
        null: What is usual.
        level: Of Benjamini-Hochberg over the first step's p-values, shape (methods,).
        family: Columns that are judged together, bool, shape (columns,).
        false_alarm_rate: Of a ticker and window.
    """

    null: Null
    level: np.ndarray
    family: np.ndarray
    false_alarm_rate: float

    def judge(self, scores: np.ndarray, checkpoint: int) -> Judgement:
        """Judge the scores of one look, shape (columns, methods), by those at `checkpoint`."""
        past = self.null.scores[:, checkpoint]
        usual = _usual(past, self.null.independent)
        found = _p_values(to_scale(scores), usual)
        scaled = np.minimum(found * (self.false_alarm_rate / self.level), 1.0)
        tested = np.isfinite(found) & self.family[:, None]
        count = np.maximum(tested.sum(axis=0), 1)
        ordered = np.sort(np.where(tested, found, np.inf), axis=0)
        steps = self.level * np.arange(1, len(found) + 1)[:, None] / count
        is_below = ordered <= steps
        rejected = np.where(is_below, np.arange(1, len(found) + 1)[:, None], 1).max(axis=0)
        reach = -stdtrit(usual.freedom, self.level * rejected / count)
        thresholds = from_scale(usual.mean + reach * usual.spread)
        # A past that wanders beyond all bounds gives none: no score could pass it.
        is_known = np.isfinite(found) & np.isfinite(thresholds)
        thresholds = np.where(is_known, thresholds, np.nan)
        counts = np.isfinite(past).sum(axis=0)
        return Judgement(scaled, thresholds, scores > thresholds, counts)


def calibrate(null: Null, family: np.ndarray, false_alarm_rate: float) -> Calibration:
    """Find the level at which `family` keeps the false-alarm rate over all looks of a window.

    Args:
        null: At least three windows or draws.
        family: Columns judged together, bool, shape (columns,).
        false_alarm_rate: Share of unchanged windows that may alarm, at whatever look.
    """
    # The fourth root of a roughly exponential variable is close to normal (Wilson and Hilferty).
    surprise = (-np.log(_left_out(null, family))) ** 0.25
    count = null.independent
    mean, spread = surprise.mean(axis=0), surprise.std(axis=0, ddof=1)
    reach = -stdtrit(count - 1.0, false_alarm_rate) * np.sqrt(1.0 + 1.0 / count)
    level = np.exp(-(np.maximum(mean + reach * spread, 0.0) ** 4))
    return Calibration(null, level, family, false_alarm_rate)


def to_scale(scores: np.ndarray) -> np.ndarray:
    """Return scores, methods last, on scales on which those of unchanged windows are symmetric.

    Logarithms for what has no upper end; the two that have one stay as they are.
    """
    scaled = scores.copy()
    for method, offset in OFFSETS.items():
        scaled[..., method] = np.log(scores[..., method] + offset)
    return scaled


def from_scale(scaled: np.ndarray) -> np.ndarray:
    """Return the scores that `to_scale` maps to `scaled`, or the nearest possible ones."""
    scores = scaled.copy()
    with np.errstate(over="ignore"):  # infinite is what it means
        for method, offset in OFFSETS.items():
            scores[..., method] = np.exp(scaled[..., method]) - offset
    return np.maximum(scores, 0.0)


@dataclass(frozen=True, eq=False)
class _Usual:
    """Where a score of an unchanged window is expected: a scaled and shifted Student variable."""

    mean: np.ndarray
    spread: np.ndarray
    freedom: np.ndarray


def _usual(scores: np.ndarray, independent: float) -> _Usual:
    """Return what is expected after `scores`, shape (windows, ..., columns, methods)."""
    values = to_scale(scores)
    counts = np.isfinite(values).sum(axis=0)
    mean, variance = _moments(values, counts)
    return _expected(mean, variance, _prior(variance), counts * (independent / len(scores)))


def _expected(
    mean: np.ndarray, variance: np.ndarray, prior: np.ndarray, counts: np.ndarray
) -> _Usual:
    own = np.maximum(counts - 1.0, 0.0)
    freedom = PRIOR_FREEDOM + own
    shrunk = (PRIOR_FREEDOM * prior + own * variance) / freedom
    spread = np.sqrt(shrunk * (1.0 + 1.0 / np.maximum(counts, 1.0)))
    return _Usual(mean, np.maximum(spread, LEAST_SPREAD), freedom)


def _moments(values: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and variance (ddof 1) over the first axis, without NaN; NaN where too few."""
    few = np.where(counts >= MIN_SCORES, counts, np.nan)
    mean = np.nansum(values, axis=0) / few
    squares = np.nansum((values - mean) ** 2, axis=0)
    return mean, squares / (few - 1.0)


def _prior(variance: np.ndarray) -> np.ndarray:
    """Return the median variance of all columns, in the shape of one column."""
    ordered = np.sort(variance, axis=-2)  # NaN go to the end.
    counts = np.isfinite(variance).sum(axis=-2, keepdims=True)
    low = np.take_along_axis(ordered, np.maximum(counts - 1, 0) // 2, axis=-2)
    high = np.take_along_axis(ordered, np.maximum(counts, 1) // 2, axis=-2)
    return np.where(counts > 0, (low + high) / 2.0, np.nan)


def _p_values(values: np.ndarray, usual: _Usual) -> np.ndarray:
    return stdtr(usual.freedom, -(values - usual.mean) / usual.spread)


def _left_out(null: Null, family: np.ndarray) -> np.ndarray:
    """Return each earlier window's most striking look when judged by the other windows.

    Returns:
        The least Simes p-value of its looks, shape (windows, methods).
    """
    values = to_scale(null.scores)
    counts = np.isfinite(values).sum(axis=0)
    mean, variance = _moments(values, counts)
    prior = _prior(variance)
    values, mean, variance = values[:, :, family], mean[:, family], variance[:, family]
    counts = counts[:, family]
    # Mean and squares without a window follow from those with it.
    rest = np.maximum(counts - 1.0, 1.0)
    other_mean = mean - (values - mean) / rest
    squares = (counts - 1.0) * variance - (values - mean) ** 2 * counts / rest
    other_variance = np.maximum(squares, 0.0) / np.maximum(rest - 1.0, 1.0)
    usual = _expected(
        other_mean, other_variance, prior, rest * (null.independent / len(null.scores))
    )
    return _simes(_p_values(values, usual)).min(axis=1)


def _simes(p_values: np.ndarray) -> np.ndarray:
    """Return the least p-value times columns over its rank, over axis -2; 1 where there is none."""
    counts = np.isfinite(p_values).sum(axis=-2, keepdims=True)
    ordered = np.sort(np.where(np.isfinite(p_values), p_values, np.inf), axis=-2)
    ranks = np.arange(1, ordered.shape[-2] + 1)[:, None]
    return np.minimum((ordered * np.maximum(counts, 1) / ranks).min(axis=-2), 1.0)
