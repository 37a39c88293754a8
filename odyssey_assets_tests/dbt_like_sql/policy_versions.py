"""Made-up versions of the learned policy: challengers, their trials, and how the portfolio did.

In the newest window a challenger that had learned until its 21st session was promoted, though it
had not beaten equal weight, and has decided since; at the newest session the policy has decayed.
Another challenger waits for its judgement. What forecasters went through belongs to `monitored`.
"""

import numpy as np
import pandas as pd

from odyssey_assets.backtesting.tables import DAILY
from odyssey_assets.contracts import TableContract
from odyssey_assets.forecasting.tables import PREDICTIONS
from odyssey_assets.monitoring.ledgers import PROMOTIONS, RETRAINING_EVENTS
from odyssey_assets.monitoring.tables import POLICY_QUALITY
from odyssey_assets.portfolio.tables import POLICY_CHALLENGERS, POLICY_TRIALS, WEIGHTS
from odyssey_assets_tests.dbt_like_sql.monitored import (
    CHECKPOINT,
    NIGHT,
    Frames,
    event,
    promotion,
    rows_of,
)
from odyssey_assets_tests.dbt_like_sql.portfolios import LEARNED, model_of

EQUITY_USD = 1_000_000.0


def policy_challenger(day: pd.Timestamp, role: str = "challenger") -> str:
    """Return the SHA-256, made up, of the policy that was asked for on `day`."""
    return f"{role} {LEARNED} {day:%Y-%m-%d}"


def served_weights(frames: Frames) -> pd.DataFrame:
    """Return the weights as they were with the promotion: who decided is another from then on."""
    weights, (_, day, _) = frames[WEIGHTS], _days(frames)
    is_later = (weights["policy"] == LEARNED) & (weights["date"] > day)
    return weights.assign(
        model_sha256=weights["model_sha256"].mask(is_later, policy_challenger(day))
    )


def policy_version_tables(frames: Frames) -> dict[TableContract, pd.DataFrame]:
    """Return the rows of every table about versions of policies, and ledgers that tell of them."""
    window, day, last = _days(frames)
    return {
        POLICY_CHALLENGERS: _challengers(window, day, last),
        POLICY_TRIALS: _trials(frames[DAILY], window, day),
        POLICY_QUALITY: _quality(frames[DAILY], served_weights(frames)),
        PROMOTIONS: pd.concat([frames[PROMOTIONS], _promotions(window, day, last)]),
        RETRAINING_EVENTS: pd.concat([frames[RETRAINING_EVENTS], _events(window, day)]),
    }


def _days(frames: Frames) -> tuple[pd.Timestamp, pd.Timestamp, pd.Timestamp]:
    """Return the newest window, the session of the promotion, and the newest session."""
    predictions = frames[PREDICTIONS]
    window = predictions["window"].max()
    days = sorted(predictions.loc[predictions["window"] == window, "date"].unique())
    return window, pd.Timestamp(days[min(CHECKPOINT, len(days)) - 1]), pd.Timestamp(days[-1])


def _challengers(window: pd.Timestamp, day: pd.Timestamp, last: pd.Timestamp) -> pd.DataFrame:
    unit = pd.Timedelta(days=1)
    return rows_of(
        POLICY_CHALLENGERS,
        (
            {
                "policy": LEARNED, "window": window, "role": role, "trained_as_of": seen,
                "requested_as_of": asked, "train_start": seen - 900 * unit,
                "train_end": seen - 190 * unit, "valid_start": seen - 180 * unit,
                "valid_end": seen, "steps": 60_000, "selected_steps": 20_000,
                "validation_sharpe": 0.9 if role == "challenger" else 0.7,
                "warm_start_sha256": model_of(window), "data_sha256": "d",
                "model_name": f"policies/{LEARNED}/{asked:%Y-%m-%d}/{role}",
                "model_sha256": policy_challenger(asked, role),
                "mlflow_run_id": f"run of {policy_challenger(asked, role)}", "recorded_at": NIGHT,
            }
            for asked in (day, last)
            for role, seen in (("challenger", asked), ("stand_in", asked - 40 * unit))
        ),
    )  # fmt: skip


