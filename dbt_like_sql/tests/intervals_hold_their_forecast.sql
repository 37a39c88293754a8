-- asset: staging.stg_predictions
-- description: The forecast lies inside its own interval: lower <= prediction <= upper.
-- severity: error
-- blocking: true
select
    predictions.ticker,
    predictions.date,
    predictions.model,
    predictions.lower,
    predictions.prediction,
    predictions.upper
from staging.stg_predictions as predictions
where not (
    predictions.lower <= predictions.prediction
    and predictions.prediction <= predictions.upper
)
