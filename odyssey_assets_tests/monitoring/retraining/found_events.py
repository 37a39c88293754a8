"""Findings and ledgers for the tests of retraining."""

from datetime import UTC, date, datetime
from typing import Any

import pandas as pd

from odyssey_assets.core.windows import parse_window
from odyssey_assets.market_data.tables import BARS
from odyssey_assets.monitoring.ledgers import PROMOTIONS, RETRAINING_EVENTS
from odyssey_assets.monitoring.retraining.events import utc
from odyssey_assets.monitoring.retraining.findings import Cause, Evaluation, Finding, findings_of
from odyssey_assets.monitoring.retraining.planning import Plan, plan_retraining
from odyssey_assets.settings_sections import RetrainingSettings

WINDOW = "2024-07-01"
KNOWN = date(2024, 9, 30)
NOW = datetime(2024, 9, 30, 23, tzinfo=UTC)
ASSETS: dict[Cause, tuple[str, str]] = {
    "drift": ("monitoring.drift_summary", "inputs_have_not_drifted"),
    "decay": ("monitoring.forecast_quality", "forecasts_have_not_decayed"),
    "data_quality": ("market_data.bars", "fulfils_its_contract"),
}

POLICIES = ("ppo",)
POLICY_QUALITY_CHECK = ("monitoring.policy_quality", "policies_have_not_decayed")


def failure(ticker: str | None, **changes: Any) -> dict[str, Any]:
    known = {"window": WINDOW, "as_of": KNOWN.isoformat(), "value": 0.01, "threshold": 0.02}
    return {"ticker": ticker, **known, **changes}


def evaluation(cause: Cause, *failures: dict[str, Any], **changes: Any) -> Evaluation:
    asset, check = ASSETS[cause]
    values: dict[str, Any] = {
        "asset": asset, "check": check, "passed": False, "run_id": "run", "storage_id": 1,
        "severity": "ERROR" if cause == "data_quality" else "WARN", "known": KNOWN,
        "failures": failures,
    }  # fmt: skip
    return Evaluation(**{**values, **changes})


def policy_failure(policy: str, **changes: Any) -> dict[str, Any]:
    """Return what the check of policies lists about one of them."""
    known = {"window": WINDOW, "as_of": KNOWN.isoformat(), "value": -2.0, "threshold": -1.0}
    return {"policy": policy, **known, "reason": "lost more than chance explains", **changes}


def policy_findings(
    *policies: str, as_of: date = KNOWN, window: str = WINDOW
) -> tuple[Finding, ...]:
    entries = [policy_failure(each, as_of=as_of.isoformat(), window=window) for each in policies]
    asset, check = POLICY_QUALITY_CHECK
    return findings_of([evaluation("decay", *entries, known=as_of, asset=asset, check=check)])


def findings(
    *tickers: str | None, cause: Cause = "drift", as_of: date = KNOWN, window: str = WINDOW
) -> tuple[Finding, ...]:
    entries = [failure(ticker, as_of=as_of.isoformat(), window=window) for ticker in tickers]
    return findings_of([evaluation(cause, *entries, known=as_of)])


def plan(found: tuple[Finding, ...], ledger: pd.DataFrame, **changes: Any) -> Plan:
    """Plan with the default settings, at `NOW`, unless `changes` say otherwise."""
    settings = changes.pop("settings", RetrainingSettings())
    values: dict[str, Any] = {"known": KNOWN, "now": NOW, **changes}
    return plan_retraining(found, ledger, settings, **values)


def joined(*frames: pd.DataFrame) -> pd.DataFrame:
    """Return what the warehouse holds after appending frames: the first row of each grain."""
    filled = [frame for frame in frames if not frame.empty]
    if not filled:
        return RETRAINING_EVENTS.empty()
    rows = pd.concat(filled, ignore_index=True)
    return RETRAINING_EVENTS.conform(rows.drop_duplicates(list(RETRAINING_EVENTS.grain)))


def promotion(
    subject: str,
    decision: str,
    at: datetime,
    event_id: str | None = None,
    *,
    kind: str = "forecaster",
) -> Any:
    """Return a row of `monitoring.promotions`, of which only the arguments matter."""
    row: dict[str, Any] = {column.name: None for column in PROMOTIONS.columns if column.is_nullable}
    day = pd.Timestamp(parse_window(WINDOW).start)
    row |= {
        "decision_id": f"{kind} {subject} {decision} {at}", "recorded_at": utc(at), "kind": kind,
        "subject": subject, "window": day, "as_of": day, "decision": decision,
        "is_champion": False, "mode": "automatic", "cause": "drift", "actor": "gate",
        "model_name": "a/b", "model_version": 1, "model_sha256": "c", "event_id": event_id,
        "reason": f"{decision} because",
    }  # fmt: skip
    return row


def promotions(*rows: dict[str, Any]) -> pd.DataFrame:
    if not rows:
        return PROMOTIONS.empty()
    return PROMOTIONS.conform(pd.DataFrame(list(rows), columns=PROMOTIONS.column_names))


def bar(ticker: str, close: float, day: str = "2024-09-27") -> pd.DataFrame:
    """Return a row of `market_data.bars`, of which only the arguments matter."""
    kinds = {
        "DOUBLE": close, "BIGINT": 1, "BOOLEAN": False, "VARCHAR": "x",
        "DATE": pd.Timestamp(day), "TIMESTAMP": pd.Timestamp(day),
    }  # fmt: skip
    row = {column.name: kinds[column.type] for column in BARS.columns}
    return BARS.conform(pd.DataFrame([row | {"ticker": ticker}]))
