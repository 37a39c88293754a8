-- asset: staging.stg_lineage
-- description: Of every decided weight it is recorded what stood behind it.
-- severity: warn
-- blocking: false
with weights as (
    select
        weights.policy,
        weights.ticker,
        weights.date,
        weights.target_weight,
        weights.model_sha256
    from staging.stg_weights as weights
    where weights.is_decision
),

lineage as (
    select
        lineage.policy,
        lineage.ticker,
        lineage.date,
        lineage.target_weight,
        lineage.policy_sha256
    from staging.stg_lineage as lineage
)

select
    weights.policy,
    min(weights.date) as first_date,
    max(weights.date) as last_date,
    count(*) as decisions
from weights
anti join lineage
    on lineage.policy = weights.policy
    and lineage.ticker = weights.ticker
    and lineage.date = weights.date
    and lineage.target_weight = weights.target_weight
    and lineage.policy_sha256 is not distinct from weights.model_sha256
group by weights.policy
