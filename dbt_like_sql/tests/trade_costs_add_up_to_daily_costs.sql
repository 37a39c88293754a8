-- asset: staging.stg_trades
-- description: The commission, slippage and impact of a session's fills are those of the session.
-- severity: error
-- blocking: true
with trades as (
    select
        trades.strategy,
        trades.date,
        trades.commission,
        trades.slippage,
        trades.impact
    from staging.stg_trades as trades
),

daily as (
    select
        daily.strategy,
        daily.date,
        daily.commission,
        daily.slippage,
        daily.impact
    from backtesting.daily as daily
),

paid as (
    select
        trades.strategy,
        trades.date,
        sum(trades.commission) as commission,
        sum(trades.slippage) as slippage,
        sum(trades.impact) as impact
    from trades
    group by trades.strategy, trades.date
)

select
    coalesce(paid.strategy, daily.strategy) as strategy,
    coalesce(paid.date, daily.date) as date,
    paid.commission,
    daily.commission as daily_commission,
    paid.slippage,
    daily.slippage as daily_slippage,
    paid.impact,
    daily.impact as daily_impact
from paid
full outer join daily
    on daily.strategy = paid.strategy
    and daily.date = paid.date
where
    daily.strategy is null
    or abs(coalesce(paid.commission, 0) - daily.commission) > 1e-6
    or abs(coalesce(paid.slippage, 0) - daily.slippage) > 1e-6
    or abs(coalesce(paid.impact, 0) - daily.impact) > 1e-6
