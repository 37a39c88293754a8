"""What failed checks say about tickers and policies: findings, each with an identity of its own.

A check that fails lists tickers, or learned policies, and windows in its metadata; each of them is
one finding. The same finding read twice, by whoever reads it, has the same `event_id`. Whether
something is done about it belongs to `planning`; how evaluations are read from Dagster's event log
to `automation`.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from odyssey_assets.core.hashing import hash_mapping
from odyssey_assets.core.windows import Window, parse_window, window_of
from odyssey_assets.errors import SettingsError

Cause = Literal["drift", "decay", "data_quality", "new_window", "schedule", "person"]
Severity = Literal["WARN", "ERROR"]

EVENT_ID_LENGTH = 32
WATCHED_CHECKS: Mapping[tuple[str, str], Cause] = {
    ("monitoring.drift_summary", "inputs_have_not_drifted"): "drift",
    ("monitoring.forecast_quality", "forecasts_have_not_decayed"): "decay",
    ("monitoring.policy_quality", "policies_have_not_decayed"): "decay",
}
WATCHED_DATA = ("market_data.raw_bars", "market_data.bars", "market_data.macro")


@dataclass(frozen=True)
class Evaluation:
    """What a run said about one asset check.

    Attributes:
        asset: Asset key, parts joined by a dot.
        check: Name of the check.
        passed: Whether it passed.
        severity: How bad a failure of it is.
        run_id: Dagster run.
        storage_id: Its place in the event log; of one that was not read there, any number.
        known: Last session that was over when it was evaluated.
        failures: Entries of `failed_partitions`, each with what it knows of ticker or policy,
            window, as_of, value and threshold.
    """

    asset: str
    check: str
    passed: bool
    severity: Severity
    run_id: str
    storage_id: int
    known: date
    failures: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True)
class Finding:
    """A reason to look at one ticker, or at one policy.

    Attributes:
        ticker: Ticker, or name of a policy, concerned; None if the check names none, so that nobody
            can retrain it.
        window: Window concerned.
        as_of: Last session known when it was found.
        cause: Kind of reason.
        check: Asset and name of the check.
        value: Figure that the check found, if it is a number.
        threshold: Figure that it may not pass, if it is a number.
        event_id: Hash of check, ticker or policy, window, as_of and value.
    """

    ticker: str | None
    window: Window
    as_of: date
    cause: Cause
    check: str
    value: float | None
    threshold: float | None
    event_id: str


def cause_of(evaluation: Evaluation) -> Cause | None:
    """Return what a failure of this check is a reason for; None if nobody retrains for it.

    Of the market data, only failures of severity error count: a late bar is no broken one.
    """
    if evaluation.asset in WATCHED_DATA and evaluation.severity == "ERROR":
        return "data_quality"
    return WATCHED_CHECKS.get((evaluation.asset, evaluation.check))


def findings_of(evaluations: Iterable[Evaluation]) -> tuple[Finding, ...]:
    """Return what the failed ones among `evaluations` found, oldest session first.

    Of several failures of one check in one ticker or policy and window, the one of the latest
    session counts: a window that drifted at its first checkpoint and still does is one reason, not
    two.
    """
    newest: dict[tuple[str, str | None, Window], Finding] = {}
    for evaluation in evaluations:
        cause = None if evaluation.passed else cause_of(evaluation)
        if cause is None:
            continue
        for failure in evaluation.failures or ({},):
            finding = _finding(evaluation, cause, failure)
            cell = (finding.check, finding.ticker, finding.window)
            if cell not in newest or newest[cell].as_of < finding.as_of:
                newest[cell] = finding
    return tuple(
        sorted(newest.values(), key=lambda each: (each.as_of, each.ticker or "", each.check))
    )


def _finding(evaluation: Evaluation, cause: Cause, failure: Mapping[str, Any]) -> Finding:
    check = f"{evaluation.asset}.{evaluation.check}"
    as_of = _day(failure.get("as_of")) or evaluation.known
    window = _window(failure.get("window")) or window_of(as_of)
    ticker = failure.get("ticker")
    if ticker is None:
        ticker = failure.get("policy")
    identity = {
        "check": check,
        "ticker": ticker,
        "window": window.key,
        "as_of": as_of.isoformat(),
        "value": failure.get("value"),
    }
    return Finding(
        ticker=None if ticker is None else str(ticker),
        window=window,
        as_of=as_of,
        cause=cause,
        check=check,
        value=_number(failure.get("value")),
        threshold=_number(failure.get("threshold")),
        event_id=hash_mapping(identity)[:EVENT_ID_LENGTH],
    )


def _day(text: object) -> date | None:
    try:
        return date.fromisoformat(str(text)[:10])
    except ValueError:
        return None


def _window(text: object) -> Window | None:
    try:
        return parse_window(str(text)[:10])
    except SettingsError:
        return None


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)
