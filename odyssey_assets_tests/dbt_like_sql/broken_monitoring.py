"""What was watched and decided, one thing wrong in each, named by the SQL test that must find it.

Rows of a ledger come on top of those that it has: nothing in it is ever changed.
"""

from collections.abc import Iterator, Mapping

import pandas as pd

from odyssey_assets.backtesting.tables import DAILY
from odyssey_assets.contracts import TableContract
from odyssey_assets.forecasting.tables import CHALLENGERS, TRIALS
from odyssey_assets.monitoring.ledgers import LINEAGE, PROMOTIONS, RETRAINING_EVENTS
from odyssey_assets.monitoring.tables import (
    DRIFT,
    DRIFT_SUMMARY,
    FORECAST_QUALITY,
    POLICY_QUALITY,
)
from odyssey_assets.portfolio.tables import POLICY_CHALLENGERS, POLICY_TRIALS, WEIGHTS
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
    yield from _break_policy_versions(tables)
    yield from _break_policy_trials(tables)
    yield from _break_decisions(tables)
    yield from _break_decisions_about_policies(tables)
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


def _break_policy_versions(tables: Frames) -> Iterator[BrokenTable]:
    quality, weights = tables[POLICY_QUALITY], tables[WEIGHTS]
    challenger = tables[POLICY_CHALLENGERS].head(1).assign(model_sha256="another")
    day = pd.Timedelta(days=1)
    for changes in (
        {"train_end": challenger["train_start"] - day},
        {"train_end": challenger["valid_start"]},
        {"valid_start": challenger["valid_end"] + day},
        {"valid_end": challenger["trained_as_of"] - day},
        {"requested_as_of": challenger["trained_as_of"] - day},
    ):
        broken = challenger.assign(**changes)
        yield "policy_challengers_are_in_temporal_order", POLICY_CHALLENGERS, broken
    is_old = quality["date"] < quality["date"].max()
    yield "policy_quality_is_of_the_newest_session", POLICY_QUALITY, quality[is_old]
    yield "policy_decay_needs_sixty_returns", POLICY_QUALITY, quality.assign(is_sharpe_decayed=True)
    at_floor = quality.assign(sharpe_60=quality["sharpe_floor"])
    yield "policy_decay_needs_sixty_returns", POLICY_QUALITY, at_floor
    yield "policy_decay_needs_sixty_returns", DAILY, tables[DAILY].query("strategy != 'ppo'")
    promoted = _first_shas(tables)["challenger"]
    by_stand_in = weights["model_sha256"].replace(promoted, _first_shas(tables)["stand_in"])
    before = weights["model_sha256"].mask(weights["model_sha256"].notna(), promoted)
    for deciders in (by_stand_in, before):
        yield (
            "learned_weights_come_from_trained_policies",
            WEIGHTS,
            weights.assign(model_sha256=deciders),
        )


def _first_shas(tables: Frames) -> Mapping[str, str]:
    """Return the SHA-256 of the first challenger of the policy, and of its stand-in, by role."""
    first = tables[POLICY_CHALLENGERS].sort_values("requested_as_of").head(2)
    return dict(zip(first["role"], first["model_sha256"], strict=True))


def _break_policy_trials(tables: Frames) -> Iterator[BrokenTable]:
    trials, daily = tables[POLICY_TRIALS], tables[DAILY]
    week = pd.Timedelta(days=7)
    for role in ("challenger", "serving"):
        is_of = trials["role"] == role
        is_promoted = is_of & (trials["model_sha256"] == _first_shas(tables)["challenger"])
        for name, values in (
            ("is decided later", trials["serves_after"].mask(is_of, trials["date"])),
            ("knew more", trials["serves_after"].mask(is_promoted, trials["serves_after"] - week)),
        ):
            assert not values.equals(trials["serves_after"]), name
            yield (
                "policy_trials_follow_their_training",
                POLICY_TRIALS,
                trials.assign(serves_after=values),
            )
    unknown = trials["model_sha256"].mask(trials["role"] == "stand_in", "another")
    yield (
        "policy_trials_follow_their_training",
        POLICY_TRIALS,
        trials.assign(model_sha256=unknown),
    )
    name = "served_trials_are_what_was_earned"
    yield name, POLICY_TRIALS, trials.assign(**{"return": trials["return"] + 1e-11})
    twice = trials[trials["role"] == "serving"].tail(1).assign(model_sha256="another")
    yield name, POLICY_TRIALS, pd.concat([trials, twice])
    yield name, DAILY, daily[daily["date"] < daily["date"].max()]


def _one_promotion(values: Mapping[str, object]) -> pd.DataFrame:
    return PROMOTIONS.conform(rows_of(PROMOTIONS, [promotion(**values)]))


def _break_decisions(tables: Frames) -> Iterator[BrokenTable]:
    challenger = tables[CHALLENGERS].iloc[0]
    window, day = challenger["window"], challenger["trained_as_of"]
    base = {"subject": "CCC", "window": window, "as_of": day, "decision": "promoted"}
    figures = {
        "unseen_sessions": 20, "challenger_rmse": 0.1, "incumbent_rmse": 0.1, "p_value_worse": 0.5,
    }  # fmt: skip
    seen = {
        "subject": challenger["ticker"], "model_sha256": challenger["model_sha256"],
        "decision_id": "another",
    }  # fmt: skip
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
        yield name, PROMOTIONS, _one_promotion({**base, **values})
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


def _break_decisions_about_policies(tables: Frames) -> Iterator[BrokenTable]:
    challenger = tables[POLICY_CHALLENGERS].sort_values("requested_as_of").iloc[-1]
    window, day = challenger["window"], challenger["trained_as_of"]
    week = pd.Timedelta(days=7)
    base = {
        "kind": "policy", "subject": "ppo", "window": window, "as_of": day, "decision": "promoted",
        "serves_after": day, "model_sha256": challenger["model_sha256"], "unseen_sessions": 60,
        "challenger_sharpe": 1.0, "incumbent_sharpe": 0.5, "p_value_worse": 0.5,
    }  # fmt: skip
    for name, values in (
        ("reigns_follow_their_training", {"serves_after": day - week}),
        ("reigns_follow_their_training", {"model_sha256": "never trained"}),
        ("promotions_have_their_figures", {"challenger_sharpe": None, "incumbent_sharpe": None}),
        ("promotions_have_their_figures", {"p_value_worse": None}),
        ("promotions_have_their_figures", {"unseen_sessions": None, "actor": "Ada"}),
        ("promotions_have_their_figures", {"challenger_rmse": 0.1}),
        ("promotions_have_their_figures", {"incumbent_information_coefficient": 0.1}),
    ):
        yield name, PROMOTIONS, _one_promotion({**base, **values})


def _break_lineage(tables: Frames) -> Iterator[BrokenTable]:
    weights = tables[WEIGHTS]
    is_first = weights["is_decision"] & (weights["policy"] == "ppo")
    moved = weights["target_weight"].mask(is_first, weights["target_weight"] / 2)
    yield "every_decision_has_its_lineage", WEIGHTS, weights.assign(target_weight=moved)
    named = tables[LINEAGE].dropna(subset="bar_row_sha256").head(1).assign(lineage_sha256="another")
    yield "lineage_names_delivered_rows", LINEAGE, named.assign(bar_row_sha256="never sent")
    yield "lineage_names_delivered_rows", LINEAGE, named.assign(response_sha256="never sent")
