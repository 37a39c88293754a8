-- description: Every fill of a backtest: decided at the close of an earlier session, filled at an
-- open.
-- grain: strategy, date, ticker
select
    trades.strategy,
    trades.date,
    trades.ticker,
    trades."window",
    trades.decided_on,
    trades.weight_before,
    trades.weight_after,
    trades.price,
    trades.shares,
    trades.traded_value,
    trades.commission,
    trades.slippage,
    trades.impact,
    trades.costs,
    trades.participation,
    trades.unfilled_value
from backtesting.trades as trades
