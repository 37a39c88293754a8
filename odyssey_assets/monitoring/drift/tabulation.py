"""Measured and judged looks as rows of `monitoring.drift` and `monitoring.drift_summary`.

What is measured belongs to `measurement`, what it means to `calibration`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from odyssey_assets.core.windows import Window
from odyssey_assets.monitoring.drift.calibration import Judgement
from odyssey_assets.monitoring.drift.looks import Look
from odyssey_assets.monitoring.drift.panel import COLUMNS
from odyssey_assets.monitoring.tables import DRIFT, DRIFT_SUMMARY, METHODS
from odyssey_assets.settings_sections import DriftSettings

PSI = METHODS.index("psi")
CUSTOMARY_LINES = {"share_psi_above_0_1": 0.1, "share_psi_above_0_2": 0.2}


@dataclass(frozen=True, eq=False)
class LookRows:
    """One look, measured and judged.

    Attributes:
        ticker: The ticker.
        look: What was looked at.
        scores: Shape (columns, methods); columns are `COLUMNS`.
        judgement: What they mean, likewise.
        reference_rows: Rows each column was held against, shape (columns,).
        is_input: Columns that are judged together, shape (columns,).
    """

    ticker: str
    look: Look
    scores: np.ndarray
    judgement: Judgement
    reference_rows: np.ndarray
    is_input: np.ndarray


@dataclass(frozen=True)
class Unmeasured:
    """A window without a verdict.

    Attributes:
        ticker: The ticker.
        window: The window.
        as_of: Its last session.
        status: As in the contract.
        reason: Why there is none.
        sessions: Sessions of the sample.
        model_sha256: Who serves; None: no model.
    """

    ticker: str
    window: Window
    as_of: date
    status: str
    reason: str
    sessions: int
    model_sha256: str | None


def tabulate(
    looks: Sequence[LookRows], unmeasured: Sequence[Unmeasured], settings: DriftSettings
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return rows of `monitoring.drift` and of `monitoring.drift_summary`.

    Args:
        looks: What was measured.
        unmeasured: Windows without a verdict.
        settings: Method of the verdict, and from which share on a drift is a major one.
    """
    summaries = [_summary(look, settings) for look in looks] + [_lack(one) for one in unmeasured]
    summary = pd.DataFrame(summaries) if summaries else DRIFT_SUMMARY.empty()
    return _drift(looks), DRIFT_SUMMARY.conform(summary)


def _drift(looks: Sequence[LookRows]) -> pd.DataFrame:
    if not looks:
        return DRIFT.empty()
    # In the order of the grain, so that sorting a million rows has nothing to do.
    looks = sorted(looks, key=lambda one: (one.ticker, one.look.model.window, one.look.as_of))
    features, methods = np.argsort(COLUMNS, kind="stable"), np.argsort(METHODS, kind="stable")
    cells = len(COLUMNS) * len(METHODS)

    def each(values: Sequence[object]) -> np.ndarray:
        return np.repeat(np.array(values), cells)

    def block(values: Sequence[np.ndarray]) -> np.ndarray:
        return np.stack(values)[:, features][:, :, methods].ravel()

    def columns(values: Sequence[np.ndarray]) -> np.ndarray:
        return np.repeat(np.stack(values)[:, features].ravel(), len(METHODS))

    names = np.array(COLUMNS, dtype=object)[features]
    frame = pd.DataFrame(
        {
            "ticker": _texts([one.ticker for one in looks], cells),
            "window": each([np.datetime64(one.look.model.window.start, "us") for one in looks]),
            "as_of": each([np.datetime64(one.look.as_of, "us") for one in looks]),
            "feature": _tiled(np.repeat(names, len(METHODS)), len(looks)),
            "method": _tiled(
                np.tile(np.array(METHODS, dtype=object)[methods], len(COLUMNS)), len(looks)
            ),
            "sessions": each([one.look.sessions for one in looks]),
            "reference_rows": columns([one.reference_rows for one in looks]),
            "score": block([one.scores for one in looks]),
            "p_value": block([one.judgement.p_values for one in looks]),
            "threshold": block([one.judgement.thresholds for one in looks]),
            "past_scores": block([one.judgement.past_scores for one in looks]),
            "is_input": columns([one.is_input for one in looks]),
            "is_drifted": block([one.judgement.is_drifted for one in looks]),
            "model_sha256": _texts([one.look.model.model_sha256 for one in looks], cells),
        }
    )
    return DRIFT.conform(frame)


def _texts(values: Sequence[str], times: int) -> pd.Series:
    """Return each text so many times; taken from few, which is faster than made of many."""
    return (
        pd.Series(list(values), dtype="str")
        .take(np.repeat(np.arange(len(values)), times))
        .reset_index(drop=True)
    )


def _tiled(values: np.ndarray, times: int) -> pd.Series:
    """Return the texts so many times over."""
    whole = pd.Series(list(values), dtype="str")
    return whole.take(np.tile(np.arange(len(values)), times)).reset_index(drop=True)


def _summary(one: LookRows, settings: DriftSettings) -> dict[str, object]:
    method = METHODS.index(settings.method)
    inputs = int(one.is_input.sum())
    is_drifted = one.judgement.is_drifted[one.is_input, method]
    p_values = one.judgement.p_values[one.is_input, method]
    scores = one.scores[one.is_input]
    share = float(is_drifted.sum()) / inputs
    has_p_value = bool(np.isfinite(p_values).any())
    names = np.array(COLUMNS)[one.is_input]
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = scores[:, method] / one.judgement.thresholds[one.is_input, method]
    strongest = np.lexsort((-np.nan_to_num(ratio), np.nan_to_num(p_values, nan=2.0)))[0]
    psi = scores[np.isfinite(scores[:, PSI]), PSI]
    shares = {
        name: float((psi > line).mean()) if len(psi) else None
        for name, line in CUSTOMARY_LINES.items()
    }
    return {
        "ticker": one.ticker,
        "window": pd.Timestamp(one.look.model.window.start),
        "as_of": pd.Timestamp(one.look.as_of),
        "status": "measured",
        "reason": None,
        "judged_by": "scores",
        "sessions": one.look.sessions,
        "inputs": inputs,
        "drifted_inputs": int(is_drifted.sum()),
        "share_drifted": share,
        "smallest_p_value": float(np.nanmin(p_values)) if has_p_value else None,
        **shares,
        "strongest_feature": str(names[strongest]) if has_p_value else None,
        "is_drifted": bool(is_drifted.any()),
        "severity": severity_of(share, settings),
        "model_sha256": one.look.model.model_sha256,
        "report_path": None,
    }


def severity_of(share: float, settings: DriftSettings) -> str:
    """Return how much drifted, a word of `SEVERITIES`, from the share of inputs that did."""
    if share == 0.0:
        return "none"
    return "major" if share >= settings.major_share else "minor"


def _lack(one: Unmeasured) -> dict[str, object]:
    return {
        "ticker": one.ticker,
        "window": pd.Timestamp(one.window.start),
        "as_of": pd.Timestamp(one.as_of),
        "status": one.status,
        "reason": one.reason,
        "judged_by": "nobody",
        "sessions": one.sessions,
        "inputs": 0,
        "drifted_inputs": 0,
        "share_drifted": None,
        "smallest_p_value": None,
        **dict.fromkeys(CUSTOMARY_LINES),
        "strongest_feature": None,
        "is_drifted": False,
        "severity": "none",
        "model_sha256": one.model_sha256,
        "report_path": None,
    }
