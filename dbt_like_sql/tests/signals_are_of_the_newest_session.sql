-- asset: marts.mart_daily_signals
-- description: No signal is older than the newest session of any ticker.
-- severity: warn
-- blocking: false
select
    signals.ticker,
    signals.date,
    signals.sessions_behind
from marts.mart_daily_signals as signals
where signals.sessions_behind > 0
