-- asset: staging.stg_predictions
-- description: Every forecast belongs to a trained fold and lies between its first and last test
-- session.
-- severity: error
-- blocking: true
with predictions as (
    select
        predictions.ticker,
        predictions.date,
        predictions."window",
        predictions.model,
        predictions.horizon
    from staging.stg_predictions as predictions
),

folds as (
    select
        folds.ticker,
        folds."window",
        folds.model,
        folds.horizon_sessions,
        folds.test_start,
        folds.test_end
    from forecasting.folds as folds
    where folds.status = 'trained'
)

select
    predictions.ticker,
    predictions.date,
    predictions."window",
    predictions.model
from predictions
left join folds
    on folds.ticker = predictions.ticker
    and folds."window" = predictions."window"
    and folds.model = predictions.model
    and folds.horizon_sessions = predictions.horizon
    and predictions.date between folds.test_start and folds.test_end
where folds.ticker is null
