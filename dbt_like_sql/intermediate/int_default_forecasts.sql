-- description: The forecast of the default model (xgboost) for each ticker and session: the one
-- that signals, portfolios and fills are shown with. Of several windows the newest counts, of
-- several horizons the shortest.
-- grain: ticker, date
with predictions as (
    select
        predictions.ticker,
        predictions.date,
        predictions."window",
        predictions.model,
        predictions.horizon,
        predictions.prediction,
        predictions.lower,
        predictions.upper,
        predictions.model_sha256,
        predictions.trained_as_of
    from staging.stg_predictions as predictions
    where predictions.model = 'xgboost'
)

select
    predictions.ticker,
    predictions.date,
    predictions."window",
    predictions.model,
    predictions.horizon,
    predictions.prediction,
    predictions.lower,
    predictions.upper,
    least(
        1,
        abs(predictions.prediction) / nullif((predictions.upper - predictions.lower) / 2, 0)
    ) as confidence, -- |forecast| / half width of the interval, at most 1: 0 is no opinion, 1 an
    -- interval that leaves out zero. Not a probability.
    predictions.model_sha256,
    predictions.trained_as_of
from predictions
qualify row_number() over (
    partition by predictions.ticker, predictions.date
    order by predictions."window" desc, predictions.horizon
) = 1
