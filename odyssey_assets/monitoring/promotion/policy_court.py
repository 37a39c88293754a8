"""One learned policy before the court: returns after costs, of the same sessions.

A version's returns are those of the policy's own portfolio had that version decided from a day on,
as `portfolio.policy_trials` has them, so that changing hands costs what it would have cost.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from odyssey_assets.core.figure_text import ratio
from odyssey_assets.core.windows import Window, window_of
from odyssey_assets.monitoring.promotion.champions import Kind
from odyssey_assets.monitoring.promotion.evidence import Evidence
from odyssey_assets.monitoring.promotion.gate import Verdict, judge_returns
from odyssey_assets.monitoring.promotion.occasion import generator_of
from odyssey_assets.settings import Settings

BASELINE_POLICY = "equal_weight"
CHALLENGING = ("challenger", "stand_in")


@dataclass(frozen=True)
class PolicyCourt:
    """A learned policy that has earned a return.

    Attributes:
        subject: Its name in the catalog.
        evidence: The stored tables as known on the day.
        settings: The gate.
    """

    subject: str
    evidence: Evidence
    settings: Settings
    kind: Kind = "policy"

    @property
    def returns(self) -> pd.Series:
        """What it earned by session, whoever decided."""
        return self.returns_of_strategy(self.subject)

    @property
    def as_of(self) -> date:
        """The last session known, also where the portfolio has not got there yet."""
        newest = max(self.returns.index[-1], self.evidence.bars["date"].max())
        day: date = newest.date()
        return day

    @property
    def window(self) -> Window:
        """The window of that session."""
        return window_of(self.as_of)

    @property
    def last_served(self) -> date:
        """Last session at whose close somebody has decided, and that a challenger may have seen."""
        return self.as_of

    @property
    def trained(self) -> pd.DataFrame:
        """The windows' own models, oldest first."""
        rows = self.evidence.policies
        is_own = (rows["policy"] == self.subject) & rows["is_main_seed"]
        return rows[is_own & (rows["status"] == "trained")].sort_values("window")

    @property
    def fitted(self) -> pd.DataFrame:
        """Its challengers and stand-ins."""
        rows = self.evidence.policy_challengers
        return rows[rows["policy"] == self.subject]

    def own_model(self, window: Window) -> Mapping[Any, Any] | None:
        """Return the row of a window's own model; None where none was trained."""
        rows = self.trained[self.trained["window"] == pd.Timestamp(window.start)]
        return None if rows.empty else rows.iloc[0].to_dict()

    def heard(self, sha256: str) -> int:
        """Return how many sessions a version's trial has lasted."""
        return len(self._tried(sha256, CHALLENGING))

    def compare(self, challenger: str, incumbent: str) -> Verdict:
        """Return the gate's word on the portfolio in the challenger's hands and as it was."""
        return self._judge(
            self._tried(challenger, CHALLENGING),
            self._tried(incumbent, ("serving",)),
            (challenger, incumbent),
            "the policy that serves",
            self.settings.promotion.min_unseen_returns,
        )

    def beats_baseline(self, challenger: str, verdict: Verdict) -> Verdict:
        """Return the gate's word on the same sessions, held against equal weight."""
        own = self._tried(challenger, CHALLENGING)
        return self._judge(
            own[own.index.isin(verdict.sessions)],
            self.returns_of_strategy(BASELINE_POLICY),
            (challenger, BASELINE_POLICY),
            "equal weight",
            self.settings.promotion.min_unseen_returns,
        )

    def is_decayed(self, champion: str, since: date) -> bool:
        """Return whether the champion's newest figures, while it served, fail their check."""
        quality = self.evidence.policy_quality
        is_later = quality["date"] > pd.Timestamp(since)
        rows = quality[(quality["policy"] == self.subject) & is_later]
        if rows.empty:
            return False
        newest = rows.loc[rows["date"].idxmax()]
        return bool(newest["model_sha256"] == champion and newest["is_sharpe_decayed"])

    def sessions_since(self, day: date) -> int:
        """Return how many sessions after `day` are known."""
        return int(np.count_nonzero(self.returns.index > pd.Timestamp(day)))

    def look_back(self, former: str, champion: str, since: date) -> Verdict:
        """Return the figures of the portfolio without the promotion beside those with it."""
        return self._judge(
            self._tried(former, ("predecessor",), since),
            self._tried(champion, ("serving",), since),
            (former, champion),
            "the champion",
            self.settings.promotion.min_unseen_sessions,
        )

    def did_better(self, verdict: Verdict) -> str | None:
        """Return in words that the former model earned more for its risk; None where it did not."""
        before, now = verdict.challenger.sharpe, verdict.incumbent.sharpe
        if not before > now:
            return None
        return f"earned more for its risk: Sharpe ratio {ratio(before)} beside {ratio(now)}"

    def returns_of_strategy(self, strategy: str) -> pd.Series:
        """Return what a strategy of the competition earned by session."""
        rows = self.evidence.daily[self.evidence.daily["strategy"] == strategy]
        return rows.set_index("date")["return"].sort_index()

    def _tried(self, sha256: str, roles: tuple[str, ...], since: date | None = None) -> pd.Series:
        """Return a version's returns by session; `since`: only what began then or later.

        A reign that was decided before its window opened begins with the window.
        """
        rows = self.evidence.policy_trials
        is_its = (rows["policy"] == self.subject) & (rows["model_sha256"] == sha256)
        own = rows[is_its & rows["role"].isin(roles)]
        if since is not None:
            own = own[own["serves_after"] >= pd.Timestamp(since)]
        return own.drop_duplicates("date").set_index("date")["return"].sort_index()

    def _judge(
        self, one: pd.Series, two: pd.Series, names: tuple[str, str], against: str, least: int
    ) -> Verdict:
        both = pd.concat([one, two], axis=1, join="inner")
        return judge_returns(
            both.index.to_numpy(),
            both.iloc[:, 0].to_numpy(),
            both.iloc[:, 1].to_numpy(),
            against,
            self.settings.promotion,
            generator_of(self.settings.seed, self.subject, *names),
            least,
        )
