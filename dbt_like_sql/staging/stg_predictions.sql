-- description: Out-of-sample forecasts as they were made, with their conformal interval.
-- grain: ticker, date, window, model, horizon
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
from forecasting.predictions as predictions
