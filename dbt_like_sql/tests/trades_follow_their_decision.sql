-- asset: staging.stg_trades
-- description: Nothing fills on the session that decided it: every fill is later than its decision.
-- severity: error
-- blocking: true
select
    trades.strategy,
    trades.date,
    trades.ticker,
    trades.decided_on
from staging.stg_trades as trades
where trades.decided_on >= trades.date
