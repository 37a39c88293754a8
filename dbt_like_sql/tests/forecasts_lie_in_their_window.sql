-- asset: staging.stg_predictions
-- description: Every forecast is dated inside the half-year window of its fold: no model forecasts
-- sessions before its window.
-- severity: error
-- blocking: true
select
    predictions.ticker,
    predictions.date,
    predictions."window",
    predictions.model
from staging.stg_predictions as predictions
where
    predictions.date < predictions."window"
    or predictions.date >= predictions."window" + interval 6 months
