"""Decisions as rows of the ledger: identified, numbered, and each written once.

What is decided belongs to `judging`, `succession` and `rollback`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pandas as pd

from odyssey_assets.core.hashing import hash_mapping
from odyssey_assets.core.windows import Window
from odyssey_assets.monitoring.ledgers import PROMOTIONS
from odyssey_assets.monitoring.promotion.champions import Kind, VersionRef
from odyssey_assets.monitoring.promotion.gate import Figures, Verdict

TICK = timedelta(microseconds=1)


@dataclass(frozen=True)
class Decision:
    """One decision about one model.

    Attributes:
        kind: What is decided about.
        subject: Ticker, or name of a policy.
        window: The window in which the model serves.
        as_of: Last session known.
        decision: One of the ledger's decisions.
        is_champion: Whether the model is champion from now on.
        model: The model.
        reason: The decision in words.
        cause: Why it was looked at.
        actor: Who decided.
        serves_after: It serves sessions after this one; None: it does not, or not by a reign.
        event_id: Entry in the ledger of retrainings.
        predecessor: Model that served before.
        held_against: SHA-256 of the model, or the baseline, compared with.
        verdict: The gate's figures.
        turn: How often the same was decided before on that day: only people take a decision back.
    """

    kind: Kind
    subject: str
    window: Window
    as_of: date
    decision: str
    is_champion: bool
    model: VersionRef
    reason: str
    cause: str
    actor: str
    serves_after: date | None = None
    event_id: str | None = None
    predecessor: VersionRef | None = None
    held_against: str | None = None
    verdict: Verdict | None = None
    turn: int = 0

    @property
    def decision_id(self) -> str:
        """Hash of what was decided about which model on what day."""
        return hash_mapping(
            {
                "kind": self.kind,
                "subject": self.subject,
                "model_sha256": self.model.sha256,
                "decision": self.decision,
                "as_of": self.as_of.isoformat(),
                "turn": self.turn,
            }
        )


def entries_of(
    decisions: Sequence[Decision], ledger: pd.DataFrame, mode: str, now: datetime
) -> pd.DataFrame:
    """Return the rows that the decisions add to the ledger, in their order.

    A decision that the ledger holds already adds nothing. Every row gets a moment of its own, after
    all that are stored, also where the clock was set back: the order of the ledger is the order of
    its decisions.

    Args:
        decisions: In the order in which they were taken.
        ledger: Rows of `monitoring.promotions`.
        mode: How promotions are decided.
        now: This moment; with a time zone, or in UTC.

    Returns:
        Rows as the contract wants them, by `recorded_at`.
    """
    if not decisions:
        return PROMOTIONS.empty()
    known = set(ledger["decision_id"])
    versions = _versions(ledger)
    moment = _after(ledger, now)
    rows = []
    for one in decisions:
        if one.decision_id in known:
            continue
        known.add(one.decision_id)
        own = versions.setdefault((one.kind, one.subject), {})
        version = own.setdefault(one.model.sha256, max(own.values(), default=0) + 1)
        rows.append(_row(one, version, mode, moment))
        moment += TICK
    if not rows:
        return PROMOTIONS.empty()
    return PROMOTIONS.conform(_typed(rows)).sort_values("recorded_at", ignore_index=True)


def _versions(ledger: pd.DataFrame) -> dict[tuple[str, str], dict[str, int]]:
    found: dict[tuple[str, str], dict[str, int]] = {}
    columns = ("kind", "subject", "model_sha256", "model_version")
    for kind, subject, sha256, version in zip(*(ledger[name] for name in columns), strict=True):
        found.setdefault((kind, subject), {})[sha256] = int(version)
    return found


def _after(ledger: pd.DataFrame, now: datetime) -> datetime:
    moment = now.astimezone(UTC).replace(tzinfo=None) if now.tzinfo else now
    if ledger.empty:
        return moment
    return max(moment, ledger["recorded_at"].max().to_pydatetime() + TICK)


def _row(one: Decision, version: int, mode: str, moment: datetime) -> dict[str, object]:
    verdict = one.verdict
    sessions: Sequence[object] = () if verdict is None else list(verdict.sessions)
    former = one.predecessor
    return {
        "decision_id": one.decision_id,
        "recorded_at": moment,
        "kind": one.kind,
        "subject": one.subject,
        "window": one.window.start,
        "as_of": one.as_of,
        "decision": one.decision,
        "is_champion": one.is_champion,
        "serves_after": one.serves_after,
        "mode": mode,
        "cause": one.cause,
        "actor": one.actor,
        "event_id": one.event_id,
        "model_name": one.model.name,
        "model_version": version,
        "model_sha256": one.model.sha256,
        "predecessor_name": None if former is None else former.name,
        "predecessor_sha256": None if former is None else former.sha256,
        "data_sha256": one.model.data_sha256,
        "held_against": one.held_against,
        "unseen_sessions": None if verdict is None else len(sessions),
        "first_unseen": sessions[0] if len(sessions) else None,
        "last_unseen": sessions[-1] if len(sessions) else None,
        **_figures("challenger", None if verdict is None else verdict.challenger),
        **_figures("incumbent", None if verdict is None else verdict.incumbent),
        "p_value_worse": math.nan if verdict is None else verdict.p_value_worse,
        "reason": one.reason,
    }


def _figures(side: str, figures: Figures | None) -> dict[str, float]:
    known = Figures() if figures is None else figures
    return {
        f"{side}_sharpe": known.sharpe,
        f"{side}_information_coefficient": known.information_coefficient,
        f"{side}_rmse": known.rmse,
    }


def _typed(rows: Sequence[dict[str, object]]) -> pd.DataFrame:
    """Return rows with the contract's dtypes; a column without values has none of its own."""
    columns = {}
    for column in PROMOTIONS.columns:
        values = [row[column.name] for row in rows]
        if column.dtype.startswith("datetime"):
            columns[column.name] = pd.Series(pd.to_datetime(values)).astype(column.dtype)
        else:
            columns[column.name] = pd.Series(values, dtype=column.dtype)
    return pd.DataFrame(columns)
