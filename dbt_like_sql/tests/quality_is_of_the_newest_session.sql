-- asset: marts.mart_forecast_quality
-- description: Every ticker that is forecast has figures of the quality of its forecasts, as of its
-- newest forecast.
-- severity: warn
-- blocking: false
with forecasts as (
    select
        forecasts.ticker,
        max(forecasts.date) as date
    from intermediate.int_default_forecasts as forecasts
    group by forecasts.ticker
),

quality as (
    select
        quality.ticker,
        quality.date
    from marts.mart_forecast_quality as quality
)

select
    forecasts.ticker,
    forecasts.date,
    quality.date as quality_date
from forecasts
left join quality
    on quality.ticker = forecasts.ticker
where quality.date is distinct from forecasts.date
