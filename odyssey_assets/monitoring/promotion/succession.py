"""Succession at a new window: its own model takes over by protocol, and is it champion?

A model that was fitted before the window opened has no outcomes of its own yet, so its recipe is
judged: the newest out-of-sample forecasts (or returns) of the models before it, against what
anybody could have done without learning. Whoever fails goes on forecasting, and is no champion.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

import pandas as pd

from odyssey_assets.core.windows import Window, window_of
from odyssey_assets.monitoring.promotion.champions import (
    OF_THE_WINDOW,
    Kind,
    VersionRef,
    serving_at_end,
)
from odyssey_assets.monitoring.promotion.entries import Decision
from odyssey_assets.monitoring.promotion.evidence import Evidence, TickerEvidence
from odyssey_assets.monitoring.promotion.gate import (
    Verdict,
    judge_forecasts,
    judge_returns,
)
from odyssey_assets.monitoring.promotion.occasion import Occasion, generator_of
from odyssey_assets.settings import Settings

BASELINE_MODEL, BASELINE_POLICY = "historical_mean", "equal_weight"
FORECAST_SESSIONS, POLICY_SESSIONS = 126, 252
DECISIONS: Mapping[bool, str] = {True: "succeeded", False: "unproven"}


def fold_succession(
    own: TickerEvidence, evidence: Evidence, occasion: Occasion, settings: Settings
) -> Decision | None:
    """Return the decision about the model of a ticker's newest window; None: taken already.

    Args:
        own: The ticker.
        evidence: As known on the day of the judgement.
        occasion: Who judges.
        settings: Which forecaster serves, costs, the gate.
    """
    window, model = window_of(own.as_of), settings.portfolio.forecast_model
    row = fold_row(evidence.folds, own.ticker, window, model)
    if row is None or _is_judged(evidence.ledger, "forecaster", own.ticker, row):
        return None
    verdict = judge_forecasts(
        own.pair(own.served(model), own.served(BASELINE_MODEL), newest=FORECAST_SESSIONS),
        "the historical mean",
        settings.costs.proportional,
        settings.promotion,
        generator_of(settings.seed, own.ticker, str(row["model_sha256"]), BASELINE_MODEL),
    )
    former = _serving_before(evidence, own.ticker, window, model)
    return _decision(
        "forecaster", own.ticker, own.as_of, row, verdict, former, evidence.ledger, occasion
    )


def policy_successions(
    evidence: Evidence, occasion: Occasion, settings: Settings
) -> tuple[Decision, ...]:
    """Return the decisions about the newest model of each learned policy that are to be taken.

    Args:
        evidence: As known on the day of the judgement.
        occasion: Who judges.
        settings: The gate.
    """
    trained = evidence.policies[
        (evidence.policies["status"] == "trained") & evidence.policies["is_main_seed"]
    ].sort_values("window")
    found = []
    for policy, rows in trained.groupby("policy"):
        row = rows.iloc[-1].to_dict()
        own = _returns(evidence.daily, str(policy))
        if own.empty or _is_judged(evidence.ledger, "policy", str(policy), row):
            continue
        both = pd.concat([own, _returns(evidence.daily, BASELINE_POLICY)], axis=1, join="inner")
        newest = both.tail(POLICY_SESSIONS)
        verdict = judge_returns(
            newest.index.to_numpy(),
            newest.iloc[:, 0].to_numpy(),
            newest.iloc[:, 1].to_numpy(),
            "equal weight",
            settings.promotion,
            generator_of(settings.seed, str(policy), str(row["model_sha256"]), BASELINE_POLICY),
        )
        as_of = own.index[-1].date()
        former = VersionRef.of_row(rows.iloc[-2].to_dict()) if len(rows) > 1 else None
        found.append(
            _decision("policy", str(policy), as_of, row, verdict, former, evidence.ledger, occasion)
        )
    return tuple(one for one in found if one is not None)


def fold_row(
    folds: pd.DataFrame, ticker: str, window: Window, model: str
) -> Mapping[Any, Any] | None:
    """Return the row of a window's own model; None where none was fitted."""
    is_own = (folds["ticker"] == ticker) & (folds["window"] == pd.Timestamp(window.start))
    rows = folds[is_own & (folds["model"] == model) & (folds["status"] == "trained")]
    return None if rows.empty else rows.iloc[0].to_dict()


def _serving_before(
    evidence: Evidence, ticker: str, window: Window, model: str
) -> VersionRef | None:
    """Return who served the ticker at the end of the last window in which somebody did."""
    folds = evidence.folds[evidence.folds["ticker"] == ticker]
    earlier = folds.loc[folds["window"] < pd.Timestamp(window.start), "window"]
    for start in sorted(earlier.unique(), reverse=True):
        former = Window(start.date())
        serving = serving_at_end(evidence.ledger, ticker, former)
        if serving is not None:
            return serving.model
        row = fold_row(folds, ticker, former, model)
        if row is not None:
            return VersionRef.of_row(row)
    return None


def _decision(
    kind: Kind,
    subject: str,
    as_of: date,
    row: Mapping[Any, Any],
    verdict: Verdict,
    former: VersionRef | None,
    ledger: pd.DataFrame,
    occasion: Occasion,
) -> Decision | None:
    if verdict.outcome == "too_few" and len(_words_on(ledger, kind, subject, row)):
        return None
    is_proven = verdict.outcome == "passed"
    return Decision(
        kind=kind,
        subject=subject,
        window=Window(row["window"].date()),
        as_of=as_of,
        decision=DECISIONS[is_proven],
        is_champion=is_proven,
        model=VersionRef.of_row(row),
        reason=verdict.reason,
        cause="new_window",
        actor=occasion.actor,
        predecessor=former,
        held_against=BASELINE_MODEL if kind == "forecaster" else BASELINE_POLICY,
        verdict=verdict,
    )


def _is_judged(ledger: pd.DataFrame, kind: Kind, subject: str, row: Mapping[Any, Any]) -> bool:
    """Return whether a window's own model has been compared with its baseline."""
    words = _words_on(ledger, kind, subject, row)
    return bool(words["p_value_worse"].notna().any())


def _words_on(
    ledger: pd.DataFrame, kind: Kind, subject: str, row: Mapping[Any, Any]
) -> pd.DataFrame:
    return ledger[
        (ledger["kind"] == kind)
        & (ledger["subject"] == subject)
        & (ledger["window"] == row["window"])
        & (ledger["model_sha256"] == row["model_sha256"])
        & ledger["decision"].isin(OF_THE_WINDOW)
    ]


def _returns(daily: pd.DataFrame, strategy: str) -> pd.Series:
    rows = daily[daily["strategy"] == strategy]
    return rows.set_index("date")["return"].sort_index()
