-- description: Forecasts of every version of a ticker's model side by side, each after its
-- training.
-- grain: ticker, date, model_sha256
select
    trials.ticker,
    trials.date,
    trials."window",
    trials.model,
    trials.role,
    trials.horizon,
    trials.prediction,
    trials.lower,
    trials.upper,
    trials.model_sha256,
    trials.trained_as_of,
    trials.recorded_at
from forecasting.trials as trials
