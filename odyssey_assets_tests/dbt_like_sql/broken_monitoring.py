"""What was watched and decided, one thing wrong in each, named by the SQL test that must find it.

Rows of a ledger come on top of those that it has: nothing in it is ever changed.
"""

from collections.abc import Iterator, Mapping

import pandas as pd

from odyssey_assets.contracts import TableContract
from odyssey_assets.forecasting.tables import CHALLENGERS, TRIALS
from odyssey_assets.monitoring.ledgers import LINEAGE, PROMOTIONS, RETRAINING_EVENTS
from odyssey_assets.monitoring.tables import DRIFT, DRIFT_SUMMARY, FORECAST_QUALITY
from odyssey_assets.portfolio.tables import WEIGHTS
from odyssey_assets_tests.dbt_like_sql.broken_portfolios import BrokenTable
from odyssey_assets_tests.dbt_like_sql.monitored import event, promotion, rows_of

Frames = Mapping[TableContract, pd.DataFrame]

BROKEN_MONITORING_MARTS = (
    ("one_champion_a_session", "serves_until + 200 as serves_until"),
    ("forecasts_come_from_who_serves", "'somebody else' as model_sha256"),
    ("drift_verdicts_agree_with_their_counts", "'none' as severity"),
    ("drift_verdicts_agree_with_their_counts", "drifted_inputs + 1 as drifted_inputs"),
    ("retrainings_are_settled_in_time", "true as is_unsettled"),
    ("brief_has_every_section", "replace(section, 'decay', 'drift') as section"),
    ("brief_has_every_section", "line + 1 as line"),
)


def break_monitoring(tables: Frames) -> Iterator[BrokenTable]:
    """Yield the name of an SQL test, a table, and its rows with what the test must find."""
    yield from _break_measurements(tables)
    yield from _break_versions(tables)
    yield from _break_decisions(tables)
    yield from _break_lineage(tables)


def _break_measurements(tables: Frames) -> Iterator[BrokenTable]:
    drift, summaries = tables[DRIFT], tables[DRIFT_SUMMARY]
    quality = tables[FORECAST_QUALITY]
    yield "drift_follows_its_thresholds", DRIFT, drift.assign(is_drifted=True)
    yield "drift_follows_its_thresholds", DRIFT, drift.assign(threshold=0.4)
    is_old = summaries["as_of"] < summaries["as_of"].max()
    yield "drift_is_of_the_newest_session", DRIFT_SUMMARY, summaries[is_old]
    is_old = quality["date"] < quality["date"].max()
    yield "quality_is_of_the_newest_session", FORECAST_QUALITY, quality[is_old]
    yield "decay_needs_known_outcomes", FORECAST_QUALITY, quality.assign(known_60=0)


def _break_versions(tables: Frames) -> Iterator[BrokenTable]:
    challenger = tables[CHALLENGERS].head(1).assign(model_name="xgboost/AAA/another")
    for changes in (
        {"train_end": challenger["valid_start"]},
        {"valid_end": challenger["trained_as_of"] + pd.Timedelta(days=1)},
        {"requested_as_of": challenger["trained_as_of"] - pd.Timedelta(days=1)},
    ):
        yield "challengers_are_in_temporal_order", CHALLENGERS, challenger.assign(**changes)
    trial = tables[TRIALS].head(1)
    seen = trial.assign(trained_as_of=trial["date"], model_sha256="another")
    yield "trials_follow_their_training", TRIALS, seen


def _break_decisions(tables: Frames) -> Iterator[BrokenTable]:
    challenger = tables[CHALLENGERS].iloc[0]
    window, day = challenger["window"], challenger["trained_as_of"]
    base = {"subject": "CCC", "window": window, "as_of": day, "decision": "promoted"}
    figures = {
        "unseen_sessions": 20, "challenger_rmse": 0.1, "incumbent_rmse": 0.1, "p_value_worse": 0.5,
    }  # fmt: skip
    seen = {"model_sha256": challenger["model_sha256"]}
    other = {"model_sha256": "another"}
    week = pd.Timedelta(days=7)
    for name, values in (
        ("reigns_follow_their_training", {**seen, "serves_after": day - week, **figures}),
        ("reigns_follow_their_training", {**other, **figures}),
        ("reigns_follow_their_training", {**other, "serves_after": day + 30 * week, **figures}),
        ("reigns_follow_their_training", {**other, "decision": "rejected", "serves_after": day}),
        ("promotions_have_their_figures", {**other, "serves_after": day}),
        (
            "promotions_have_their_figures",
            {**other, "decision": "rejected", "challenger_rmse": 0.1},
        ),
        (
            "promotions_have_their_figures",
            {**other, **figures, "serves_after": day, "last_unseen": day + week},
        ),
    ):
        yield (
            name,
            PROMOTIONS,
            PROMOTIONS.conform(rows_of(PROMOTIONS, [promotion(**{**base, **values})])),
        )
    about = {"ticker": "CCC", "window": window, "as_of": day}
    for states, outcome in (
        (["started", "finished"], "promoted"),
        (["suppressed", "finished"], "failed"),
        (["requested", "started", "finished"], None),
    ):
        entries = event("e9", states, **about, outcome=outcome)
        yield (
            "retraining_events_come_from_a_finding",
            RETRAINING_EVENTS,
            RETRAINING_EVENTS.conform(rows_of(RETRAINING_EVENTS, entries)),
        )


def _break_lineage(tables: Frames) -> Iterator[BrokenTable]:
    weights = tables[WEIGHTS]
    is_first = weights["is_decision"] & (weights["policy"] == "ppo")
    moved = weights["target_weight"].mask(is_first, weights["target_weight"] / 2)
    yield "every_decision_has_its_lineage", WEIGHTS, weights.assign(target_weight=moved)
    named = tables[LINEAGE].dropna(subset="bar_row_sha256").head(1).assign(lineage_sha256="another")
    yield "lineage_names_delivered_rows", LINEAGE, named.assign(bar_row_sha256="never sent")
    yield "lineage_names_delivered_rows", LINEAGE, named.assign(response_sha256="never sent")
