"""A made-up half year as monitoring saw it: drift, decay, retrainings and decisions, row by row.

In the newest window AAA drifted at its 21st session; a challenger that had learned until then was
promoted and has served since. BBB serves unproven; its forecasts decayed at the newest session, and
its challenger was rejected. Lineage is made by the code that makes it in earnest.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from odyssey_assets.contracts import TableContract
from odyssey_assets.features.tables import FEATURES_TABLE
from odyssey_assets.forecasting.tables import CHALLENGERS, PREDICTIONS, TRIALS
from odyssey_assets.market_data.tables import BARS, RAW_BARS
from odyssey_assets.monitoring.ledgers import LINEAGE, PROMOTIONS, RETRAINING_EVENTS
from odyssey_assets.monitoring.lineage.rows import Evidence, lineage_rows
from odyssey_assets.monitoring.tables import DRIFT, DRIFT_SUMMARY, FORECAST_QUALITY
from odyssey_assets.portfolio.tables import WEIGHTS

Frames = Mapping[TableContract, pd.DataFrame]
DEFAULT_MODEL = "xgboost"
NIGHT = datetime(2024, 9, 1, 22, 0)
CHECKPOINT = 21
DRIFTED, DECAYED = "AAA", "BBB"
FEATURES = ("macd", "prediction", "rsi_14", "sma_5")
STRONGEST = "rsi_14"


def own_model(model: str, ticker: str, window: pd.Timestamp | np.datetime64) -> str:
    """Return the SHA-256, made up, of the model that was fitted before a window."""
    return f"{model} {ticker} {pd.Timestamp(window):%Y-%m-%d}"


def challenger_of(ticker: str, day: pd.Timestamp) -> str:
    """Return the SHA-256, made up, of the model that learned everything until `day`."""
    return f"challenger {ticker} {day:%Y-%m-%d}"


def monitored_tables(frames: Frames) -> dict[TableContract, pd.DataFrame]:
    """Return the rows of every table of monitoring, and the forecasts with who made them."""
    predictions = frames[PREDICTIONS]
    own = predictions[predictions["model"] == DEFAULT_MODEL]
    windows = sorted(own["window"].unique())
    newest = own[own["window"] == windows[-1]]
    days = sorted(newest["date"].unique())
    day = pd.Timestamp(days[min(CHECKPOINT, len(days)) - 1])
    served = _served(predictions, pd.Timestamp(windows[-1]), day)
    tables = {
        PREDICTIONS: served,
        DRIFT: _drift(own),
        DRIFT_SUMMARY: _summaries(own, frames[BARS]),
        FORECAST_QUALITY: _quality(served[served["model"] == DEFAULT_MODEL]),
        RETRAINING_EVENTS: _events(windows[-1], day, days[-1]),
        PROMOTIONS: _promotions(windows, day, days[-1]),
        CHALLENGERS: _challengers(windows[-1], day, days[-1]),
        TRIALS: _trials(newest, day),
    }
    evidence = Evidence(
        frames[WEIGHTS], served, frames[FEATURES_TABLE], frames[BARS], frames[RAW_BARS]
    )
    return {**tables, LINEAGE: lineage_rows(evidence, DEFAULT_MODEL, 5, NIGHT)}


def rows_of(contract: TableContract, records: Iterable[Mapping[str, object]]) -> pd.DataFrame:
    """Return records as rows of a table; what they leave out is null."""
    return pd.DataFrame(list(records), columns=list(contract.column_names))


def promotion(**values: object) -> dict[str, object]:
    """Return a row of the ledger of promotions; what is left out is the gate's, one night."""
    night = pd.Timestamp(str(values["as_of"]))
    return {
        "decision_id": f"{values['subject']} {values['model_sha256']} {values['decision']} {night}",
        "recorded_at": night + timedelta(hours=23), "kind": "forecaster", "is_champion": False,
        "mode": "automatic", "cause": "new_window", "actor": "gate", "model_version": 1,
        "model_name": f"xgboost/{values['subject']}/{night:%Y-%m-%d}/k", "reason": "by its figures",
        **values,
    }  # fmt: skip


def _served(predictions: pd.DataFrame, window: pd.Timestamp, day: pd.Timestamp) -> pd.DataFrame:
    is_later = (
        (predictions["model"] == DEFAULT_MODEL)
        & (predictions["ticker"] == DRIFTED)
        & (predictions["window"] == window)
        & (predictions["date"] > day)
    )
    return predictions.assign(
        model_sha256=predictions["model_sha256"].mask(is_later, challenger_of(DRIFTED, day)),
        trained_as_of=predictions["trained_as_of"].mask(is_later, day),
    )


