-- asset: marts.mart_trade_blotter
-- description: The value of a fill is shares x price, what is sold is negative, and the costs of a
-- fill are commission, slippage and impact.
-- severity: error
-- blocking: true
select
    blotter.strategy,
    blotter.date,
    blotter.ticker,
    blotter.side,
    blotter.shares,
    blotter.price,
    blotter.traded_value,
    blotter.costs
from marts.mart_trade_blotter as blotter
where
    abs(blotter.traded_value - blotter.shares * blotter.price)
        > 1e-9 * abs(blotter.traded_value)
    or (blotter.side = 'sell') <> (blotter.traded_value < 0)
    or abs(blotter.costs - blotter.commission - blotter.slippage - blotter.impact)
        > 1e-9 * blotter.costs
