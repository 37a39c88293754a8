-- asset: staging.stg_trades
-- description: Every fill has a bar that traded, neither filled nor without volume, and its price
-- is that bar's open as traded.
-- severity: error
-- blocking: true
with trades as (
    select
        trades.strategy,
        trades.date,
        trades.ticker,
        trades.price
    from staging.stg_trades as trades
),

bars as (
    select
        bars.ticker,
        bars.date,
        bars.open
    from market_data.bars as bars
    where
        not bars.is_filled
        and bars.volume > 0
)

select
    trades.strategy,
    trades.date,
    trades.ticker,
    trades.price,
    bars.open
from trades
left join bars
    on bars.ticker = trades.ticker
    and bars.date = trades.date
where coalesce(abs(trades.price - bars.open) > 1e-9 * bars.open, true)