def _samples(own: pd.DataFrame) -> list[tuple[str, pd.Timestamp, pd.Timestamp, int]]:
    """Return ticker, window, last session and length of every sample."""
    return [
        (str(ticker), window, sorted(group["date"])[length - 1], length)
        for (ticker, window), group in own.groupby(["ticker", "window"])
        for length in sorted({min(CHECKPOINT, len(group)), len(group)})
    ]


def _has_drifted(ticker: str, window: pd.Timestamp, own: pd.DataFrame) -> bool:
    return ticker == DRIFTED and bool(window == own["window"].max())


def _drift(own: pd.DataFrame) -> pd.DataFrame:
    return rows_of(
        DRIFT,
        (
            {
                "ticker": ticker, "window": window, "as_of": as_of, "feature": feature,
                "method": method, "sessions": sessions, "reference_rows": 300,
                "score": 0.3 if is_hit else 0.05 + 0.01 * at, "threshold": 0.15,
                "p_value": 0.001 * (at + 1) if is_hit else 0.3 + 0.1 * at, "past_scores": 8,
                "is_input": feature != "sma_5", "is_drifted": is_hit,
                "model_sha256": own_model(DEFAULT_MODEL, ticker, window),
            }
            for ticker, window, as_of, sessions in _samples(own)
            for at, feature in enumerate(FEATURES)
            for method in DRIFT.column("method").allowed
            for is_hit in [_has_drifted(ticker, window, own) and feature == STRONGEST]
        ),
    )  # fmt: skip


def _summaries(own: pd.DataFrame, bars: pd.DataFrame) -> pd.DataFrame:
    measured = [
        {
            "ticker": ticker, "window": window, "as_of": as_of, "status": "measured",
            "judged_by": "scores", "sessions": sessions, "inputs": 3, "drifted_inputs": int(is_hit),
            "share_drifted": is_hit / 3, "smallest_p_value": 0.003 if is_hit else 0.3,
            "share_psi_above_0_1": is_hit / 3, "share_psi_above_0_2": is_hit / 3,
            "strongest_feature": STRONGEST if is_hit else "macd", "is_drifted": is_hit,
            "severity": "minor" if is_hit else "none",
            "model_sha256": own_model(DEFAULT_MODEL, ticker, window),
        }
        for ticker, window, as_of, sessions in _samples(own)
        for is_hit in [_has_drifted(ticker, window, own)]
    ]  # fmt: skip
    unmeasured = {
        "ticker": bars["ticker"].iloc[-1], "window": own["window"].max(),
        "as_of": own["date"].max(), "status": "no_model", "reason": "no trained fold",
        "judged_by": "nobody", "sessions": 30, "inputs": 0, "drifted_inputs": 0,
        "is_drifted": False, "severity": "none",
    }  # fmt: skip
    return rows_of(DRIFT_SUMMARY, [*measured, unmeasured])


def _quality(own: pd.DataFrame) -> pd.DataFrame:
    frame = own[["ticker", "date", "window", "model_sha256"]].sort_values(["ticker", "date"])
    is_decayed = (frame["ticker"] == DECAYED) & (frame["date"] == frame["date"].max())
    known = frame.groupby("ticker").cumcount()
    figures = {
        "information_coefficient": 0.05, "rmse": 0.03, "baseline_rmse": 0.04,
        "direction_accuracy": 0.5, "interval_coverage": 0.9, "sharpe": 0.2,
    }  # fmt: skip
    judged = frame.assign(
        **{f"{name}_{length}": value for name, value in figures.items() for length in (20, 60)},
        known_20=np.minimum(known, 20),
        known_60=np.minimum(known, 60),
        expected_information_coefficient=0.2,
        expected_coverage=0.9,
        information_coefficient_floor=0.16,
        is_correlation_decayed=is_decayed,
        is_coverage_decayed=False,
        is_sharpe_decayed=False,
    )
    return judged.reindex(columns=list(FORECAST_QUALITY.column_names))


def event(event_id: str, states: Sequence[str], **values: object) -> list[dict[str, object]]:
    """Return the rows of an event's life; its outcome stands in the last of them."""
    last = {name: values.pop(name, None) for name in ("outcome", "reason")}
    night = pd.Timestamp(str(values["as_of"]))
    return [
        {
            "event_id": event_id, "state": state, "cause": "drift", **values,
            "recorded_at": night + timedelta(hours=22, minutes=at),
            **(last if at == len(states) - 1 else {}),
        }
        for at, state in enumerate(states)
    ]  # fmt: skip


