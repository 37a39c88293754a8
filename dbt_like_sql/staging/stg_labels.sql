-- description: What happened after each close; null until it is known. For scoring only: nothing
-- that decides at t may read row t.
-- grain: ticker, date
select
    labels.ticker,
    labels.date,
    labels.forward_return_1d,
    labels.forward_return_5d,
    labels.forward_return_20d,
    labels.forward_return_60d,
    labels.direction_5d
from features.labels as labels
