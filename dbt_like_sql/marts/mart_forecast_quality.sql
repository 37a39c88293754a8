-- description: How good the default model's forecasts of each ticker have been lately, from
-- outcomes known at the newest close only, beside what its validation promised, and whether they
-- have decayed. The whole history is in `monitoring.forecast_quality`.
-- grain: ticker
with quality as (
    select
        quality.ticker,
        quality.date,
        quality."window",
        quality.known_20,
        quality.information_coefficient_20,
        quality.rmse_20,
        quality.baseline_rmse_20,
        quality.direction_accuracy_20,
        quality.interval_coverage_20,
        quality.sharpe_20,
        quality.known_60,
        quality.information_coefficient_60,
        quality.rmse_60,
        quality.baseline_rmse_60,
        quality.direction_accuracy_60,
        quality.interval_coverage_60,
        quality.sharpe_60,
        quality.expected_information_coefficient,
        quality.expected_coverage,
        quality.information_coefficient_floor,
        quality.coverage_floor,
        quality.coverage_ceiling,
        quality.sharpe_floor,
        quality.is_correlation_decayed,
        quality.is_coverage_decayed,
        quality.is_sharpe_decayed,
        quality.model_sha256
    from staging.stg_forecast_quality as quality
),

ticker_sessions as (
    select
        ticker_sessions.ticker,
        ticker_sessions.date
    from intermediate.int_ticker_sessions as ticker_sessions
),

newest as (
    select
        quality.*,
        quality.is_correlation_decayed or quality.is_coverage_decayed or quality.is_sharpe_decayed
            as is_decayed
    from quality
    qualify row_number() over (
        partition by quality.ticker
        order by quality.date desc
    ) = 1
),

ages as (
    select
        newest.ticker,
        count(ticker_sessions.date) as sessions_behind
    from newest
    left join ticker_sessions
        on ticker_sessions.ticker = newest.ticker
        and ticker_sessions.date > newest.date
    group by newest.ticker
)

select
    newest.ticker,
    newest.date,
    ages.sessions_behind, -- Sessions since then; 0 is a figure of the newest session.
    newest."window",
    newest.is_decayed, -- Whether any of the three decayed.
    newest.is_correlation_decayed,
    newest.is_coverage_decayed,
    newest.is_sharpe_decayed,
    newest.known_20,
    newest.information_coefficient_20,
    newest.rmse_20,
    newest.baseline_rmse_20,
    1 - newest.rmse_20 / nullif(newest.baseline_rmse_20, 0) as rmse_skill_20, -- 1 - RMSE / RMSE of
    -- the historical mean, 20 sessions; below 0 is worse than the mean.
    newest.direction_accuracy_20,
    newest.interval_coverage_20,
    newest.sharpe_20,
    newest.known_60,
    newest.information_coefficient_60,
    newest.rmse_60,
    newest.baseline_rmse_60,
    1 - newest.rmse_60 / nullif(newest.baseline_rmse_60, 0) as rmse_skill_60, -- The same over 60
    -- sessions.
    newest.direction_accuracy_60,
    newest.interval_coverage_60,
    newest.sharpe_60,
    newest.expected_information_coefficient,
    newest.expected_coverage,
    newest.information_coefficient_floor,
    newest.coverage_floor,
    newest.coverage_ceiling,
    newest.sharpe_floor,
    newest.model_sha256,
    case
        when newest.is_decayed
            then concat_ws(
                '; ',
                case
                    when newest.is_correlation_decayed
                        then printf(
                            'information coefficient %.2f, floor %.2f',
                            newest.information_coefficient_60,
                            newest.information_coefficient_floor
                        )
                end,
                case
                    when newest.is_coverage_decayed
                        then printf(
                            'interval holds %.0f %%, bounds %.0f %% to %.0f %%',
                            100 * newest.interval_coverage_60,
                            100 * newest.coverage_floor,
                            100 * newest.coverage_ceiling
                        )
                end,
                case
                    when newest.is_sharpe_decayed
                        then printf(
                            'Sharpe ratio %.2f, floor %.2f',
                            newest.sharpe_60,
                            newest.sharpe_floor
                        )
                end
            )
        when newest.known_60 = 0 then 'no outcome is known yet'
        else 'as promised'
    end as finding -- What decayed over 60 sessions, in words.
from newest
inner join ages
    on ages.ticker = newest.ticker
order by newest.ticker
