"""What judgements ask of whatever is judged: one ticker's forecasters, or one learned policy.

The rules (who is heard when, what a promotion or a rollback takes) are the same for both and lie in
`hearing` and `reversal`; here is only what differs. A court compares two versions on sessions that
neither has seen and whose outcome is known.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

import pandas as pd

from odyssey_assets.core.windows import Window
from odyssey_assets.monitoring.promotion.champions import Kind, VersionRef, serving_at_end
from odyssey_assets.monitoring.promotion.evidence import Evidence
from odyssey_assets.monitoring.promotion.gate import Verdict
from odyssey_assets.settings import Settings


@dataclass(frozen=True)
class Incumbent:
    """Who serves the coming sessions.

    Attributes:
        model: The model.
        is_champion: Whether it has earned its place.
    """

    model: VersionRef
    is_champion: bool


class Court(Protocol):
    """One subject and what is known about its versions on the day of a judgement."""

    @property
    def kind(self) -> Kind:
        """What is decided about."""
        ...

    @property
    def subject(self) -> str:
        """Ticker of a forecaster, name of a policy."""
        ...

    @property
    def evidence(self) -> Evidence:
        """The stored tables as known on the day."""
        ...

    @property
    def settings(self) -> Settings:
        """How promotions are decided."""
        ...

    @property
    def as_of(self) -> date:
        """Last session known."""
        ...

    @property
    def window(self) -> Window:
        """The window of that session."""
        ...

    @property
    def last_served(self) -> date:
        """Last session that somebody has decided; whoever comes next serves later ones only."""
        ...

    @property
    def fitted(self) -> pd.DataFrame:
        """Challengers and stand-ins of the subject: role, window, requested_as_of, recorded_at."""
        ...

    def own_model(self, window: Window) -> Mapping[Any, Any] | None:
        """Return the row of a window's own model; None where none was fitted."""
        ...

    def heard(self, sha256: str) -> int:
        """Return of how many sessions a version's word is stored."""
        ...

    def compare(self, challenger: str, incumbent: str) -> Verdict:
        """Return the gate's word on a challenger, or its stand-in, beside who serves.

        Args:
            challenger: SHA-256 of who speaks for the challenger.
            incumbent: SHA-256 of the model that serves.
        """
        ...

    def beats_baseline(self, challenger: str, verdict: Verdict) -> Verdict:
        """Return the gate's word on the same sessions, held against what needs no learning.

        Args:
            challenger: SHA-256 of who speaks for the challenger.
            verdict: Of `compare`.
        """
        ...

    def is_decayed(self, champion: str, since: date) -> bool:
        """Return whether the champion's newest figures, of a session it served, fail their check.

        Args:
            champion: SHA-256.
            since: Last session before its reign.
        """
        ...

    def sessions_since(self, day: date) -> int:
        """Return how many sessions after `day` are known."""
        ...

    def look_back(self, former: str, champion: str, since: date) -> Verdict:
        """Return the figures of the model before a promotion beside the champion's, since then.

        Args:
            former: SHA-256 of the model that served before.
            champion: SHA-256 of the model that was promoted.
            since: Last session before its reign.
        """
        ...

    def did_better(self, verdict: Verdict) -> str | None:
        """Return in words by what the former model did better; None where it did not.

        Args:
            verdict: Of `look_back`.
        """
        ...


def incumbent_of(court: Court) -> Incumbent | None:
    """Return who serves the coming sessions of the court's window; None where nobody does."""
    serving = serving_at_end(court.evidence.ledger, court.subject, court.window, court.kind)
    if serving is not None and serving.serves_after is not None:
        return Incumbent(serving.model, serving.is_champion)
    row = court.own_model(court.window)
    if row is None:
        return None
    own = VersionRef.of_row(row)
    is_champion = serving is not None and serving.is_champion and serving.model.sha256 == own.sha256
    return Incumbent(own, is_champion)


def serving_before(court: Court, window: Window, windows: pd.Series) -> VersionRef | None:
    """Return who served the subject at the end of the last window in which somebody did.

    Args:
        court: The subject.
        window: Windows before this one count.
        windows: First days of the subject's windows.
    """
    earlier = windows[windows < pd.Timestamp(window.start)]
    for start in sorted(earlier.unique(), reverse=True):
        former = Window(start.date())
        serving = serving_at_end(court.evidence.ledger, court.subject, former, court.kind)
        if serving is not None:
            return serving.model
        row = court.own_model(former)
        if row is not None:
            return VersionRef.of_row(row)
    return None
