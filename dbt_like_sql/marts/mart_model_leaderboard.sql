-- description: How good every model's out-of-sample forecasts were, for each ticker and for all of
-- them together (ticker '(all)'), measured against the historical mean on the same forecasts.
-- Sample sizes stand beside the figures; a model that does not beat the historical mean says so.
-- grain: model, horizon, ticker
with outcomes as (
    select
        outcomes.ticker,
        outcomes.date,
        outcomes."window",
        outcomes.model,
        outcomes.horizon,
        outcomes.prediction,
        outcomes.outcome,
        outcomes.error,
        outcomes.historical_mean_error,
        outcomes.is_direction_right,
        outcomes.is_historical_mean_direction_right,
        outcomes.is_inside_interval,
        outcomes.is_simulated
    from intermediate.int_forecast_outcomes as outcomes
    where outcomes.is_outcome_known
),

folds as (
    select
        folds.ticker,
        folds."window",
        folds.model,
        folds.horizon_sessions as horizon,
        folds.status,
        folds.scored_rows,
        folds.information_coefficient,
        folds.hit_rate,
        folds.sharpe
    from staging.stg_folds as folds
),

scoped_outcomes as (
    select
        outcomes.ticker as scope,
        outcomes.*
    from outcomes

    union all

    select
        '(all)' as scope,
        outcomes.*
    from outcomes
),

scoped_folds as (
    select
        folds.ticker as scope,
        folds.*
    from folds

    union all

    select
        '(all)' as scope,
        folds.*
    from folds
),

ranked as (
    select
        scoped_outcomes.*,
        rank() over (
            partition by model, horizon, scope
            order by prediction
        ) + (
            count(*) over (partition by model, horizon, scope, prediction) - 1
        ) / 2 as prediction_rank,
        rank() over (
            partition by model, horizon, scope
            order by outcome
        ) + (
            count(*) over (partition by model, horizon, scope, outcome) - 1
        ) / 2 as outcome_rank
    from scoped_outcomes
),

scores as (
    select
        ranked.model,
        ranked.horizon,
        ranked.scope,
        count(*) as scored_rows,
        count(ranked.historical_mean_error) as compared_rows,
        min(ranked.date) as first_date,
        max(ranked.date) as last_date,
        sqrt(avg(ranked.error ** 2)) as rmse,
        sqrt(
            avg(ranked.error ** 2) filter (where ranked.historical_mean_error is not null)
        ) as compared_rmse,
        sqrt(avg(ranked.historical_mean_error ** 2)) as historical_mean_rmse,
        avg(ranked.is_direction_right::integer) as direction_accuracy,
        avg(ranked.is_historical_mean_direction_right::integer)
            as historical_mean_direction_accuracy,
        nullif(corr(ranked.prediction_rank, ranked.outcome_rank), 'nan'::double)
            as information_coefficient,
        avg(ranked.is_inside_interval::integer) as interval_coverage,
        bool_or(ranked.is_simulated) as is_simulated
    from ranked
    group by ranked.model, ranked.horizon, ranked.scope
),

window_gains as (
    select
        scoped_outcomes.model,
        scoped_outcomes.horizon,
        scoped_outcomes.scope,
        scoped_outcomes."window",
        avg(scoped_outcomes.historical_mean_error ** 2 - scoped_outcomes.error ** 2) as gain
    from scoped_outcomes
    where scoped_outcomes.historical_mean_error is not null
    group by
        scoped_outcomes.model,
        scoped_outcomes.horizon,
        scoped_outcomes.scope,
        scoped_outcomes."window"
),

gains as (
    select
        window_gains.model,
        window_gains.horizon,
        window_gains.scope,
        count(*) as compared_windows,
        count(*) filter (where window_gains.gain > 0) as better_windows,
        avg(window_gains.gain) / nullif(stddev_samp(window_gains.gain) / sqrt(count(*)), 0)
            as gain_t_statistic
    from window_gains
    group by window_gains.model, window_gains.horizon, window_gains.scope
),

fold_scores as (
    select
        scoped_folds.model,
        scoped_folds.horizon,
        scoped_folds.scope,
        count(*) filter (where scoped_folds.status = 'trained') as trained_folds,
        count(*) filter (where scoped_folds.status = 'skipped') as skipped_folds,
        avg(scoped_folds.information_coefficient) as information_coefficient_fold_mean,
        count(scoped_folds.information_coefficient) as information_coefficient_folds,
        sum(scoped_folds.hit_rate * scoped_folds.scored_rows)
            / nullif(
                sum(scoped_folds.scored_rows) filter (where scoped_folds.hit_rate is not null), 0
            ) as hit_rate,
        avg(scoped_folds.sharpe) as sharpe_fold_mean,
        count(scoped_folds.sharpe) as sharpe_folds
    from scoped_folds
    group by scoped_folds.model, scoped_folds.horizon, scoped_folds.scope
),

