"""Automatic rollback: a promotion that went wrong is undone while it is young.

Only where both are true: the champion fails its decay check, and the model before it did better on
the very same sessions. One without the other is noise, or a market in which nobody does well.
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from odyssey_assets.core.figure_text import count
from odyssey_assets.monitoring.promotion.champions import VersionRef, in_order, serving_at_end
from odyssey_assets.monitoring.promotion.court import Court
from odyssey_assets.monitoring.promotion.entries import Decision

ACTOR, CAUSE = "gate", "decay"


def reversal(court: Court) -> Decision | None:
    """Return the rollback of a subject's last promotion; None where there is no reason for one."""
    promoted = _last_promotion(court)
    if promoted is None or pd.isna(promoted["predecessor_sha256"]):
        return None
    champion, former = VersionRef.of_row(promoted), _predecessor(court, promoted)
    since = promoted["serves_after"].date()
    is_young = court.sessions_since(since) <= court.settings.promotion.rollback_sessions
    if not is_young or not court.is_decayed(champion.sha256, since):
        return None
    verdict = court.look_back(former.sha256, champion.sha256, since)
    better = None if verdict.outcome == "too_few" else court.did_better(verdict)
    if better is None:
        return None
    return Decision(
        kind=court.kind,
        subject=court.subject,
        window=court.window,
        as_of=court.as_of,
        decision="rolled_back",
        is_champion=_was_champion(court, former),
        model=former,
        reason=(
            f"The model promoted after {since} fails its decay check, and on the same "
            f"{count(len(verdict.sessions))} sessions the one before it {better}."
        ),
        cause=CAUSE,
        actor=ACTOR,
        serves_after=court.last_served,
        predecessor=champion,
        held_against=champion.sha256,
        verdict=verdict,
    )


def _last_promotion(court: Court) -> Mapping[Any, Any] | None:
    """Return the row that put the serving model in its place; None unless it was a promotion."""
    serving = serving_at_end(court.evidence.ledger, court.subject, court.window, court.kind)
    if serving is None or serving.decision != "promoted":
        return None
    rows = _words(court)
    is_its = (rows["decision"] == "promoted") & (rows["model_sha256"] == serving.model.sha256)
    row: Mapping[Any, Any] = in_order(rows[is_its]).iloc[-1].to_dict()
    return row


def _predecessor(court: Court, promoted: Mapping[Any, Any]) -> VersionRef:
    """Return the model that a promotion replaced, with what it learned from where that is known."""
    name, sha256 = str(promoted["predecessor_name"]), str(promoted["predecessor_sha256"])
    evidence = court.evidence
    tables = (
        evidence.ledger, evidence.challengers, evidence.folds, evidence.policy_challengers,
        evidence.policies,
    )  # fmt: skip
    data = pd.concat([rows.loc[rows["model_sha256"] == sha256, "data_sha256"] for rows in tables])
    known = data.dropna()
    return VersionRef(name, sha256, None if known.empty else str(known.iloc[0]))


def _was_champion(court: Court, model: VersionRef) -> bool:
    """Return whether the last word on a model was that it is champion."""
    rows = _words(court)
    words = in_order(rows[rows["model_sha256"] == model.sha256])
    return bool(len(words) and words.iloc[-1]["is_champion"])


def _words(court: Court) -> pd.DataFrame:
    ledger = court.evidence.ledger
    return ledger[(ledger["kind"] == court.kind) & (ledger["subject"] == court.subject)]
