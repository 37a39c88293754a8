"""Figures about learned policies: how well their portfolios did of late, and what was promised."""

from odyssey_assets.core.metrics import Metric, MetricQuery

QUALITY = MetricQuery(
    ("policy", "sessions"),
    (
        Metric(
            "odyssey_policy_sharpe",
            "Annualised Sharpe ratio after costs of a learned policy over the last sessions.",
            "sharpe",
        ),
    ),
    """
    with newest as (
        select policy, sharpe_20, sharpe_60
        from monitoring.policy_quality
        qualify row_number() over (partition by policy order by date desc) = 1
    )

    select policy, '20' as sessions, sharpe_20 as sharpe from newest
    union all
    select policy, '60' as sessions, sharpe_60 as sharpe from newest
    order by policy, sessions
    """,
)
DECAY = MetricQuery(
    ("policy",),
    (
        Metric(
            "odyssey_policy_is_decayed",
            "Whether the Sharpe ratio of the last 60 sessions lies below its floor.",
            "is_decayed",
        ),
        Metric(
            "odyssey_policy_sharpe_floor",
            "Sharpe ratio of 60 sessions below which chance explains no more.",
            "sharpe_floor",
        ),
        Metric(
            "odyssey_policy_expected_sharpe",
            "Sharpe ratio that the deciding model's validation promised.",
            "expected_sharpe",
        ),
        Metric(
            "odyssey_policy_equal_weight_sharpe",
            "Sharpe ratio after costs of equal weight over the same 60 sessions.",
            "equal_weight_sharpe",
        ),
    ),
    """
    select
        policy,
        is_sharpe_decayed as is_decayed,
        sharpe_floor,
        expected_sharpe,
        equal_weight_sharpe_60 as equal_weight_sharpe
    from monitoring.policy_quality
    qualify row_number() over (partition by policy order by date desc) = 1
    order by policy
    """,
)

POLICY_HEALTH_QUERIES = (QUALITY, DECAY)