compared as (
    select
        fold_scores.*,
        coalesce(scores.scored_rows, 0) as scored_rows,
        coalesce(scores.compared_rows, 0) as compared_rows,
        scores.first_date,
        scores.last_date,
        scores.rmse,
        scores.historical_mean_rmse,
        1 - scores.compared_rmse / nullif(scores.historical_mean_rmse, 0) as rmse_skill,
        scores.direction_accuracy,
        scores.historical_mean_direction_accuracy,
        scores.information_coefficient,
        scores.interval_coverage,
        scores.is_simulated,
        coalesce(gains.compared_windows, 0) as compared_windows,
        coalesce(gains.better_windows, 0) as better_windows,
        gains.gain_t_statistic
    from fold_scores
    left join scores
        on scores.model = fold_scores.model
        and scores.horizon = fold_scores.horizon
        and scores.scope = fold_scores.scope
    left join gains
        on gains.model = fold_scores.model
        and gains.horizon = fold_scores.horizon
        and gains.scope = fold_scores.scope
),

judged as (
    select
        compared.*,
        compared.model <> 'historical_mean' and coalesce(compared.rmse_skill > 0, false)
            as beats_historical_mean,
        compared.model <> 'historical_mean'
        and compared.compared_windows >= 10
        and coalesce(compared.rmse_skill > 0 and compared.gain_t_statistic > 2.3, false)
            as is_gain_beyond_chance
    from compared
)

select
    judged.model,
    judged.horizon, -- Sessions ahead.
    judged.scope as ticker, -- Ticker symbol, or '(all)' for all tickers together.
    judged.trained_folds, -- Folds with a model.
    judged.skipped_folds, -- Folds with too little history, without a model.
    judged.scored_rows, -- Forecasts whose outcome is known; sample size of RMSE, direction
    -- accuracy, information coefficient and coverage.
    judged.first_date, -- Session of the first scored forecast.
    judged.last_date, -- Session of the last scored forecast.
    judged.rmse, -- Root mean squared error of the forecast return, fraction.
    judged.compared_rows, -- Scored forecasts for which the historical mean made one too.
    judged.historical_mean_rmse, -- RMSE of the historical mean on the compared forecasts, fraction.
    judged.rmse_skill, -- 1 - RMSE / RMSE of the historical mean, on the compared forecasts; above 0
    -- is better than the mean.
    judged.compared_windows, -- Half-year windows with compared forecasts.
    judged.better_windows, -- Of these, windows with a smaller mean squared error than the
    -- historical mean.
    judged.gain_t_statistic, -- t statistic, over windows, of the mean squared error saved against
    -- the historical mean.
    judged.direction_accuracy, -- Share of scored forecasts with the outcome's sign.
    judged.historical_mean_direction_accuracy, -- The same share for the historical mean.
    judged.information_coefficient, -- Spearman rank correlation of forecast and outcome over the
    -- whole period; ties share their mean rank.
    judged.information_coefficient_fold_mean, -- Mean of the folds' information coefficients.
    judged.information_coefficient_folds, -- Folds in that mean.
    judged.hit_rate, -- Share of sessions on which the sign strategy gained after costs; folds
    -- weighted by scored rows.
    judged.sharpe_fold_mean, -- Mean of the folds' annualised Sharpe ratios of the sign strategy
    -- after costs.
    judged.sharpe_folds, -- Folds in that mean.
    judged.interval_coverage, -- Share of outcomes inside the stated interval.
    judged.beats_historical_mean, -- Whether the RMSE is below the historical mean's on the compared
    -- forecasts.
    judged.is_gain_beyond_chance, -- Whether it is, over at least 10 windows, with a t statistic
    -- above 2.3 (one-sided 2.5 percent or less).
    case
        when judged.scored_rows = 0 then 'No forecast with a known outcome.'
        when judged.model = 'historical_mean' then 'The yardstick of the other models.'
        when judged.compared_rows = 0 then 'Not compared: the historical mean was not run.'
        when not judged.beats_historical_mean then 'Does not beat the historical mean'
        when not judged.is_gain_beyond_chance then 'Beats the historical mean, within chance'
        else 'Beats the historical mean'
    end || case
        when judged.compared_rows = 0 or judged.model = 'historical_mean' then ''
        else printf(
            ': RMSE %.5f against %.5f on %d forecasts, better in %d of %d windows.',
            judged.rmse,
            judged.historical_mean_rmse,
            judged.compared_rows,
            judged.better_windows,
            judged.compared_windows
        )
    end as verdict, -- The comparison in words.
    judged.is_simulated -- Whether any outcome comes from the simulated market; null without
    -- outcomes.
from judged
order by judged.model, judged.horizon, judged.scope
