"""Decisions of people: another version of a subject serves from the next session on.

What is asked for is refused, with a reason, before anything is written: the model must be known,
must not serve already, must be of the kind that serves, and must be stored as the ledger names it.
What the gate undoes by itself belongs to `reversal`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal

import pandas as pd

from odyssey_assets.core.collaborators import ModelStore
from odyssey_assets.core.sessions import sessions_between
from odyssey_assets.core.windows import Window, window_of
from odyssey_assets.errors import ModelError, PromotionError
from odyssey_assets.monitoring.promotion.champions import (
    OF_THE_WINDOW,
    Kind,
    Serving,
    VersionRef,
    in_order,
    serving_at_end,
)
from odyssey_assets.monitoring.promotion.entries import Decision, entries_of
from odyssey_assets.monitoring.promotion.evidence import Evidence, ticker_evidence
from odyssey_assets.monitoring.promotion.forecaster_court import ForecasterCourt
from odyssey_assets.monitoring.promotion.gate import Verdict
from odyssey_assets.monitoring.promotion.policy_court import PolicyCourt
from odyssey_assets.settings import Settings

Act = Literal["promote", "rollback"]
CAUSE = "person"
LONGEST_BREAK = timedelta(days=14)


@dataclass(frozen=True)
class Wish:
    """What a person asks for.

    Attributes:
        act: `promote` puts a challenger in its place, `rollback` a model that served before.
        subject: Ticker, or name of a policy.
        to: Number of the version; None for the newest challenger that waits, or for the model
            that served before the present one.
        actor: Login name of the person.
        now: This moment; with a time zone, or in UTC.
    """

    act: Act
    subject: str
    to: int | None
    actor: str
    now: datetime


def entry_of_wish(
    wish: Wish, evidence: Evidence, store: ModelStore, settings: Settings
) -> pd.DataFrame:
    """Return the row of `monitoring.promotions` that fulfils a wish.

    The model serves sessions after the last one stored, in the window of the next session. The row
    has the gate's figures where both models have forecast sessions that neither saw.

    Args:
        wish: Who, whom, to which version.
        evidence: The stored tables.
        store: Holds the models.
        settings: Forecaster, horizon, gate.

    Raises:
        PromotionError: The subject or version is not known, serves already, is of another kind, or
            there is nothing to go to.
        ModelError: The model is missing, has been altered, or is another one.
    """
    rows = _rows_of(wish.subject, evidence.ledger)
    kind: Kind = rows.iloc[-1]["kind"]
    as_of = _last_session(kind, wish.subject, evidence, settings)
    window = window_of(_next_session(as_of))
    serving = serving_at_end(rows, wish.subject, window, kind) or serving_at_end(
        rows, wish.subject, Window(rows["window"].max().date()), kind
    )
    number = _number(wish, rows, serving)
    chosen = VersionRef.of_row(_row_of_version(wish.subject, number, rows))
    if serving is not None and serving.model.sha256 == chosen.sha256:
        raise PromotionError(
            f"Version {number} of {wish.subject} serves already. Choose another: {_listed(rows)}."
        )
    _refuse_unusable(chosen, kind, wish.subject, store, settings)
    decision = "promoted" if wish.act == "promote" else "rolled_back"
    former = None if serving is None else serving.model
    entry = Decision(
        kind=kind,
        subject=wish.subject,
        window=window,
        as_of=as_of,
        decision=decision,
        is_champion=True,
        model=chosen,
        reason=_reason(wish, number, serving),
        cause=CAUSE,
        actor=wish.actor,
        serves_after=as_of,
        predecessor=former,
        held_against=None if former is None else former.sha256,
        verdict=_figures(kind, wish.subject, chosen, serving, evidence, settings),
        turn=_turn(rows, decision, chosen, as_of),
    )
    return entries_of([entry], evidence.ledger, settings.promotion.mode, wish.now)


def _rows_of(subject: str, ledger: pd.DataFrame) -> pd.DataFrame:
    rows = in_order(ledger[ledger["subject"] == subject])
    if rows.empty:
        known = ", ".join(sorted(ledger["subject"].unique())) or "none; run `odyssey run` first"
        raise PromotionError(f"The ledger knows no {subject!r}. It knows: {known}.")
    return rows


def _last_session(kind: Kind, subject: str, evidence: Evidence, settings: Settings) -> date:
    """Return the last stored session of a subject."""
    if kind == "policy":
        court = PolicyCourt(subject, evidence, settings)
        if len(court.returns):
            return court.as_of
    rows = evidence.bars[evidence.bars["ticker"] == subject]
    if rows.empty:
        raise PromotionError(
            f"No recent session of {subject} is stored, so no session to serve after is known. "
            "Run `odyssey run` first."
        )
    day: date = rows["date"].max().date()
    return day


def _next_session(day: date) -> date:
    following = sessions_between(day + timedelta(days=1), day + LONGEST_BREAK)
    first: date = following[0].date()
    return first


def _number(wish: Wish, rows: pd.DataFrame, serving: Serving | None) -> int:
    if wish.to is not None:
        return wish.to
    if wish.act == "rollback":
        return _version_before(wish.subject, rows, serving)
    last = rows.drop_duplicates("model_sha256", keep="last")
    waiting = last[last["decision"] == "pending"]
    if waiting.empty:
        raise PromotionError(
            f"No challenger of {wish.subject} waits for a decision. Name a version with --to: "
            f"{_listed(rows)}."
        )
    return int(waiting.iloc[-1]["model_version"])


def _version_before(subject: str, rows: pd.DataFrame, serving: Serving | None) -> int:
    """Return the version that was replaced when the serving model first came to its place.

    Not the one that it was rolled back from: rolling back twice goes two steps back.
    """
    sha256 = "" if serving is None else serving.model.sha256
    is_arrival = rows["decision"].isin(("promoted", *OF_THE_WINDOW))
    arrivals = rows[is_arrival & (rows["model_sha256"] == sha256)]
    before = arrivals["predecessor_sha256"].dropna()
    known = rows[rows["model_sha256"].isin(before.tail(1))]
    if known.empty:
        raise PromotionError(
            f"The ledger knows no model of {subject} before the one that serves. Name a version "
            f"with --to: {_listed(rows)}."
        )
    return int(known.iloc[-1]["model_version"])


def _row_of_version(subject: str, number: int, rows: pd.DataFrame) -> Mapping[Any, Any]:
    chosen = rows[rows["model_version"] == number]
    if chosen.empty:
        raise PromotionError(f"{subject} has no version {number}. The ledger has: {_listed(rows)}.")
    row: Mapping[Any, Any] = chosen.iloc[-1].to_dict()
    return row


def _listed(rows: pd.DataFrame) -> str:
    last = rows.drop_duplicates("model_version", keep="last").sort_values("model_version")
    return ", ".join(
        f"{row.model_version} ({row.decision}, {row.as_of:%Y-%m-%d})" for row in last.itertuples()
    )


def _refuse_unusable(
    model: VersionRef, kind: Kind, subject: str, store: ModelStore, settings: Settings
) -> None:
    """Refuse a model that could not serve: missing, altered, another one, or of another kind."""
    stored = store.find(model.name_parts)
    if stored is None:
        raise ModelError(
            f"The model {model.name} is not in the model store. Put it back from a backup, or "
            "choose another version."
        )
    if stored.model_sha256 != model.sha256:
        raise ModelError(
            f"The model {model.name} has SHA-256 {stored.model_sha256}, expected {model.sha256} "
            "as in the ledger: it is another one. Find out who changed it, or choose another "
            "version."
        )
    expected: dict[str, object] = {
        "model": settings.portfolio.forecast_model,
        "ticker": subject,
        "horizon_sessions": settings.forecasting.horizon_sessions,
    }
    if kind == "policy":
        expected = {"policy": subject, "tickers": list(settings.tickers)}
    found = {name: stored.content.get(name) for name in expected}
    if found != expected:
        raise PromotionError(
            f"The model {model.name} is of another kind: it is for {found}, and what serves is for "
            f"{expected}. Choose another version, or change the settings back."
        )


def _figures(
    kind: Kind,
    subject: str,
    chosen: VersionRef,
    serving: Serving | None,
    evidence: Evidence,
    settings: Settings,
) -> Verdict | None:
    """Return the gate's figures for people to see; they decide nothing here."""
    if serving is None:
        return None
    if kind == "policy":
        court = PolicyCourt(subject, evidence, settings)
        if court.heard(chosen.sha256) or serving.serves_after is None:
            return court.compare(chosen.sha256, serving.model.sha256)
        return court.look_back(chosen.sha256, serving.model.sha256, serving.serves_after)
    own = ticker_evidence(evidence, subject, settings.forecasting.horizon_sessions)
    court_of_ticker = ForecasterCourt(own, evidence, settings)
    return court_of_ticker.compare(chosen.sha256, serving.model.sha256)


def _reason(wish: Wish, number: int, serving: Serving | None) -> str:
    before = "nobody" if serving is None else f"version {serving.version}"
    verb = "promoted" if wish.act == "promote" else "rolled back to"
    return f"{wish.actor} {verb} version {number}; before it served {before}."


def _turn(rows: pd.DataFrame, decision: str, model: VersionRef, as_of: date) -> int:
    is_same = (rows["decision"] == decision) & (rows["model_sha256"] == model.sha256)
    return int((is_same & (rows["as_of"] == pd.Timestamp(as_of))).sum())
