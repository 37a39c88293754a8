"""Hearings: each challenger without a last word before the gate, the oldest first.

The same for forecasters and policies; what a court knows belongs to `court`, the gate's rules to
`gate`, and what happens at a new window to `succession`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from odyssey_assets.core.windows import Window
from odyssey_assets.monitoring.promotion.champions import VersionRef, in_order
from odyssey_assets.monitoring.promotion.court import Court, Incumbent
from odyssey_assets.monitoring.promotion.entries import Decision
from odyssey_assets.monitoring.promotion.gate import Verdict, too_few
from odyssey_assets.monitoring.promotion.occasion import Occasion


@dataclass(frozen=True)
class Case:
    """A challenger without a last word.

    Attributes:
        row: Its row among the fitted versions.
        stand_in: SHA-256 of the model that stands in for it; None: there is none.
        pending: Its newest row in the ledger; None: it was never looked at.
        cause: Why it was fitted.
        actor: Who decides.
        event_id: Entry in the ledger of retrainings.
    """

    row: Mapping[Any, Any]
    stand_in: str | None
    pending: Mapping[Any, Any] | None
    cause: str
    actor: str
    event_id: str | None

    @property
    def model(self) -> VersionRef:
        """The challenger."""
        return VersionRef.of_row(self.row)

    @property
    def window(self) -> Window:
        """The window in which it would serve."""
        return Window(self.row["window"].date())


def cases_of(court: Court, occasion: Occasion) -> Sequence[Case]:
    """Return the subject's challengers that are new or pending, the oldest first."""
    fitted, ledger = court.fitted, court.evidence.ledger
    is_own = (ledger["kind"] == court.kind) & (ledger["subject"] == court.subject)
    words = in_order(ledger[is_own])
    cases = []
    new = fitted[fitted["role"] == "challenger"].sort_values(["requested_as_of", "recorded_at"])
    for row in new.to_dict("records"):
        said = words[words["model_sha256"] == row["model_sha256"]].to_dict("records")
        last = said[-1] if said else None
        if last is not None and last["decision"] != "pending":
            continue
        cases.append(_case(row, last, fitted, occasion, court.subject))
    return cases


def _case(
    row: Mapping[Any, Any],
    pending: Mapping[Any, Any] | None,
    fitted: pd.DataFrame,
    occasion: Occasion,
    subject: str,
) -> Case:
    beside = fitted[
        (fitted["role"] == "stand_in")
        & (fitted["window"] == row["window"])
        & (fitted["requested_as_of"] == row["requested_as_of"])
    ].sort_values("recorded_at")
    stand_in = None if beside.empty else str(beside.iloc[-1]["model_sha256"])
    if pending is None:
        event = occasion.events.get(subject)
        return Case(row, stand_in, None, occasion.cause, occasion.actor, event)
    event = None if pd.isna(pending["event_id"]) else str(pending["event_id"])
    return Case(row, stand_in, pending, str(pending["cause"]), occasion.actor, event)


@dataclass(frozen=True)
class Hearing:
    """One challenger before the gate."""

    court: Court
    case: Case
    incumbent: Incumbent | None

    def decision(self) -> Decision | None:
        """Return what is decided; None: it goes on waiting."""
        if self.case.window < self.court.window:
            return self._decided("rejected", "Its window ended before it had earned its place.")
        if self.incumbent is None:
            return self._decided("rejected", "No model serves its window to hold it against.")
        serving = self.incumbent.model
        if serving.sha256 == self.case.model.sha256:
            return self._decided("rejected", "It is the model that serves already.")
        if self.court.settings.promotion.mode == "manual":
            return self._for_a_person(serving)
        verdict = self._verdict(serving)
        if verdict.outcome == "too_few":
            return self._first_look(f"It waits for its judgement. {verdict.reason}", verdict)
        if verdict.outcome == "failed":
            return self._decided("rejected", verdict.reason, verdict)
        return self._promoted(self.incumbent, verdict)

    def _promoted(self, incumbent: Incumbent, verdict: Verdict) -> Decision:
        """Return its promotion; who replaces nobody of merit must show its own to be champion."""
        if incumbent.is_champion:
            return self._decided("promoted", verdict.reason, verdict, is_champion=True)
        earned = self.court.beats_baseline(self._speaker, verdict)
        if earned.outcome == "passed":
            return self._decided("promoted", verdict.reason, verdict, is_champion=True)
        reason = f"{verdict.reason} It serves, and is no champion: {earned.reason}"
        return self._decided("promoted", reason, verdict)

    def _for_a_person(self, serving: VersionRef) -> Decision | None:
        """Return the figures for a person to decide on, once when new and once when known."""
        verdict, pending = self._verdict(serving), self.case.pending
        reason = f"A person decides: `odyssey promote {self.court.subject}`. {verdict.reason}"
        if pending is not None and pd.isna(pending["p_value_worse"]):
            is_known = verdict.outcome != "too_few"
            return self._decided("pending", reason, verdict) if is_known else None
        return self._first_look(reason, verdict)

    def _first_look(self, reason: str, verdict: Verdict) -> Decision | None:
        return None if self.case.pending is not None else self._decided("pending", reason, verdict)

    @property
    def _speaker(self) -> str:
        """SHA-256 of who speaks for the challenger.

        At first it is the stand-in, as the challenger has seen everything; later, and in a trial,
        the challenger speaks for itself.
        """
        is_trial = self.court.settings.promotion.mode == "shadow" or self.case.pending is not None
        return self.case.model.sha256 if is_trial else self.case.stand_in or ""

    def _verdict(self, serving: VersionRef) -> Verdict:
        """Return the gate's word on the sessions that neither side has seen."""
        config = self.court.settings.promotion
        verdict = self.court.compare(self._speaker, serving.sha256)
        if config.mode == "shadow" and self.court.heard(self._speaker) < config.shadow_sessions:
            return too_few(verdict.sessions, config.shadow_sessions)
        return verdict

    def _decided(
        self,
        decision: str,
        reason: str,
        verdict: Verdict | None = None,
        *,
        is_champion: bool = False,
    ) -> Decision:
        former = None if self.incumbent is None else self.incumbent.model
        return Decision(
            kind=self.court.kind,
            subject=self.court.subject,
            window=self.case.window,
            as_of=self.court.as_of,
            decision=decision,
            is_champion=is_champion,
            model=self.case.model,
            reason=reason,
            cause=self.case.cause,
            actor=self.case.actor,
            serves_after=self.court.last_served if decision == "promoted" else None,
            event_id=self.case.event_id,
            predecessor=former,
            held_against=None if verdict is None or former is None else former.sha256,
            verdict=verdict,
        )
