-- description: What every policy holds at its newest close and wants from the next open on: one row
-- a ticker listed by then, and one called '(cash)' that makes the weights of a policy add up to 1.
-- Beside each target stand the forecast of the default model at the close that decided it, the
-- hashes of both models, and whether they have earned their place. A policy that does not pay its
-- way says so: read `verdict` first.
-- grain: policy, ticker
with weights as (
    select
        weights.policy,
        weights.date,
        weights.ticker,
        weights."window",
        weights.is_decision,
        weights.target_weight,
        weights.held_weight,
        weights.is_halted,
        weights.target_weight_seed_std,
        weights.seed_count,
        weights.model_sha256
    from staging.stg_weights as weights
),

daily as (
    select
        daily.strategy,
        daily.date,
        daily.cash_weight
    from staging.stg_daily as daily
),

bars as (
    select
        bars.ticker,
        bars.is_simulated
    from staging.stg_bars as bars
),

ticker_sessions as (
    select ticker_sessions.date
    from intermediate.int_ticker_sessions as ticker_sessions
),

forecasts as (
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
        forecasts.model_sha256
    from intermediate.int_default_forecasts as forecasts
),

standings as (
    select
        standings.kind,
        standings.subject,
        standings."window",
        standings.model_sha256,
        standings.is_champion,
        standings.is_unproven
    from intermediate.int_model_standings as standings
),

comparison as (
    select
        comparison.strategy,
        comparison.rank,
        comparison.verdict
    from marts.mart_strategy_comparison as comparison
),

newest as (
    select
        weights.policy,
        max(weights.date) as date,
        max(weights.date) filter (where weights.is_decision) as decided_on
    from weights
    group by weights.policy
),

sessions as (
    select distinct ticker_sessions.date
    from ticker_sessions
),

ages as (
    select
        newest.policy,
        count(sessions.date) as sessions_behind
    from newest
    left join sessions
        on sessions.date > newest.date
    group by newest.policy
),

origins as (
    select
        bars.ticker,
        bool_or(bars.is_simulated) as is_simulated
    from bars
    group by bars.ticker
),

positions as (
    select
        weights.*,
        newest.decided_on,
        case when weights.is_decision then weights.target_weight - weights.held_weight else 0 end
            as order_weight,
        coalesce(origins.is_simulated, false) as is_simulated
    from weights
    inner join newest
        on newest.policy = weights.policy
        and newest.date = weights.date
    left join origins
        on origins.ticker = weights.ticker
),

totals as (
    select
        positions.policy,
        positions.date,
        positions.decided_on,
        positions."window",
        positions.is_decision,
        max(positions.seed_count) as seed_count,
        max(positions.model_sha256) as model_sha256,
        sum(positions.target_weight) as target_weight,
        sum(positions.held_weight) as held_weight,
        sum(positions.order_weight) as order_weight,
        bool_or(positions.is_simulated) as is_simulated
    from positions
    group by
        positions.policy,
        positions.date,
        positions.decided_on,
        positions."window",
        positions.is_decision
),

portfolios as (
    select
        positions.policy,
        positions.ticker,
        positions.date,
        positions.decided_on,
        positions."window",
        positions.is_decision,
        positions.target_weight,
        positions.held_weight,
        positions.order_weight,
        positions.is_halted,
        positions.target_weight_seed_std,
        positions.seed_count,
        positions.model_sha256
    from positions

    union all

    select
        totals.policy,
        '(cash)' as ticker,
        totals.date,
        totals.decided_on,
        totals."window",
        totals.is_decision,
        1 - totals.target_weight as target_weight,
        coalesce(daily.cash_weight, 1 - totals.held_weight) as held_weight,
        -totals.order_weight as order_weight,
        false as is_halted,
        null::double as target_weight_seed_std,
        totals.seed_count,
        totals.model_sha256
    from totals
    left join daily
        on daily.strategy = totals.policy
        and daily.date = totals.date
)

select
    portfolios.policy, -- Name of the policy in the catalog.
    portfolios.ticker, -- Ticker symbol, or '(cash)' for what is not invested.
    portfolios.date, -- Session of the newest close of the policy; act at the next open.
    ages.sessions_behind, -- Sessions of any ticker since then; 0 is a portfolio of the newest
    -- session.
    portfolios.is_decision, -- Whether the policy decided anew at this close.
    portfolios.decided_on, -- Session at whose close the targets were decided.
    portfolios.target_weight, -- Share of equity wanted by the last decision, inside all limits,
    -- fraction.
    portfolios.held_weight, -- Share of equity held at this close, fraction.
    portfolios.order_weight, -- Share of equity to buy at the next open, to sell where negative; 0
    -- between decisions. A rest of an earlier order that still waits is not in it.
    portfolios.is_halted, -- No bar this session: the position cannot be changed.
    portfolios.target_weight_seed_std, -- Standard deviation of the target over independently
    -- trained seeds; null for a rule, for cash, and where only one seed was trained.
    portfolios.seed_count, -- Trainings behind the target; 0 for a rule.
    forecasts.model as forecast_model, -- Name of the forecasting model; null where it made no
    -- forecast at the deciding close.
    forecasts.horizon, -- Sessions ahead that are forecast.
    forecasts.prediction, -- Forecast return made at the deciding close, fraction.
    forecasts.lower, -- Lower end of the forecast's interval, fraction.
    forecasts.upper, -- Upper end of the forecast's interval, fraction.
    forecasts.confidence,
    forecasts.model_sha256 as forecast_model_sha256, -- SHA-256 of the forecasting model.
    forecast_standings.is_champion as is_forecast_champion, -- Whether the forecasting model has
    -- earned its place; null before it was judged.
    forecast_standings.is_unproven as is_forecast_unproven, -- Whether it serves although it has not
    -- beaten the historical mean; null before it was judged.
    portfolios.model_sha256 as policy_model_sha256, -- SHA-256 of the model that decided; null for a
    -- rule.
    policy_standings.is_champion as is_policy_champion, -- Whether the model that decided has earned
    -- its place; null for a rule and before it was judged.
    policy_standings.is_unproven as is_policy_unproven, -- Whether it decides although it has not
    -- beaten equal weight; null for a rule and before it was judged.
    portfolios."window", -- First day of the half-year window the policy decides in.
    comparison.rank, -- Place of the policy by Sharpe ratio after costs; null before it has one.
    comparison.verdict, -- How the policy did against the yardsticks, in words; null before it has
    -- any return in common with the others.
    totals.is_simulated -- Whether any price of the portfolio's tickers is simulated.
from portfolios
inner join totals
    on totals.policy = portfolios.policy
inner join ages
    on ages.policy = portfolios.policy
left join forecasts
    on forecasts.ticker = portfolios.ticker
    and forecasts.date = portfolios.decided_on
left join standings as forecast_standings
    on forecast_standings.kind = 'forecaster'
    and forecast_standings.subject = forecasts.ticker
    and forecast_standings."window" = forecasts."window"
    and forecast_standings.model_sha256 = forecasts.model_sha256
left join standings as policy_standings
    on policy_standings.kind = 'policy'
    and policy_standings.subject = portfolios.policy
    and policy_standings."window" = portfolios."window"
    and policy_standings.model_sha256 = portfolios.model_sha256
left join comparison
    on comparison.strategy = portfolios.policy
order by portfolios.policy, portfolios.ticker
