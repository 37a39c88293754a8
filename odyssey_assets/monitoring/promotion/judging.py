"""One judgement: from stored tables to the rows that the ledger of promotions gains.

Every ticker's new window first, then whether its last promotion must be undone, then the
challengers that can be judged now; policies at the end. Pure, and twice the same: what the ledger
holds already is not decided again. No model is loaded here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

from odyssey_assets.core.windows import Window, window_of
from odyssey_assets.monitoring.promotion.champions import (
    VersionRef,
    in_order,
    serving_at_end,
)
from odyssey_assets.monitoring.promotion.docket import docket
from odyssey_assets.monitoring.promotion.entries import Decision, entries_of
from odyssey_assets.monitoring.promotion.evidence import (
    Evidence,
    TickerEvidence,
    ticker_evidence,
)
from odyssey_assets.monitoring.promotion.gate import Verdict, judge_forecasts, too_few
from odyssey_assets.monitoring.promotion.occasion import Occasion, generator_of
from odyssey_assets.monitoring.promotion.reversal import reversal
from odyssey_assets.monitoring.promotion.succession import (
    fold_row,
    fold_succession,
    policy_successions,
)
from odyssey_assets.settings import Settings


def judge(evidence: Evidence, today: date, occasion: Occasion, settings: Settings) -> pd.DataFrame:
    """Return the rows of `monitoring.promotions` that are to be added, in the order decided.

    Args:
        evidence: The stored tables; what was not known at the close of `today` is not looked at.
        today: Last session known.
        occasion: Why, who, when.
        settings: Who serves, horizon, costs, and how promotions are decided.
    """
    known = evidence.until(today)
    decisions: list[Decision] = []
    for ticker in docket(known, settings):
        own = ticker_evidence(known, ticker, settings.forecasting.horizon_sessions)
        decisions += _of_ticker(own, known, occasion, settings)
    decisions += policy_successions(known, occasion, settings)
    return entries_of(decisions, evidence.ledger, settings.promotion.mode, occasion.now)


def _of_ticker(
    own: TickerEvidence, evidence: Evidence, occasion: Occasion, settings: Settings
) -> list[Decision]:
    window = window_of(own.as_of)
    incumbent = incumbent_of(evidence, own.ticker, window, settings)
    decisions = []
    succession = fold_succession(own, evidence, occasion, settings)
    undone = reversal(own, evidence, settings)
    if succession is not None:
        decisions.append(succession)
    if undone is not None:
        decisions.append(undone)
        incumbent = undone.model
    for case in _cases(evidence, own.ticker, occasion, settings):
        decision = _Hearing(own, case, incumbent, settings).decision()
        if decision is not None:
            decisions.append(decision)
            incumbent = decision.model if decision.is_champion else incumbent
    return decisions


def incumbent_of(
    evidence: Evidence, ticker: str, window: Window, settings: Settings
) -> VersionRef | None:
    """Return the model that serves the coming sessions of a window; None where none does."""
    serving = serving_at_end(evidence.ledger, ticker, window)
    if serving is not None and serving.serves_after is not None:
        return serving.model
    row = fold_row(evidence.folds, ticker, window, settings.portfolio.forecast_model)
    return None if row is None else VersionRef.of_row(row)


@dataclass(frozen=True)
class _Case:
    """A challenger without a last word.

    Attributes:
        row: Its row of `forecasting.challengers`.
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
        return VersionRef.of_row(self.row)

    @property
    def window(self) -> Window:
        return Window(self.row["window"].date())


