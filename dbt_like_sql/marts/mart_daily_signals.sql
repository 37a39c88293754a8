-- description: The newest forecast of each ticker by the default model (xgboost), in the words
-- people act on, with the model's own track record beside it. One row a ticker. A signal is a
-- forecast, not advice: read `verdict` first.
-- grain: ticker
with forecasts as (
    select
        forecasts.ticker,
        forecasts.date,
        forecasts."window",
        forecasts.model,
        forecasts.horizon,
        forecasts.prediction,
        forecasts.lower,
        forecasts.upper,
        forecasts.confidence,
        forecasts.model_sha256,
        forecasts.trained_as_of
    from intermediate.int_default_forecasts as forecasts
),

importance as (
    select
        importance.ticker,
        importance."window",
        importance.model,
        importance.feature,
        importance.rank
    from staging.stg_feature_importance as importance
    where importance.rank <= 5
),

labels as (
    select
        labels.forward_return_5d,
        labels.direction_5d
    from staging.stg_labels as labels
),

bars as (
    select
        bars.ticker,
        bars.date,
        bars.close,
        bars.is_simulated
    from staging.stg_bars as bars
),

ticker_sessions as (
    select
        ticker_sessions.ticker,
        ticker_sessions.date
    from intermediate.int_ticker_sessions as ticker_sessions
),

leaderboard as (
    select
        leaderboard.model,
        leaderboard.horizon,
        leaderboard.ticker,
        leaderboard.scored_rows,
        leaderboard.rmse,
        leaderboard.historical_mean_rmse,
        leaderboard.rmse_skill,
        leaderboard.direction_accuracy,
        leaderboard.historical_mean_direction_accuracy,
        leaderboard.information_coefficient,
        leaderboard.interval_coverage,
        leaderboard.beats_historical_mean,
        leaderboard.is_gain_beyond_chance,
        leaderboard.verdict
    from marts.mart_model_leaderboard as leaderboard
),

standings as (
    select
        standings.subject,
        standings."window",
        standings.model_sha256,
        standings.model_version,
        standings.is_champion,
        standings.is_unproven
    from intermediate.int_model_standings as standings
    where standings.kind = 'forecaster'
),

latest as (
    select forecasts.*
    from forecasts
    qualify row_number() over (
        partition by forecasts.ticker
        order by forecasts.date desc
    ) = 1
),

drivers as (
    select
        importance.ticker,
        importance."window",
        importance.model,
        string_agg(importance.feature, ', ' order by importance.rank, importance.feature)
            as feature_drivers
    from importance
    group by importance.ticker, importance."window", importance.model
),

class_bounds as (
    select
        min(labels.forward_return_5d) filter (where labels.direction_5d = 'bullish')
            as bullish_from_return,
        max(labels.forward_return_5d) filter (where labels.direction_5d = 'bearish')
            as bearish_to_return
    from labels
),

ages as (
    select
        latest.ticker,
        count(ticker_sessions.date) as sessions_behind
    from latest
    left join ticker_sessions
        on ticker_sessions.ticker = latest.ticker
        and ticker_sessions.date > latest.date
    group by latest.ticker
)

select
    latest.ticker,
    latest.date, -- Session at whose close the forecast was made; act at the next open.
    ages.sessions_behind, -- Sessions since then; 0 is a signal of the newest session.
    case
        when latest.prediction >= class_bounds.bullish_from_return then 'bullish'
        when latest.prediction <= class_bounds.bearish_to_return then 'bearish'
        else 'neutral'
    end as direction, -- bearish, neutral or bullish: the class that the stored labels give to a
    -- return of this size.
    latest.prediction,
    latest.lower,
    latest.upper,
    latest.confidence,
    latest.horizon,
    drivers.feature_drivers, -- The up to five features that move the model most, largest mean
    -- absolute SHAP first; null where the model has none.
    bars.close, -- Closing price as traded at the signal's session, USD.
    latest.model,
    latest."window",
    latest.trained_as_of,
    latest.model_sha256,
    standings.model_version, -- Count of the ticker's models, from 1; null before it was judged.
    coalesce(standings.is_champion, false) as is_champion, -- Whether the model that forecast has
    -- earned its place.
    coalesce(standings.is_unproven, false) as is_unproven, -- Whether it serves although it has not
    -- beaten the historical mean.
    leaderboard.scored_rows, -- Sample size of the track record: past forecasts of this model for
    -- this ticker with a known outcome.
    leaderboard.rmse,
    leaderboard.historical_mean_rmse,
    leaderboard.rmse_skill,
    leaderboard.direction_accuracy,
    leaderboard.historical_mean_direction_accuracy,
    leaderboard.information_coefficient,
    leaderboard.interval_coverage,
    leaderboard.beats_historical_mean,
    leaderboard.is_gain_beyond_chance,
    leaderboard.verdict,
    bars.is_simulated
from latest
cross join class_bounds
inner join ages
    on ages.ticker = latest.ticker
left join drivers
    on drivers.ticker = latest.ticker
    and drivers."window" = latest."window"
    and drivers.model = latest.model
left join bars
    on bars.ticker = latest.ticker
    and bars.date = latest.date
left join standings
    on standings.subject = latest.ticker
    and standings."window" = latest."window"
    and standings.model_sha256 = latest.model_sha256
left join leaderboard
    on leaderboard.model = latest.model
    and leaderboard.horizon = latest.horizon
    and leaderboard.ticker = latest.ticker
order by latest.ticker
