"""One judgement: from stored tables to the rows that the ledger of promotions gains.

Every ticker's new window first, then whether its last promotion must be undone, then the
challengers that can be judged now; the learned policies, by the same rules, at the end. Pure, and
twice the same: what the ledger holds already is not decided again. No model is loaded here.
"""

from datetime import date

import pandas as pd

from odyssey_assets.monitoring.promotion.court import Court, Incumbent, incumbent_of
from odyssey_assets.monitoring.promotion.docket import docket
from odyssey_assets.monitoring.promotion.entries import Decision, entries_of
from odyssey_assets.monitoring.promotion.evidence import Evidence, ticker_evidence
from odyssey_assets.monitoring.promotion.forecaster_court import ForecasterCourt
from odyssey_assets.monitoring.promotion.hearing import Hearing, cases_of
from odyssey_assets.monitoring.promotion.occasion import Occasion
from odyssey_assets.monitoring.promotion.policy_court import PolicyCourt
from odyssey_assets.monitoring.promotion.reversal import reversal
from odyssey_assets.monitoring.promotion.succession import fold_succession, policy_succession
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
        court = ForecasterCourt(own, known, settings)
        decisions += _sit(court, fold_succession(court, occasion), occasion)
    for policy in sorted(known.policies["policy"].unique()):
        bench = PolicyCourt(str(policy), known, settings)
        if len(bench.returns):
            decisions += _sit(bench, policy_succession(bench, occasion), occasion)
    return entries_of(decisions, evidence.ledger, settings.promotion.mode, occasion.now)


def _sit(court: Court, succession: Decision | None, occasion: Occasion) -> list[Decision]:
    """Return what is decided about one subject, each decision by who serves after the last."""
    incumbent, decisions = incumbent_of(court), []
    if succession is not None:
        decisions.append(succession)
        if incumbent is not None and incumbent.model.sha256 == succession.model.sha256:
            incumbent = Incumbent(incumbent.model, succession.is_champion)
    undone = reversal(court)
    if undone is not None:
        decisions.append(undone)
        incumbent = Incumbent(undone.model, undone.is_champion)
    for case in cases_of(court, occasion):
        decision = Hearing(court, case, incumbent).decision()
        if decision is not None:
            decisions.append(decision)
            if decision.decision == "promoted":
                incumbent = Incumbent(decision.model, decision.is_champion)
    return decisions