def _events(window: pd.Timestamp, day: pd.Timestamp, last: pd.Timestamp) -> pd.DataFrame:
    drifted = {
        "check": "monitoring.drift_summary.inputs_have_not_drifted", "value": 0.003,
        "threshold": 0.02,
    }  # fmt: skip
    decayed = {
        "cause": "decay", "check": "monitoring.forecast_quality.forecasts_have_not_decayed",
        "value": 0.05, "threshold": 0.16,
    }  # fmt: skip
    done = ("requested", "started", "finished")
    first = {"ticker": DRIFTED, "window": window, "as_of": day, "batch": "b1"}
    second = {"ticker": DECAYED, "window": window, "as_of": last}
    return rows_of(
        RETRAINING_EVENTS,
        [
            *event("e1", done, **first, **drifted, outcome="promoted", reason="passed"),
            *event("e2", done, **first, **decayed, outcome="promoted", reason="passed"),
            *event("e3", done, **second, **decayed, batch="b2", outcome="rejected", reason="worse"),
            *event("e4", ["suppressed"], **second, **drifted, outcome="over_budget"),
        ],
    )


def _promotions(
    windows: Sequence[pd.Timestamp], day: pd.Timestamp, last: pd.Timestamp
) -> pd.DataFrame:
    successions = [
        promotion(
            kind="policy" if subject == "ppo" else "forecaster",
            subject=subject,
            window=window,
            as_of=window,
            decision="unproven" if is_unproven else "succeeded",
            is_champion=not is_unproven,
            model_version=version,
            model_sha256=(
                f"ppo {window:%Y-%m-%d} 42"
                if subject == "ppo"
                else own_model(DEFAULT_MODEL, subject, window)
            ),
        )
        for version, window in enumerate(map(pd.Timestamp, windows), start=1)
        for subject in (DRIFTED, DECAYED, "ppo")
        for is_unproven in [subject != DRIFTED and window == windows[-1]]
    ]
    figures = {
        "unseen_sessions": 20, "challenger_sharpe": 1.0, "incumbent_sharpe": 0.5,
        "challenger_information_coefficient": 0.2, "incumbent_information_coefficient": 0.1,
        "challenger_rmse": 0.03, "incumbent_rmse": 0.04, "p_value_worse": 0.6,
        "window": windows[-1],
    }  # fmt: skip
    judged = [
        promotion(
            **figures, subject=DRIFTED, as_of=day, decision="promoted", is_champion=True,
            serves_after=day, cause="drift", event_id="e1", model_version=len(windows) + 1,
            model_sha256=challenger_of(DRIFTED, day), first_unseen=windows[0],
            last_unseen=windows[-1], predecessor_sha256=own_model("xgboost", DRIFTED, windows[-1]),
        ),
        promotion(
            **figures, subject=DECAYED, as_of=last, decision="rejected", cause="decay",
            event_id="e3", model_version=len(windows) + 1, reason="it was worse",
            model_sha256=challenger_of(DECAYED, last), first_unseen=windows[0],
            last_unseen=windows[-1],
        ),
    ]  # fmt: skip
    return rows_of(PROMOTIONS, [*successions, *judged])


def _challengers(window: pd.Timestamp, day: pd.Timestamp, last: pd.Timestamp) -> pd.DataFrame:
    unit = pd.Timedelta(days=1)
    return rows_of(
        CHALLENGERS,
        (
            {
                "ticker": ticker, "window": window, "model": DEFAULT_MODEL, "role": role,
                "trained_as_of": seen, "requested_as_of": asked, "horizon_sessions": 5,
                "train_start": seen - 900 * unit, "train_end": seen - 200 * unit,
                "valid_start": seen - 190 * unit, "valid_end": seen - 7 * unit, "train_rows": 400,
                "valid_rows": 120, "feature_count": 30, "valid_information_coefficient": 0.2,
                "interval_coverage": 0.9, "data_sha256": "d", "recorded_at": NIGHT,
                "model_name": f"xgboost/{ticker}/{asked:%Y-%m-%d}/{role}",
                "model_sha256": f"{role} {ticker} {asked:%Y-%m-%d}",
            }
            for ticker, asked in ((DRIFTED, day), (DECAYED, last))
            for role, seen in (("challenger", asked), ("stand_in", asked - 25 * unit))
        ),
    )  # fmt: skip


def _trials(newest: pd.DataFrame, day: pd.Timestamp) -> pd.DataFrame:
    own = newest[newest["ticker"] == DRIFTED].assign(role="fold")
    later = own[own["date"] > day].assign(
        role="challenger", model_sha256=challenger_of(DRIFTED, day), trained_as_of=day
    )
    return pd.concat([own, later]).assign(recorded_at=NIGHT)
