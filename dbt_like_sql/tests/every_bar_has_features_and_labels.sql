-- asset: staging.stg_features
-- description: Bars, features and labels cover the same tickers and sessions.
-- severity: error
-- blocking: true
with bars as (
    select
        bars.ticker,
        bars.date
    from market_data.bars as bars
),

features as (
    select
        features.ticker,
        features.date
    from staging.stg_features as features
),

labels as (
    select
        labels.ticker,
        labels.date
    from features.labels as labels
)

select
    coalesce(bars.ticker, features.ticker, labels.ticker) as ticker,
    coalesce(bars.date, features.date, labels.date) as date,
    bars.ticker is not null as has_bar,
    features.ticker is not null as has_features,
    labels.ticker is not null as has_labels
from bars
full outer join features
    on features.ticker = bars.ticker
    and features.date = bars.date
full outer join labels
    on labels.ticker = coalesce(bars.ticker, features.ticker)
    and labels.date = coalesce(bars.date, features.date)
where
    bars.ticker is null
    or features.ticker is null
    or labels.ticker is null
