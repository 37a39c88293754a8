"""When a window is looked at: after every 21st session, and at its last one so far.

A look is a sample: the sessions of a window that the serving model had not seen, up to a day. What
is measured on it belongs to `measurement`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from odyssey_assets.monitoring.drift.panel import TickerPanel
from odyssey_assets.monitoring.drift.serving_models import ServingModel

STEP_SESSIONS = 21
LAST_CHECKPOINT = 105
"""The largest checkpoint: every half year has so many sessions, so every earlier one has a score
to compare with."""


@dataclass(frozen=True)
class Look:
    """One sample.

    Attributes:
        model: Who serves its last session.
        first: First row of the panel that belongs to it.
        stop: Row after its last one.
        as_of: Its last session.
    """

    model: ServingModel
    first: int
    stop: int
    as_of: date

    @property
    def sessions(self) -> int:
        """Number of sessions."""
        return self.stop - self.first


def checkpoints(min_sessions: int) -> tuple[int, ...]:
    """Return the numbers of sessions at which windows are compared, ascending.

    Args:
        min_sessions: Fewer are not looked at.
    """
    steps = range(STEP_SESSIONS, LAST_CHECKPOINT + 1, STEP_SESSIONS)
    return (min_sessions, *(count for count in steps if count > min_sessions))


def checkpoint_of(sessions: int, compared: Sequence[int]) -> int:
    """Return the place in `compared` of the largest checkpoint that a sample reaches.

    Comparing with fewer sessions is on the safe side: small samples lie farther off by chance.
    """
    return int(np.searchsorted(compared, sessions, side="right")) - 1


def plan_looks(
    panel: TickerPanel, models: Sequence[ServingModel], min_sessions: int
) -> tuple[Look, ...]:
    """Return the looks at one window, in order of their day.

    Args:
        panel: The ticker's rows.
        models: Who serves the window, one after the other; at least one.
        min_sessions: A sample of fewer is no look, but for the window's last session.

    Returns:
        Looks at every checkpoint, and at the window's last session so far, which may have too few
        sessions to say anything; none where the window has no session.
    """
    looks: list[Look] = []
    window_stop = panel.position(models[-1].window.end)
    for model in models:
        first = panel.position(model.sees_from)
        served = panel.rows_between(model.serves_from, model.serves_to)
        looks += [
            _look(panel, model, first, stop)
            for stop in range(served.start + 1, served.stop + 1)
            if _is_checkpoint(stop - first, min_sessions) or stop == window_stop
        ]
    return tuple(looks)


def _is_checkpoint(sessions: int, min_sessions: int) -> bool:
    return sessions >= min_sessions and (sessions % STEP_SESSIONS == 0 or sessions == min_sessions)


def _look(panel: TickerPanel, model: ServingModel, first: int, stop: int) -> Look:
    return Look(model, first, stop, panel.days[stop - 1].item())
