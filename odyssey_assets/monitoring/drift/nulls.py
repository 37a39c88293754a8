"""The scores that a window is compared with: those of earlier windows, or of drawn samples.

Where a ticker has too few earlier windows, stretches are drawn from what the model learned from
(stationary block bootstrap, Politis and Romano 1994), with blocks long enough to keep the slow
features slow. What is made of the scores belongs to `calibration`.
"""

import math
import zlib
from collections.abc import Mapping, Sequence

import numpy as np

from odyssey_assets.core.block_bootstrap import draw_paths
from odyssey_assets.monitoring.drift.calibration import Null
from odyssey_assets.monitoring.drift.panel import COLUMNS, TickerPanel
from odyssey_assets.monitoring.drift.scores import SortedColumns, score_samples
from odyssey_assets.monitoring.drift.serving_models import ServingModel
from odyssey_assets.monitoring.tables import METHODS

DRAWS = 20
BLOCK_SESSIONS = 252.0
"""Mean length of a block: a year, the memory of the slowest features."""

MIN_INDEPENDENT = 3.0


def null_of(past: Sequence[Mapping[int, np.ndarray]], compared: Sequence[int]) -> Null:
    """Arrange the scores of earlier windows.

    Args:
        past: Of each earlier window, scores of shape (columns, methods) by number of sessions.
        compared: Numbers of sessions at which windows are compared.
    """
    scores = np.full((len(past), len(compared), len(COLUMNS), len(METHODS)), np.nan)
    for window, by_sessions in zip(scores, past, strict=True):
        for at, sessions in enumerate(compared):
            if sessions in by_sessions:
                window[at] = by_sessions[sessions]
    return Null(scores, float(len(past)))


def drawn_null(
    panel: TickerPanel,
    model: ServingModel,
    reference: SortedColumns,
    compared: Sequence[int],
    seed: int,
) -> Null:
    """Draw samples from what a model learned from, and score them as if they were windows.

    They are worth as many windows as blocks fit into those rows side by side. A drawn sample is
    part of the reference and so lies nearer to it than a new window: of n independent stretches,
    the distance from their mean to one of them is to that of a new one as
    sqrt((n - 1) / (n + 1)).
    Forecasts have no training rows to draw from: theirs stay NaN.

    Args:
        panel: The ticker's rows.
        model: Who serves.
        reference: What the model learned from, ordered.
        compared: Numbers of sessions at which windows are compared.
        seed: Of the settings; ticker and window choose the stream.
    """
    learned = panel.rows_between(model.train_start, model.train_end)
    longest = max(compared)
    stream = (seed, zlib.crc32(panel.ticker.encode()), model.window.start.toordinal())
    drawn = draw_paths(np.random.default_rng(stream), len(learned), BLOCK_SESSIONS, DRAWS, longest)
    rows = panel.table[learned.start + drawn.ravel()].copy()
    rows[:, -1] = np.nan
    first = np.repeat(np.arange(DRAWS) * longest, len(compared))
    scores = score_samples(reference, rows, first, first + np.tile(compared, DRAWS))
    independent = min(max(len(learned) / BLOCK_SESSIONS, MIN_INDEPENDENT), float(DRAWS))
    widened = math.sqrt((independent + 1.0) / (independent - 1.0))
    shaped = scores.reshape(DRAWS, len(compared), len(COLUMNS), len(METHODS))
    return Null(_widened(shaped, widened), independent)


def _widened(scores: np.ndarray, factor: float) -> np.ndarray:
    """Return scores of shifts `factor` times as large; the stability index grows by its square."""
    psi, ks, jensen_shannon, wasserstein = np.moveaxis(scores, -1, 0)
    return np.stack(
        [
            psi * factor**2,
            np.minimum(ks * factor, 1.0),
            np.minimum(jensen_shannon * factor, math.sqrt(math.log(2.0))),
            wasserstein * factor,
        ],
        axis=-1,
    )
