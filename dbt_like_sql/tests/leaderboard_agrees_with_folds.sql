-- asset: marts.mart_model_leaderboard
-- description: The RMSE over all outcomes of a model and ticker, computed in SQL, is that of its
-- folds, computed when they were trained; compared where both know the same outcomes and every
-- window was served by its own model throughout.
-- severity: warn
-- blocking: false
with folds as (
    select
        folds.ticker,
        folds."window",
        folds.model,
        folds.horizon_sessions,
        folds.scored_rows,
        folds.rmse,
        folds.model_sha256
    from staging.stg_folds as folds
    where folds.scored_rows > 0
),

leaderboard as (
    select
        leaderboard.ticker,
        leaderboard.model,
        leaderboard.horizon,
        leaderboard.scored_rows,
        leaderboard.rmse
    from marts.mart_model_leaderboard as leaderboard
),

predictions as (
    select
        predictions.ticker,
        predictions."window",
        predictions.model,
        predictions.model_sha256
    from staging.stg_predictions as predictions
),

served_by_others as (
    select distinct
        folds.ticker,
        folds.model
    from folds
    inner join predictions
        on predictions.ticker = folds.ticker
        and predictions."window" = folds."window"
        and predictions.model = folds.model
        and predictions.model_sha256 <> folds.model_sha256
),

pooled as (
    select
        folds.ticker,
        folds.model,
        folds.horizon_sessions,
        sum(folds.scored_rows) as scored_rows,
        sqrt(sum(folds.rmse ** 2 * folds.scored_rows) / sum(folds.scored_rows)) as rmse
    from folds
    group by folds.ticker, folds.model, folds.horizon_sessions
)

select
    leaderboard.ticker,
    leaderboard.model,
    leaderboard.rmse,
    pooled.rmse as fold_rmse
from leaderboard
inner join pooled
    on pooled.ticker = leaderboard.ticker
    and pooled.model = leaderboard.model
    and pooled.horizon_sessions = leaderboard.horizon
    and pooled.scored_rows = leaderboard.scored_rows
left join served_by_others
    on served_by_others.ticker = leaderboard.ticker
    and served_by_others.model = leaderboard.model
where
    served_by_others.ticker is null
    and abs(leaderboard.rmse - pooled.rmse) > 1e-6 * pooled.rmse
