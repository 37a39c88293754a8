-- asset: marts.mart_drift
-- description: Every ticker that is forecast at the newest session has a verdict, or the reason why
-- there is none, of that session.
-- severity: warn
-- blocking: false
with forecasts as (
    select
        forecasts.ticker,
        max(forecasts.date) as date
    from intermediate.int_default_forecasts as forecasts
    group by forecasts.ticker
),

drift as (
    select
        drift.ticker,
        drift.as_of
    from marts.mart_drift as drift
    where drift.is_newest_window
)

select
    forecasts.ticker,
    forecasts.date,
    drift.as_of
from forecasts
left join drift
    on drift.ticker = forecasts.ticker
where drift.as_of is distinct from forecasts.date
