"""Figures about the data: rows, how far behind the exchange they are, quarantine, drift."""

from datetime import UTC, date, datetime, time
from functools import partial

from odyssey_assets.core.metrics import Metric, MetricQuery
from odyssey_assets.core.sessions import sessions_between

ROWS = MetricQuery(
    ("table",),
    (Metric("odyssey_table_rows", "Rows stored in a table.", "row_count"),),
    """
    select
        schema_name || '.' || table_name as "table",
        estimated_size as row_count
    from duckdb_tables()
    where database_name = current_database() and not internal and schema_name <> 'meta'
    order by all
    """,
)
SIMULATED = MetricQuery(
    (),
    (
        Metric(
            "odyssey_data_is_simulated",
            "Whether any bar comes from the simulated market.",
            "is_simulated",
        ),
    ),
    "select bool_or(is_simulated) as is_simulated from market_data.bars",
)
QUARANTINED = MetricQuery(
    ("ticker", "reason", "treatment"),
    (
        Metric(
            "odyssey_quarantined_rows",
            "Rows that cleaning rejected or repaired, by rule.",
            "row_count",
        ),
    ),
    """
    select
        ticker,
        reason,
        case when is_rejected then 'rejected' else 'repaired' end as treatment,
        count(*) as row_count
    from market_data.quarantine
    group by all
    order by all
    """,
)
DRIFT = MetricQuery(
    ("ticker",),
    (
        Metric(
            "odyssey_drift_is_drifted",
            "Whether the newest window drifted from what its model learned from.",
            "is_drifted",
        ),
        Metric(
            "odyssey_drift_is_measured",
            "Whether there was a model and enough sessions for a verdict.",
            "is_measured",
        ),
        Metric(
            "odyssey_drift_drifted_inputs_ratio",
            "Share of the model's inputs that drifted.",
            "share_drifted",
        ),
        Metric(
            "odyssey_drift_psi_above_0_1_ratio",
            "Share of the model's inputs with a population stability index above 0.1.",
            "share_psi_above_0_1",
        ),
        Metric(
            "odyssey_drift_psi_above_0_2_ratio",
            "Share of the model's inputs with a population stability index above 0.2.",
            "share_psi_above_0_2",
        ),
        Metric(
            "odyssey_drift_smallest_p_value",
            "Smallest p-value of the model's inputs.",
            "smallest_p_value",
        ),
        Metric("odyssey_drift_sessions", "Sessions of the sample.", "sessions"),
    ),
    """
    select
        ticker,
        is_drifted,
        status = 'measured' as is_measured,
        share_drifted,
        share_psi_above_0_1,
        share_psi_above_0_2,
        smallest_p_value,
        sessions
    from monitoring.drift_summary
    qualify row_number() over (partition by ticker order by as_of desc, "window" desc) = 1
    order by ticker
    """,
)
SEVERITY = MetricQuery(
    ("ticker", "severity"),
    (Metric("odyssey_drift_severity_info", "How much drifted in the newest window.", "one"),),
    """
    select ticker, severity, 1 as one
    from monitoring.drift_summary
    qualify row_number() over (partition by ticker order by as_of desc, "window" desc) = 1
    order by ticker
    """,
)
NEWEST_BARS = """
    select ticker, max(date) as newest
    from market_data.bars
    where not is_filled
    group by ticker
    order by ticker
    """
NEWEST_FORECASTS = """
    select ticker, model, max(date) as newest
    from forecasting.predictions
    group by ticker, model
    order by ticker, model
    """


def data_health_queries(expected: date) -> tuple[MetricQuery, ...]:
    """Return the queries of this moment.

    Args:
        expected: Last session that is over and asked for.
    """
    behind = partial(sessions_behind, expected=expected)
    bars = MetricQuery(
        ("ticker",),
        (
            Metric(
                "odyssey_data_newest_session_timestamp_seconds",
                "Day of the newest bar that traded, midnight UTC, seconds since the epoch.",
                "newest",
                convert=midnight,
            ),
            Metric(
                "odyssey_data_sessions_behind",
                "Sessions that are over and later than the newest bar that traded.",
                "newest",
                convert=behind,
            ),
        ),
        NEWEST_BARS,
    )
    forecasts = MetricQuery(
        ("ticker", "model"),
        (
            Metric(
                "odyssey_forecast_sessions_behind",
                "Sessions that are over and later than the newest forecast.",
                "newest",
                convert=behind,
            ),
        ),
        NEWEST_FORECASTS,
    )
    return (ROWS, SIMULATED, QUARANTINED, DRIFT, SEVERITY, bars, forecasts)


def sessions_behind(newest: date, expected: date) -> float:
    """Return how many sessions lie after `newest` up to and with `expected`."""
    if newest >= expected:
        return 0.0
    return float((sessions_between(newest, expected).date > newest).sum())


def midnight(day: date) -> float:
    """Return the moment a day begins in UTC, seconds since the epoch."""
    return datetime.combine(day, time(), UTC).timestamp()
