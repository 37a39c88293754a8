-- asset: staging.stg_policy_quality
-- description: No policy has decayed of which fewer than 60 returns were known, or whose Sharpe ratio
-- or floor is unknown.
-- severity: error
-- blocking: false
with decayed as (
    select
        quality.policy,
        quality.date,
        quality.sharpe_60,
        quality.sharpe_floor
    from staging.stg_policy_quality as quality
    where quality.is_sharpe_decayed
),

daily as (
    select
        daily.strategy,
        daily.date
    from backtesting.daily as daily
)

select
    decayed.policy,
    decayed.date,
    decayed.sharpe_60,
    decayed.sharpe_floor,
    count(daily.date) as returns
from decayed
left join daily
    on daily.strategy = decayed.policy
    and daily.date <= decayed.date
group by
    decayed.policy,
    decayed.date,
    decayed.sharpe_60,
    decayed.sharpe_floor
having
    count(daily.date) < 60
    or coalesce(decayed.sharpe_60 >= decayed.sharpe_floor, true)
