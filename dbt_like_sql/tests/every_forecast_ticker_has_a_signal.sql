-- asset: marts.mart_daily_signals
-- description: Every ticker with forecasts has a signal of the default model.
-- severity: warn
-- blocking: false
with tickers as (
    select distinct predictions.ticker
    from staging.stg_predictions as predictions
),

signals as (
    select signals.ticker
    from marts.mart_daily_signals as signals
)

select tickers.ticker
from tickers
anti join signals
    on signals.ticker = tickers.ticker
