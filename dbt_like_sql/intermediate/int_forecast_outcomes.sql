-- description: Every forecast beside what happened, and beside what the historical mean forecast
-- for the same ticker, session and horizon. The outcome is null until it is known.
-- grain: ticker, date, window, model, horizon
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
        predictions.trained_as_of
    from staging.stg_predictions as predictions
),

labels as (
    select
        labels.ticker,
        labels.date,
        labels.forward_return_1d,
        labels.forward_return_5d,
        labels.forward_return_20d,
        labels.forward_return_60d
    from staging.stg_labels as labels
),

bars as (
    select
        bars.ticker,
        bars.date,
        bars.is_simulated,
        row_number() over (partition by bars.ticker order by bars.date) as session_number
    from staging.stg_bars as bars
),

baselines as (
    select
        predictions.ticker,
        predictions.date,
        predictions."window",
        predictions.horizon,
        predictions.prediction
    from predictions
    where predictions.model = 'historical_mean'
),

outcomes as (
    select
        predictions.*,
        case predictions.horizon
            when 1 then labels.forward_return_1d
            when 5 then labels.forward_return_5d
            when 20 then labels.forward_return_20d
            when 60 then labels.forward_return_60d
        end as outcome
    from predictions
    left join labels
        on labels.ticker = predictions.ticker
        and labels.date = predictions.date
)

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
    baselines.prediction as historical_mean_prediction, -- Forecast of the historical mean,
    -- fraction; null where it was not run.
    case when outcomes.outcome is not null then later.date end as outcome_date, -- Session whose
    -- close made the outcome known; null until then.
    outcomes.outcome, -- Return that happened over the horizon, fraction; null until known.
    outcomes.outcome is not null as is_outcome_known, -- Whether the horizon is over.
    outcomes.prediction - outcomes.outcome as error, -- Forecast minus outcome, fraction; null until
    -- known.
    baselines.prediction - outcomes.outcome as historical_mean_error, -- Historical mean minus
    -- outcome, fraction.
    sign(outcomes.prediction) = sign(outcomes.outcome) as is_direction_right, -- Whether forecast
    -- and outcome have the same sign; null until known.
    sign(baselines.prediction) = sign(outcomes.outcome)
        as is_historical_mean_direction_right, -- The same for the historical mean.
    outcomes.outcome between outcomes.lower and outcomes.upper as is_inside_interval, -- Whether the
    -- stated interval held the outcome; null until known.
    bars.is_simulated
from outcomes
left join baselines
    on baselines.ticker = outcomes.ticker
    and baselines.date = outcomes.date
    and baselines."window" = outcomes."window"
    and baselines.horizon = outcomes.horizon
left join bars
    on bars.ticker = outcomes.ticker
    and bars.date = outcomes.date
left join bars as later
    on later.ticker = bars.ticker
    and later.session_number = bars.session_number + outcomes.horizon