def _trials(daily: pd.DataFrame, window: pd.Timestamp, day: pd.Timestamp) -> pd.DataFrame:
    unit = pd.Timedelta(days=1)
    own = daily.loc[
        (daily["strategy"] == LEARNED) & (daily["window"] == window),
        ["date", "window", "return", "equity"],
    ].assign(policy=LEARNED)
    before = {"model_sha256": model_of(window), "serves_after": window - unit}
    after = {"model_sha256": policy_challenger(day), "serves_after": day}
    is_later = own["date"] > day
    wave = 0.002 * np.where(np.arange(len(own)) % 3 == 0, 1.0, -0.7)
    other = own.assign(**{"return": own["return"] + wave})
    stood_in = day - 40 * unit
    return pd.concat(
        [
            own[~is_later].assign(role="serving", **before),
            own[is_later].assign(role="serving", **after),
            own[is_later].assign(role="challenger", **after),
            other.assign(
                role="stand_in",
                model_sha256=policy_challenger(day, "stand_in"),
                serves_after=stood_in,
            ),
            other[is_later].assign(
                role="predecessor", model_sha256=model_of(window), serves_after=day
            ),
        ]
    ).reindex(columns=list(POLICY_TRIALS.column_names))


def _quality(daily: pd.DataFrame, weights: pd.DataFrame) -> pd.DataFrame:
    deciders = weights.loc[weights["policy"] == LEARNED, ["date", "model_sha256"]]
    own = daily.loc[daily["strategy"] == LEARNED, ["date", "window"]].sort_values("date")
    is_newest = own["date"] == own["date"].max()
    has_sixty = np.arange(1, len(own) + 1) >= 60
    judged = own.assign(
        policy=LEARNED,
        sharpe_20=0.4,
        sharpe_60=np.where(has_sixty, np.where(is_newest, -2.5, 0.3), np.nan),
        equal_weight_sharpe_60=np.where(has_sixty, -0.25, np.nan),
        expected_sharpe=0.9,
        sharpe_floor=-1.75,
        is_sharpe_decayed=is_newest & has_sixty,
    )
    return judged.merge(deciders.drop_duplicates(), on="date").reindex(
        columns=list(POLICY_QUALITY.column_names)
    )


def _events(window: pd.Timestamp, day: pd.Timestamp) -> pd.DataFrame:
    found = event(
        "e5", ("requested", "started", "finished"), ticker=LEARNED, window=window, as_of=day,
        cause="decay", check="monitoring.policy_quality.policies_have_not_decayed", value=-2.25,
        threshold=-1.75, batch="b1", outcome="promoted", reason="passed",
    )  # fmt: skip
    return rows_of(RETRAINING_EVENTS, found)


def _promotions(window: pd.Timestamp, day: pd.Timestamp, last: pd.Timestamp) -> pd.DataFrame:
    about = {"kind": "policy", "subject": LEARNED, "window": window, "cause": "decay"}
    judged = [
        promotion(
            **about, as_of=day, decision="promoted", serves_after=day, event_id="e5",
            model_version=3, model_name=f"policies/{LEARNED}/{day:%Y-%m-%d}/challenger",
            model_sha256=policy_challenger(day), predecessor_sha256=model_of(window),
            held_against=model_of(window), unseen_sessions=60, first_unseen=window, last_unseen=day,
            challenger_sharpe=0.75, incumbent_sharpe=-0.5, p_value_worse=0.6,
        ),
        promotion(
            **about, as_of=last - pd.offsets.BDay(), decision="pending", model_version=4,
            model_name=f"policies/{LEARNED}/{last:%Y-%m-%d}/challenger",
            model_sha256=policy_challenger(last),
        ),
    ]  # fmt: skip
    return rows_of(PROMOTIONS, judged)
