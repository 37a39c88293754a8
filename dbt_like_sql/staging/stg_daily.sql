-- description: One session of a strategy's backtest: equity, return, exposure, turnover and costs.
-- grain: strategy, date
select
    daily.strategy,
    daily.date,
    daily."window",
    daily.equity,
    daily.return,
    daily.gross_exposure,
    daily.cash_weight,
    daily.turnover,
    daily.price_gain,
    daily.interest,
    daily.commission,
    daily.slippage,
    daily.impact,
    daily.unfilled_value,
    daily.limit_excess,
    daily.drawdown,
    daily.is_simulated
from backtesting.daily as daily
