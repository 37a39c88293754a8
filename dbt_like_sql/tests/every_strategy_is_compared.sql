-- asset: marts.mart_strategy_comparison
-- description: Every strategy with daily returns has a place in the comparison.
-- severity: warn
-- blocking: false
with strategies as (
    select distinct daily.strategy
    from staging.stg_daily as daily
),

comparison as (
    select comparison.strategy
    from marts.mart_strategy_comparison as comparison
)

select strategies.strategy
from strategies
anti join comparison
    on comparison.strategy = strategies.strategy
