-- asset: staging.stg_regimes
-- description: The regimes of a strategy hold all its sessions, and their shares add up to 1.
-- severity: error
-- blocking: false
with regimes as (
    select
        regimes.strategy,
        regimes.sessions,
        regimes.share
    from staging.stg_regimes as regimes
),

daily as (
    select daily.strategy
    from backtesting.daily as daily
),

covered as (
    select
        regimes.strategy,
        sum(regimes.sessions) as sessions,
        sum(regimes.share) as share
    from regimes
    group by regimes.strategy
),

expected as (
    select
        daily.strategy,
        count(*) as sessions
    from daily
    group by daily.strategy
)

select
    coalesce(covered.strategy, expected.strategy) as strategy,
    covered.sessions,
    expected.sessions as expected_sessions,
    covered.share
from covered
full outer join expected
    on expected.strategy = covered.strategy
where
    coalesce(covered.sessions <> expected.sessions, true)
    or abs(covered.share - 1) > 1e-9
