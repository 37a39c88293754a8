"""Succession at a new window: its own model takes over by protocol, and is it champion?

A model that was fitted before the window opened has no outcomes of its own yet, so its recipe is
judged: the newest out-of-sample forecasts (or returns) of the models before it, against what
anybody could have done without learning. Whoever fails goes on serving, and is no champion.
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from odyssey_assets.core.windows import Window
from odyssey_assets.monitoring.promotion.champions import OF_THE_WINDOW, VersionRef
from odyssey_assets.monitoring.promotion.court import Court, serving_before
from odyssey_assets.monitoring.promotion.entries import Decision
from odyssey_assets.monitoring.promotion.forecaster_court import BASELINE_MODEL, ForecasterCourt
from odyssey_assets.monitoring.promotion.gate import Verdict, judge_forecasts, judge_returns
from odyssey_assets.monitoring.promotion.occasion import Occasion, generator_of
from odyssey_assets.monitoring.promotion.policy_court import BASELINE_POLICY, PolicyCourt

FORECAST_SESSIONS, POLICY_SESSIONS = 126, 252
DECISIONS: Mapping[bool, str] = {True: "succeeded", False: "unproven"}


def fold_succession(court: ForecasterCourt, occasion: Occasion) -> Decision | None:
    """Return the decision about the model of a ticker's newest window; None: taken already.

    Args:
        court: The ticker.
        occasion: Who judges.
    """
    row, own, settings = court.own_model(court.window), court.own, court.settings
    if row is None or _is_judged(court, row):
        return None
    verdict = judge_forecasts(
        own.pair(own.served(court.model), own.served(BASELINE_MODEL), newest=FORECAST_SESSIONS),
        "the historical mean",
        settings.costs.proportional,
        settings.promotion,
        generator_of(settings.seed, own.ticker, str(row["model_sha256"]), BASELINE_MODEL),
    )
    folds = court.evidence.folds
    former = serving_before(court, court.window, folds.loc[folds["ticker"] == own.ticker, "window"])
    return _decision(court, row, verdict, former, BASELINE_MODEL, occasion)


def policy_succession(court: PolicyCourt, occasion: Occasion) -> Decision | None:
    """Return the decision about the newest model of a learned policy; None: taken already.

    Args:
        court: The policy.
        occasion: Who judges.
    """
    trained, settings = court.trained, court.settings
    row = trained.iloc[-1].to_dict() if len(trained) else None
    if row is None or _is_judged(court, row):
        return None
    baseline = court.returns_of_strategy(BASELINE_POLICY)
    newest = pd.concat([court.returns, baseline], axis=1, join="inner").tail(POLICY_SESSIONS)
    verdict = judge_returns(
        newest.index.to_numpy(),
        newest.iloc[:, 0].to_numpy(),
        newest.iloc[:, 1].to_numpy(),
        "equal weight",
        settings.promotion,
        generator_of(settings.seed, court.subject, str(row["model_sha256"]), BASELINE_POLICY),
        settings.promotion.min_unseen_sessions,
    )
    former = serving_before(court, Window(row["window"].date()), trained["window"])
    return _decision(court, row, verdict, former, BASELINE_POLICY, occasion)


def _decision(
    court: Court,
    row: Mapping[Any, Any],
    verdict: Verdict,
    former: VersionRef | None,
    baseline: str,
    occasion: Occasion,
) -> Decision | None:
    if verdict.outcome == "too_few" and len(_words_on(court, row)):
        return None
    is_proven = verdict.outcome == "passed"
    return Decision(
        kind=court.kind,
        subject=court.subject,
        window=Window(row["window"].date()),
        as_of=court.as_of,
        decision=DECISIONS[is_proven],
        is_champion=is_proven,
        model=VersionRef.of_row(row),
        reason=verdict.reason,
        cause="new_window",
        actor=occasion.actor,
        predecessor=former,
        held_against=baseline,
        verdict=verdict,
    )


def _is_judged(court: Court, row: Mapping[Any, Any]) -> bool:
    """Return whether a window's own model has been compared with its baseline."""
    return bool(_words_on(court, row)["p_value_worse"].notna().any())


def _words_on(court: Court, row: Mapping[Any, Any]) -> pd.DataFrame:
    ledger = court.evidence.ledger
    return ledger[
        (ledger["kind"] == court.kind)
        & (ledger["subject"] == court.subject)
        & (ledger["window"] == row["window"])
        & (ledger["model_sha256"] == row["model_sha256"])
        & ledger["decision"].isin(OF_THE_WINDOW)
    ]
