"""Trials in accelerated time: every version forecasts its window at once, and is heard day by day.

A forecast follows from its session's row of features alone, so that what a version would say each
night is what it says of all of them together. Trials themselves belong to `forecasting.trials`.
"""

from dataclasses import dataclass, field
from datetime import date, datetime

import pandas as pd

from odyssey_assets.core.collaborators import ModelStore
from odyssey_assets.core.windows import Window, window_of
from odyssey_assets.forecasting.tables import TRIALS
from odyssey_assets.forecasting.trials import run_trials
from odyssey_assets.settings import Settings


@dataclass
class SimulatedTrials:
    """Gives each night what `forecasting.trials` would add.

    Attributes:
        features: Rows of `features.features`, in order of their days.
        settings: Of the home.
        store: Holds the models.
    """

    features: pd.DataFrame
    settings: Settings
    store: ModelStore
    _made: pd.DataFrame = field(default_factory=TRIALS.empty)
    _made_for: tuple[Window, int] | None = None
    _told: pd.Timestamp = pd.Timestamp.min

    @property
    def of_whole_window(self) -> pd.DataFrame:
        """The forecasts of all sessions of the window that was last asked for, returned or not."""
        return self._made

    def until(
        self, day: date, folds: pd.DataFrame, challengers: pd.DataFrame, now: datetime
    ) -> pd.DataFrame:
        """Return forecasts of the sessions of a window up to `day` that were not returned before.

        A challenger that has come since lets all of them be returned again.

        Args:
            day: The session.
            folds: Rows of `forecasting.folds`.
            challengers: Rows of `forecasting.challengers`.
            now: Moment that the rows carry, UTC without time zone.
        """
        window = window_of(day)
        if self._made_for != (window, len(challengers)):
            own = folds[folds["window"] == pd.Timestamp(window.start)]
            days = self.features["date"]
            first, stop = (
                days.searchsorted(pd.Timestamp(edge)) for edge in (window.start, window.end)
            )
            known = self.features.iloc[first:stop]
            tried = run_trials(known, own, challengers, self.settings, self.store, now)
            self._made, self._told = tried.rows.sort_values("date"), pd.Timestamp.min
            self._made_for = window, len(challengers)
        days, last = self._made["date"], pd.Timestamp(day)
        told, self._told = self._told, last
        return self._made[(days > told) & (days <= last)].assign(recorded_at=now)
