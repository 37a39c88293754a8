"""The market's regime: three K-means states, refitted at each window start on the past only.

The state of a session in window W comes from the scaler and the centres that were fitted on the
sessions before W, so it never changes later. Each fit starts from the terciles of volatility: no
random choice, and states that stay comparable from fit to fit, ordered by volatility.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.cluster import KMeans

from odyssey_assets.core.windows import window_starts
from odyssey_assets.features.series import FloatArray

STATES = 3
MIN_FIT_SESSIONS = 252


@dataclass(frozen=True)
class RegimeStates:
    """Regime of each session; null before the first window with enough sessions behind it.

    Attributes:
        state: 0 calm, 1 normal, 2 stressed.
        duration: Sessions since the state last changed, 0 on the session of the change.
        strength: Distance to the nearest other centre - distance to the own centre, in standard
            deviations of the sessions before the window.
    """

    state: FloatArray
    duration: FloatArray
    strength: FloatArray


def regime_states(observations: FloatArray, calendar: pd.DatetimeIndex) -> RegimeStates:
    """Assign each session its regime.

    Args:
        observations: One row a session, volatility first; rows with nulls have no regime.
        calendar: The sessions, ascending.
    """
    state, strength = np.full(len(calendar), np.nan), np.full(len(calendar), np.nan)
    is_known = np.asarray(np.isfinite(observations).all(axis=1))
    _, starts = np.unique(window_starts(calendar), return_index=True)
    for start, end in zip(starts, [*starts[1:], len(calendar)], strict=True):
        past = observations[:start][is_known[:start]]
        if not _can_be_fitted(past):
            continue
        rows = np.flatnonzero(is_known[start:end]) + start
        state[rows], strength[rows] = _assign(past, observations[rows])
    return RegimeStates(state, _durations(state), strength)


def _can_be_fitted(past: FloatArray) -> bool:
    if len(past) < MIN_FIT_SESSIONS or not (past.std(axis=0) > 0.0).all():
        return False
    return len(np.unique(past, axis=0)) >= STATES


def _assign(past: FloatArray, present: FloatArray) -> tuple[FloatArray, FloatArray]:
    mean, std = past.mean(axis=0), past.std(axis=0)
    scaled_past = (past - mean) / std
    by_volatility = np.argsort(past[:, 0], kind="stable")
    terciles = [scaled_past[rows].mean(axis=0) for rows in np.array_split(by_volatility, STATES)]
    model = KMeans(STATES, init=np.array(terciles), n_init=1, random_state=0, algorithm="lloyd")
    centres = model.fit(scaled_past).cluster_centers_
    centres = centres[np.argsort(centres[:, 0], kind="stable")]
    scaled = (present - mean) / std
    distances = np.sqrt(((scaled[:, np.newaxis, :] - centres) ** 2).sum(axis=2))
    nearest = np.sort(distances, axis=1)
    return distances.argmin(axis=1).astype(np.float64), nearest[:, 1] - nearest[:, 0]


def _durations(state: FloatArray) -> FloatArray:
    durations = np.full(state.size, np.nan)
    known = np.flatnonzero(~np.isnan(state))
    is_change = np.append(True, state[known][1:] != state[known][:-1])[: known.size]
    changed_at = np.maximum.accumulate(np.where(is_change, known, 0))
    durations[known] = known - changed_at
    return durations
