-- description: Each strategy in known crises, replayed where data exist, and its newest portfolio
-- under shocks.
-- grain: strategy, scenario
select
    stress.strategy,
    stress.scenario,
    stress.kind,
    stress.status,
    stress.method,
    stress.reason,
    stress.start_date,
    stress.end_date,
    stress.sessions,
    stress.portfolio_return,
    stress.unshocked_return,
    stress.max_drawdown,
    stress.proxy_return,
    stress.volatility,
    stress.unshocked_volatility,
    stress.annual_cost,
    stress.covered_weight,
    stress.is_simulated
from backtesting.stress as stress
