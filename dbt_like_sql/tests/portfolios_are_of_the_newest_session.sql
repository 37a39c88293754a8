-- asset: marts.mart_current_portfolio
-- description: No policy's portfolio is older than the newest session of any ticker.
-- severity: warn
-- blocking: false
select
    portfolios.policy,
    portfolios.date,
    portfolios.sessions_behind
from marts.mart_current_portfolio as portfolios
where
    portfolios.ticker = '(cash)'
    and portfolios.sessions_behind > 0
