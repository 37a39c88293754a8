-- asset: staging.stg_predictions
-- description: Every forecast was made after the last session its model had seen.
-- severity: error
-- blocking: true
select
    predictions.ticker,
    predictions.date,
    predictions.model,
    predictions.trained_as_of
from staging.stg_predictions as predictions
where predictions.trained_as_of >= predictions.date
