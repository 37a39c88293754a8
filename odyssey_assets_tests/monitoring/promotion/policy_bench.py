"""A learned policy in the courtroom: its models, its returns, and what others would have earned.

All versions earn the market's returns, their own lead a session, and a little noise. What a version
decides at the first close after its training is earned from the second session after on.
"""

from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from odyssey_assets.backtesting.tables import DAILY
from odyssey_assets.core.windows import Window
from odyssey_assets.monitoring.promotion.policy_court import PolicyCourt
from odyssey_assets.monitoring.tables import POLICY_QUALITY
from odyssey_assets.portfolio.tables import POLICIES, POLICY_CHALLENGERS, POLICY_TRIALS
from odyssey_assets.settings import Settings, build_settings
from odyssey_assets_tests.monitoring.promotion.courtroom import (
    BEFORE,
    WINDOW,
    Courtroom,
    signed_sha,
)

POLICY = "ppo"
OWN, OLDER = "own", "older"
MARKET, QUIET = 0.01, 0.0005
LEAD = 0.001


def policy_content(name: str) -> dict[str, Any]:
    """Return what the stored policy called `name` is."""
    return {"policy": POLICY, "tickers": list(build_settings().tickers), "called": name}


@cache
def policy_sha(name: str) -> str:
    """Return the SHA-256 that the policy called `name` has in a store of signed models."""
    return signed_sha(policy_content(name), name)


def policy_name(name: str) -> str:
    """Return the name in the model store of the policy called `name`."""
    return f"policies/{POLICY}/{name}"


@dataclass(frozen=True)
class PolicyBench:
    """Adds a learned policy to the tables of a courtroom.

    Attributes:
        court: The tables.
    """

    court: Courtroom

    def plant(self, lead: float, *, has_baseline: bool = True) -> pd.DataFrame:
        """Let a learned policy earn equal weight's returns and a lead; return all returns."""
        for window, name in ((WINDOW.shift(-1), OLDER), (WINDOW, OWN)):
            self.court.add("policies", POLICIES, [
                {"window": window.start, "policy": POLICY, "seed": seed, "status": "trained",
                 "is_main_seed": seed == 42, "model_name": policy_name(called),
                 "model_sha256": policy_sha(called), "data_sha256": f"data of {called}"}
                for seed, called in ((42, name), (43, f"{name}-43"))
            ])  # fmt: skip
        returns = {
            POLICY: self.market + lead,
            **({"equal_weight": self.market} if has_baseline else {}),
        }
        for strategy, series in returns.items():
            self.court.add("daily", DAILY, [
                {"strategy": strategy, "date": day, "window": day, "return": value}
                for day, value in series.items()
            ])  # fmt: skip
        return self.court.evidence.daily

    @property
    def market(self) -> pd.Series:
        """Returns of equal weight by session."""
        sessions = self.court.sessions
        drawn = np.random.default_rng([self.court.seed, 1]).normal(0.0, MARKET, len(sessions))
        return pd.Series(drawn, sessions)

    def returns(self, name: str, lead: float, noise: float = QUIET) -> pd.Series:
        """Return what a version would earn in every session; the same name has the same noise."""
        market, digits = self.market, int(policy_sha(name)[:8], 16)
        drawn = np.random.default_rng([self.court.seed, digits]).normal(0.0, noise, len(market))
        return market + lead + drawn

    def earned(
        self, name: str, lead: float, after: date, noise: float = QUIET, until: date | None = None
    ) -> pd.Series:
        """Return what a version earns that decides at closes after one day and up to another."""
        returns, sessions = self.returns(name, lead, noise), self.court.sessions
        first = int(sessions.searchsorted(pd.Timestamp(after), side="right")) + 1
        stop = len(sessions)
        if until is not None:
            stop = int(sessions.searchsorted(pd.Timestamp(until), side="right")) + 1
        return returns.iloc[first:stop]

    def serve(
        self,
        name: str = OWN,
        lead: float = 0.0,
        *,
        after: date = BEFORE,
        until: date | None = None,
        noise: float = QUIET,
    ) -> None:
        """Let a version decide for the portfolio itself."""
        self._try(name, "serving", after, self.earned(name, lead, after, noise, until))

    def try_out(self, name: str, role: str, lead: float, after: date, noise: float = QUIET) -> None:
        """Add the portfolio of a version that decides after a day."""
        self._try(name, role, after, self.earned(name, lead, after, noise))

    def challenge(
        self,
        name: str,
        lead: float,
        *,
        as_of: date,
        stand_in_as_of: date | None = None,
        noise: float = QUIET,
        window: Window = WINDOW,
    ) -> None:
        """Train a challenger as of a day, and a stand-in with the same lead, and try both."""
        self._train(name, "challenger", as_of, as_of, window)
        self.try_out(name, "challenger", lead, as_of, noise)
        if stand_in_as_of is not None:
            self._train(f"{name}-stand-in", "stand_in", stand_in_as_of, as_of, window)
            self.try_out(f"{name}-stand-in", "stand_in", lead, stand_in_as_of, noise)

    def decay(self, name: str, day: date, *, is_decayed: bool = True) -> None:
        """Let the figures of a version that decides fail their check on a day."""
        self.court.add("policy_quality", POLICY_QUALITY, [{
            "policy": POLICY, "date": day, "window": WINDOW.start, "sharpe_60": -9.0,
            "is_sharpe_decayed": is_decayed, "model_sha256": policy_sha(name),
        }])  # fmt: skip

    def sitting(self, settings: Settings) -> PolicyCourt:
        """Return the court as it knows the policy on the courtroom's day."""
        return PolicyCourt(POLICY, self.court.evidence.until(self.court.today), settings)

    def _train(self, name: str, role: str, trained: date, requested: date, window: Window) -> None:
        self.court.add("policy_challengers", POLICY_CHALLENGERS, [{
            "policy": POLICY, "window": window.start, "role": role, "trained_as_of": trained,
            "requested_as_of": requested, "model_name": policy_name(name),
            "model_sha256": policy_sha(name), "data_sha256": f"data of {name}",
            "recorded_at": pd.Timestamp(requested),
        }])  # fmt: skip

    def _try(self, name: str, role: str, after: date, returns: pd.Series) -> None:
        self.court.add("policy_trials", POLICY_TRIALS, [
            {"policy": POLICY, "window": WINDOW.start, "role": role, "serves_after": after,
             "model_sha256": policy_sha(name), "date": day, "return": value, "equity": 1.0}
            for day, value in returns.items()
        ])  # fmt: skip
