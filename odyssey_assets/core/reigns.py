"""Who serves when: the model that stands in for a window's own from a session on.

Without a reign, a window is served by the model that was fitted before it opened. Where reigns
come from (promotions and rollbacks) belongs to `monitoring.promotion`; what serving means for a
forecast belongs to `forecasting.serving`, for a portfolio to `portfolio.learned`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from odyssey_assets.core.windows import Window


@dataclass(frozen=True)
class Reign:
    """A model that serves from a session on, until the next reign or the end of the window.

    Attributes:
        subject: Ticker of a forecaster, or name of a policy.
        window: The window in which it serves.
        serves_after: It serves sessions after this one, whose data it may have seen.
        model_name: Parts of its name in the model store.
        model_sha256: SHA-256 that the stored model must have.
    """

    subject: str
    window: Window
    serves_after: date
    model_name: tuple[str, ...]
    model_sha256: str


def reigns_in(reigns: Iterable[Reign], subject: str, window: Window) -> tuple[Reign, ...]:
    """Return the reigns of a subject in a window, in order; of equals the later one rules.

    Args:
        reigns: In the order in which they were decided.
        subject: Ticker or policy.
        window: The window.
    """
    by_day = {
        reign.serves_after: reign
        for reign in reigns
        if reign.subject == subject and reign.window == window
    }
    return tuple(by_day[day] for day in sorted(by_day))


def reign_at(reigns: Iterable[Reign], day: date) -> Reign | None:
    """Return which of one window's reigns serves the session `day`; None: the window's own model.

    Args:
        reigns: As `reigns_in` returns them.
        day: A session of the window.
    """
    ruling = [reign for reign in reigns if reign.serves_after < day]
    return ruling[-1] if ruling else None
