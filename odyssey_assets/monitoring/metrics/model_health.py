"""Figures about the models: how well they forecast of late, who serves, what was retrained.

How the portfolios of learned policies did belongs to `policy_health`.
"""

from collections.abc import Sequence

from odyssey_assets.core.metrics import Metric, MetricQuery
from odyssey_assets.monitoring.ledgers import CAUSES, DECISIONS, KINDS, OUTCOMES, STATES


def _counts(table: str, counted: str, **columns: Sequence[str]) -> str:
    """Return a query that counts a ledger's entries by columns, also where there are none yet.

    That a count grew shows in Prometheus only if it was there before it grew.

    Args:
        table: The ledger.
        counted: What is counted of the rows of a combination.
        **columns: The columns with all values that each can have.
    """
    names = ", ".join(columns)
    combinations = " cross join ".join(
        f"(select unnest({list(values)}) as {name})" for name, values in columns.items()
    )
    return f"""
    select {names}, coalesce(entries, 0) as entries
    from {combinations}
    left join (select {names}, {counted} as entries from {table} group by all) using ({names})
    order by all
    """


QUALITY = MetricQuery(
    ("ticker", "sessions"),
    (
        Metric("odyssey_forecast_known_outcomes", "Outcomes behind the figures.", "known"),
        Metric(
            "odyssey_forecast_information_coefficient",
            "Rank correlation of forecast and outcome over the last sessions.",
            "information_coefficient",
        ),
        Metric(
            "odyssey_forecast_direction_accuracy_ratio",
            "Share of forecasts with the outcome's sign.",
            "direction_accuracy",
        ),
        Metric(
            "odyssey_forecast_interval_coverage_ratio",
            "Share of outcomes inside the forecast's interval.",
            "interval_coverage",
        ),
        Metric(
            "odyssey_forecast_rmse_over_baseline_ratio",
            "Error of the forecast / error of the historical mean; below 1 is better than it.",
            "rmse_ratio",
        ),
        Metric(
            "odyssey_forecast_sharpe",
            "Annualised Sharpe ratio after costs of holding by the forecast's sign.",
            "sharpe",
        ),
    ),
    """
    with newest as (
        select *
        from monitoring.forecast_quality
        qualify row_number() over (partition by ticker order by date desc) = 1
    )

    select
        ticker,
        '20' as sessions,
        known_20 as known,
        information_coefficient_20 as information_coefficient,
        direction_accuracy_20 as direction_accuracy,
        interval_coverage_20 as interval_coverage,
        rmse_20 / nullif(baseline_rmse_20, 0) as rmse_ratio,
        sharpe_20 as sharpe
    from newest
    union all
    select
        ticker,
        '60' as sessions,
        known_60 as known,
        information_coefficient_60 as information_coefficient,
        direction_accuracy_60 as direction_accuracy,
        interval_coverage_60 as interval_coverage,
        rmse_60 / nullif(baseline_rmse_60, 0) as rmse_ratio,
        sharpe_60 as sharpe
    from newest
    order by ticker, sessions
    """,
)
EXPECTATIONS = MetricQuery(
    ("ticker",),
    (
        Metric(
            "odyssey_forecast_expected_information_coefficient",
            "Rank correlation that the serving model's validation promised.",
            "expected_information_coefficient",
        ),
        Metric(
            "odyssey_forecast_expected_coverage_ratio",
            "Share of outcomes that the interval was made for.",
            "expected_coverage",
        ),
    ),
    """
    select ticker, expected_information_coefficient, expected_coverage
    from monitoring.forecast_quality
    qualify row_number() over (partition by ticker order by date desc) = 1
    order by ticker
    """,
)
DECAY = MetricQuery(
    ("ticker", "kind"),
    (
        Metric(
            "odyssey_forecast_is_decayed",
            "Whether the last 60 sessions fall short of the expectation, beyond chance.",
            "is_decayed",
        ),
    ),
    """
    with newest as (
        select ticker, is_correlation_decayed, is_coverage_decayed, is_sharpe_decayed
        from monitoring.forecast_quality
        qualify row_number() over (partition by ticker order by date desc) = 1
    )

    select ticker, 'correlation' as kind, is_correlation_decayed as is_decayed from newest
    union all
    select ticker, 'coverage' as kind, is_coverage_decayed as is_decayed from newest
    union all
    select ticker, 'sharpe' as kind, is_sharpe_decayed as is_decayed from newest
    order by ticker, kind
    """,
)
SERVING = MetricQuery(
    ("kind", "subject"),
    (
        Metric(
            "odyssey_model_is_champion",
            "Whether the model that serves has shown that it beats its baseline; 0: unproven.",
            "is_champion",
        ),
        Metric("odyssey_model_version", "Count of the model among its subject's.", "model_version"),
        Metric(
            "odyssey_model_decided_timestamp_seconds",
            "When it was decided that the model serves, seconds since the epoch.",
            "decided_at",
        ),
    ),
    """
    select kind, subject, is_champion, model_version, epoch(recorded_at) as decided_at
    from monitoring.promotions
    where decision in ('promoted', 'rolled_back', 'succeeded', 'unproven')
    qualify row_number() over (
        partition by kind, subject
        order by "window" desc, serves_after desc nulls last, recorded_at desc
    ) = 1
    order by kind, subject
    """,
)
DECIDED = MetricQuery(
    ("kind", "decision"),
    (
        Metric(
            "odyssey_promotion_decisions_total",
            "Decisions about who serves.",
            "entries",
            kind="counter",
        ),
    ),
    _counts("monitoring.promotions", "count(*)", kind=KINDS, decision=DECISIONS),
)
REACHED = MetricQuery(
    ("cause", "state"),
    (
        Metric(
            "odyssey_retraining_events_total",
            "Reasons to retrain that have reached a state.",
            "entries",
            kind="counter",
        ),
    ),
    _counts("monitoring.retraining_events", "count(*)", cause=CAUSES, state=STATES),
)
SETTLED = MetricQuery(
    ("cause", "outcome"),
    (
        Metric(
            "odyssey_retraining_outcomes_total",
            "Reasons to retrain by what came of them.",
            "entries",
            kind="counter",
        ),
    ),
    _counts(
        "monitoring.retraining_events",
        "count(distinct event_id)",
        cause=CAUSES,
        outcome=OUTCOMES,
    ),
)
OPEN = MetricQuery(
    ("ticker",),
    (
        Metric(
            "odyssey_retraining_open_events",
            "Reasons to retrain of which nothing has come yet.",
            "events",
        ),
        Metric(
            "odyssey_retraining_requested_timestamp_seconds",
            "When a retraining was last asked for, seconds since the epoch.",
            "requested_at",
        ),
    ),
    """
    with events as (
        select
            ticker,
            event_id,
            bool_or(state in ('finished', 'suppressed')) as is_closed,
            max(epoch(recorded_at)) filter (where state = 'requested') as requested_at
        from monitoring.retraining_events
        group by ticker, event_id
    )

    select
        ticker,
        count(*) filter (where not is_closed) as events,
        max(requested_at) as requested_at
    from events
    group by ticker
    order by ticker
    """,
)

MODEL_HEALTH_QUERIES = (
    QUALITY, EXPECTATIONS, DECAY, SERVING, DECIDED, REACHED, SETTLED, OPEN,
)  # fmt: skip
