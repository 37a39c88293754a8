"""Automatic rollback: a promotion that went wrong is undone while it is young.

Only where both are true: the champion fails its decay check, and the model before it did better on
the very same sessions. One without the other is noise, or a market in which nobody does well.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from odyssey_assets.core.figure_text import count, ratio
from odyssey_assets.core.windows import Window, window_of
from odyssey_assets.monitoring.promotion.champions import (
    VersionRef,
    in_order,
    serving_at_end,
)
from odyssey_assets.monitoring.promotion.entries import Decision
from odyssey_assets.monitoring.promotion.evidence import Evidence, TickerEvidence
from odyssey_assets.monitoring.promotion.gate import RMSE_DECIMALS, judge_forecasts
from odyssey_assets.monitoring.promotion.occasion import generator_of
from odyssey_assets.settings import Settings

ACTOR, CAUSE = "gate", "decay"
DECAY_FLAGS = ("is_correlation_decayed", "is_coverage_decayed", "is_sharpe_decayed")


def reversal(own: TickerEvidence, evidence: Evidence, settings: Settings) -> Decision | None:
    """Return the rollback of a ticker's last promotion; None where there is no reason for one.

    Args:
        own: The ticker.
        evidence: As known on the day of the judgement.
        settings: How long a promotion is young, least number of sessions, costs.
    """
    window, config = window_of(own.as_of), settings.promotion
    promoted = _last_promotion(evidence.ledger, own.ticker, window)
    if promoted is None or pd.isna(promoted["predecessor_sha256"]):
        return None
    champion, former = VersionRef.of_row(promoted), _predecessor(evidence, promoted)
    since = promoted["serves_after"].date()
    age = int(np.count_nonzero(own.sessions > np.datetime64(since)))
    if age > config.rollback_sessions or not _is_decayed(evidence.quality, own, champion, since):
        return None
    pair = own.pair(own.forecasts_of(former.sha256), own.forecasts_of(champion.sha256), after=since)
    verdict = judge_forecasts(
        pair, "the champion", settings.costs.proportional, config,
        generator_of(settings.seed, own.ticker, former.sha256, champion.sha256),
    )  # fmt: skip
    if verdict.outcome == "too_few" or verdict.challenger.rmse >= verdict.incumbent.rmse:
        return None
    return Decision(
        kind="forecaster",
        subject=own.ticker,
        window=window,
        as_of=own.as_of,
        decision="rolled_back",
        is_champion=_was_champion(evidence.ledger, own.ticker, former),
        model=former,
        reason=(
            f"The model promoted after {since} fails its decay check, and the one before it erred "
            f"less on the same {count(len(pair))} sessions: "
            f"{ratio(verdict.challenger.rmse, RMSE_DECIMALS)} beside "
            f"{ratio(verdict.incumbent.rmse, RMSE_DECIMALS)}."
        ),
        cause=CAUSE,
        actor=ACTOR,
        serves_after=own.last_forecast,
        predecessor=champion,
        held_against=champion.sha256,
        verdict=verdict,
    )


def _last_promotion(ledger: pd.DataFrame, ticker: str, window: Window) -> Mapping[Any, Any] | None:
    """Return the row that put the serving model in its place; None unless it was a promotion."""
    serving = serving_at_end(ledger, ticker, window)
    if serving is None or serving.decision != "promoted":
        return None
    rows = _of_forecaster(ledger, ticker)
    is_its = (rows["decision"] == "promoted") & (rows["model_sha256"] == serving.model.sha256)
    row: Mapping[Any, Any] = in_order(rows[is_its]).iloc[-1].to_dict()
    return row


def _predecessor(evidence: Evidence, promoted: Mapping[Any, Any]) -> VersionRef:
    """Return the model that a promotion replaced, with what it learned from where that is known."""
    name, sha256 = str(promoted["predecessor_name"]), str(promoted["predecessor_sha256"])
    tables = (evidence.ledger, evidence.challengers, evidence.folds)
    data = pd.concat([rows.loc[rows["model_sha256"] == sha256, "data_sha256"] for rows in tables])
    known = data.dropna()
    return VersionRef(name, sha256, None if known.empty else str(known.iloc[0]))


def _is_decayed(
    quality: pd.DataFrame, own: TickerEvidence, champion: VersionRef, since: date
) -> bool:
    """Return whether the champion's newest figures, of a session it served, fail their check."""
    rows = quality[(quality["ticker"] == own.ticker) & (quality["date"] > pd.Timestamp(since))]
    if rows.empty:
        return False
    newest = rows.loc[rows["date"].idxmax()]
    is_its = newest["model_sha256"] == champion.sha256
    return bool(is_its and newest[list(DECAY_FLAGS)].any())


def _was_champion(ledger: pd.DataFrame, ticker: str, model: VersionRef) -> bool:
    """Return whether the last word on a model was that it is champion."""
    rows = _of_forecaster(ledger, ticker)
    words = in_order(rows[rows["model_sha256"] == model.sha256])
    return bool(len(words) and words.iloc[-1]["is_champion"])


def _of_forecaster(ledger: pd.DataFrame, ticker: str) -> pd.DataFrame:
    return ledger[(ledger["kind"] == "forecaster") & (ledger["subject"] == ticker)]