@dataclass(frozen=True)
class _Hearing:
    """One challenger before the gate."""

    own: TickerEvidence
    case: _Case
    incumbent: VersionRef | None
    settings: Settings

    def decision(self) -> Decision | None:
        """Return what is decided; None: it goes on waiting."""
        if self.case.window < window_of(self.own.as_of):
            return self._decided("rejected", "Its window ended before it had earned its place.")
        if self.incumbent is None:
            return self._decided("rejected", "No model serves its window to hold it against.")
        if self.incumbent.sha256 == self.case.model.sha256:
            return self._decided("rejected", "It is the model that serves already.")
        if self.settings.promotion.mode == "manual":
            return self._for_a_person(self.incumbent)
        verdict = self._verdict(self.incumbent)
        if verdict.outcome == "too_few":
            return self._first_look(f"It waits for its judgement. {verdict.reason}", verdict)
        is_passed = verdict.outcome == "passed"
        return self._decided("promoted" if is_passed else "rejected", verdict.reason, verdict)

    def _for_a_person(self, incumbent: VersionRef) -> Decision | None:
        """Return the figures for a person to decide on, once when new and once when known."""
        verdict, pending = self._verdict(incumbent), self.case.pending
        reason = f"A person decides: `odyssey promote {self.own.ticker}`. {verdict.reason}"
        if pending is not None and pd.isna(pending["p_value_worse"]):
            is_known = verdict.outcome != "too_few"
            return self._decided("pending", reason, verdict) if is_known else None
        return self._first_look(reason, verdict)

    def _first_look(self, reason: str, verdict: Verdict) -> Decision | None:
        return None if self.case.pending is not None else self._decided("pending", reason, verdict)

    def _verdict(self, incumbent: VersionRef) -> Verdict:
        """Return the gate's word on the sessions that neither side has seen.

        At first the stand-in speaks for the challenger, which has seen everything; later, and in a
        trial, it speaks for itself.
        """
        config = self.settings.promotion
        is_trial = config.mode == "shadow" or self.case.pending is not None
        speaker = self.case.model.sha256 if is_trial else self.case.stand_in
        forecasts = self.own.forecasts_of(speaker or "")
        pair = self.own.pair(forecasts, self.own.forecasts_of(incumbent.sha256))
        if config.mode == "shadow" and len(forecasts) < config.shadow_sessions:
            return too_few(pair.sessions, config)
        return judge_forecasts(
            pair,
            "the model that serves",
            self.settings.costs.proportional,
            config,
            generator_of(
                self.settings.seed, self.own.ticker, self.case.model.sha256, incumbent.sha256
            ),
        )

    def _decided(self, decision: str, reason: str, verdict: Verdict | None = None) -> Decision:
        is_promoted, incumbent = decision == "promoted", self.incumbent
        return Decision(
            kind="forecaster",
            subject=self.own.ticker,
            window=self.case.window,
            as_of=self.own.as_of,
            decision=decision,
            is_champion=is_promoted,
            model=self.case.model,
            reason=reason,
            cause=self.case.cause,
            actor=self.case.actor,
            serves_after=self.own.last_forecast if is_promoted else None,
            event_id=self.case.event_id,
            predecessor=incumbent,
            held_against=None if verdict is None or incumbent is None else incumbent.sha256,
            verdict=verdict,
        )


def _cases(
    evidence: Evidence, ticker: str, occasion: Occasion, settings: Settings
) -> Sequence[_Case]:
    """Return the ticker's challengers that are new or pending, the oldest first."""
    fitted = evidence.challengers
    own = fitted[
        (fitted["ticker"] == ticker) & (fitted["model"] == settings.portfolio.forecast_model)
    ]
    ledger = evidence.ledger
    words = in_order(ledger[(ledger["kind"] == "forecaster") & (ledger["subject"] == ticker)])
    cases = []
    new = own[own["role"] == "challenger"].sort_values(["requested_as_of", "recorded_at"])
    for row in new.to_dict("records"):
        said = words[words["model_sha256"] == row["model_sha256"]].to_dict("records")
        last = said[-1] if said else None
        if last is not None and last["decision"] != "pending":
            continue
        cases.append(_case(row, last, own, occasion))
    return cases


def _case(
    row: Mapping[Any, Any],
    pending: Mapping[Any, Any] | None,
    fitted: pd.DataFrame,
    occasion: Occasion,
) -> _Case:
    beside = fitted[
        (fitted["role"] == "stand_in")
        & (fitted["window"] == row["window"])
        & (fitted["requested_as_of"] == row["requested_as_of"])
    ].sort_values("recorded_at")
    stand_in = None if beside.empty else str(beside.iloc[-1]["model_sha256"])
    if pending is None:
        event = occasion.events.get(str(row["ticker"]))
        return _Case(row, stand_in, None, occasion.cause, occasion.actor, event)
    event = None if pd.isna(pending["event_id"]) else str(pending["event_id"])
    return _Case(row, stand_in, pending, str(pending["cause"]), occasion.actor, event)
