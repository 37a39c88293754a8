-- asset: marts.mart_daily_signals
-- description: Confidence lies between 0 and 1, and is 1 exactly where the interval leaves out
-- zero.
-- severity: error
-- blocking: false
select
    signals.ticker,
    signals.prediction,
    signals.lower,
    signals.upper,
    signals.confidence
from marts.mart_daily_signals as signals
where
    signals.confidence not between 0 and 1
    or (signals.confidence < 1) <> (signals.lower < 0 and signals.upper > 0)
