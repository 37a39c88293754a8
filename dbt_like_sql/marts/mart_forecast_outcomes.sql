-- description: Every out-of-sample forecast beside what happened. Outcome, error and verdicts are
-- null until the horizon is over.
-- grain: ticker, date, window, model, horizon
select
    outcomes.ticker,
    outcomes.date,
    outcomes."window",
    outcomes.model,
    outcomes.horizon,
    outcomes.prediction,
    outcomes.lower,
    outcomes.upper,
    outcomes.trained_as_of,
    outcomes.historical_mean_prediction,
    outcomes.outcome_date,
    outcomes.outcome,
    outcomes.is_outcome_known,
    outcomes.error,
    outcomes.is_direction_right,
    outcomes.is_inside_interval,
    outcomes.is_simulated
from intermediate.int_forecast_outcomes as outcomes
order by outcomes.ticker, outcomes.date, outcomes."window", outcomes.model, outcomes.horizon
