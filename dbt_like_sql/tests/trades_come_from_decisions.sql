-- asset: staging.stg_trades
-- description: Every fill belongs to a policy that decided at the close named, with a weight for
-- the ticker.
-- severity: error
-- blocking: true
with trades as (
    select
        trades.strategy,
        trades.date,
        trades.ticker,
        trades.decided_on
    from staging.stg_trades as trades
),

decisions as (
    select
        weights.policy,
        weights.date,
        weights.ticker
    from portfolio.weights as weights
    where weights.is_decision
)

select
    trades.strategy,
    trades.date,
    trades.ticker,
    trades.decided_on
from trades
anti join decisions
    on decisions.policy = trades.strategy
    and decisions.date = trades.decided_on
    and decisions.ticker = trades.ticker
