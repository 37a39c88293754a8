-- description: A strategy's returns by the proxy's regime at the close before.
-- grain: strategy, regime
select
    regimes.strategy,
    regimes.regime,
    regimes.sessions,
    regimes.share,
    regimes.mean_annual_return,
    regimes.volatility,
    regimes.sharpe,
    regimes.sharpe_standard_error,
    regimes.max_drawdown,
    regimes.win_rate,
    regimes.turnover,
    regimes.is_simulated
from backtesting.regimes as regimes
