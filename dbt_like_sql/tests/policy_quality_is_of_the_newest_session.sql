-- asset: marts.mart_policy_quality
-- description: Every portfolio that a model decides has figures of how it does, as of its newest
-- return.
-- severity: warn
-- blocking: false
with daily as (
    select
        daily.strategy,
        max(daily.date) as date
    from staging.stg_daily as daily
    group by daily.strategy
),

weights as (
    select weights.policy
    from staging.stg_weights as weights
    where weights.model_sha256 is not null
    group by weights.policy
),

quality as (
    select
        quality.policy,
        quality.date
    from marts.mart_policy_quality as quality
)

select
    weights.policy,
    daily.date,
    quality.date as quality_date
from weights
inner join daily
    on daily.strategy = weights.policy
left join quality
    on quality.policy = weights.policy
where quality.date is distinct from daily.date
