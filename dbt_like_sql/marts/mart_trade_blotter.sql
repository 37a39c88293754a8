-- description: Every fill of every strategy's backtest as a trader would read it: what was bought
-- or sold at which price, what it cost, when it was decided, and what the default model then
-- forecast. Simulated fills, never orders that were sent to anyone.
-- grain: strategy, date, ticker
with trades as (
    select
        trades.strategy,
        trades.date,
        trades.ticker,
        trades."window",
        trades.decided_on,
        trades.weight_before,
        trades.weight_after,
        trades.price,
        trades.shares,
        trades.traded_value,
        trades.commission,
        trades.slippage,
        trades.impact,
        trades.costs,
        trades.participation,
        trades.unfilled_value
    from staging.stg_trades as trades
),

weights as (
    select
        weights.policy,
        weights.date,
        weights.ticker,
        weights.target_weight,
        weights.seed_count,
        weights.model_sha256
    from staging.stg_weights as weights
    where weights.is_decision
),

bars as (
    select
        bars.ticker,
        bars.date,
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
        forecasts.model,
        forecasts.horizon,
        forecasts.prediction,
        forecasts.lower,
        forecasts.upper,
        forecasts.confidence,
        forecasts.model_sha256
    from intermediate.int_default_forecasts as forecasts
),

session_dates as (
    select distinct ticker_sessions.date
    from ticker_sessions
),

sessions as (
    select
        session_dates.date,
        row_number() over (order by session_dates.date) as session_number
    from session_dates
),

fills as (
    select
        trades.*,
        case when trades.shares < 0 then 'sell' else 'buy' end as side,
        filled.session_number - decided.session_number - 1 as sessions_waited
    from trades
    left join sessions as filled
        on filled.date = trades.date
    left join sessions as decided
        on decided.date = trades.decided_on
)

select
    fills.strategy,
    fills.date,
    fills.ticker,
    fills.side, -- buy or sell.
    fills.shares,
    fills.price,
    fills.traded_value,
    fills.commission,
    fills.slippage,
    fills.impact,
    fills.costs,
    1e4 * fills.costs / nullif(abs(fills.traded_value), 0) as cost_bps, -- Costs / traded value,
    -- basis points.
    fills.decided_on,
    fills.sessions_waited, -- Sessions that the order waited besides the night; 0 is a fill at the
    -- first open after the decision.
    fills.weight_before,
    fills.weight_after,
    weights.target_weight, -- Share of equity wanted by the decision behind the fill, fraction.
    fills.participation,
    fills.unfilled_value,
    forecasts.model as forecast_model, -- Name of the forecasting model; null where it made no
    -- forecast at the deciding close.
    forecasts.horizon, -- Sessions ahead that are forecast.
    forecasts.prediction, -- Forecast return made at the deciding close, fraction.
    forecasts.lower, -- Lower end of the forecast's interval, fraction.
    forecasts.upper, -- Upper end of the forecast's interval, fraction.
    forecasts.confidence,
    forecasts.model_sha256 as forecast_model_sha256, -- SHA-256 of the forecasting model.
    weights.model_sha256 as policy_model_sha256, -- SHA-256 of the model that decided; null for a
    -- rule.
    weights.seed_count,
    fills."window",
    case when fills.side = 'sell' then 'Sold ' else 'Bought ' end || format(
        '{:,.2f} {} at {:,.2f} USD for {:,.0f} USD, costs {:,.2f} USD; decided at the close of {}',
        abs(fills.shares),
        fills.ticker,
        fills.price,
        abs(fills.traded_value),
        fills.costs,
        fills.decided_on::varchar
    ) || coalesce(
        printf(
            ' on a forecast of %+.1f %% in %d sessions.',
            100 * forecasts.prediction,
            forecasts.horizon
        ),
        ' without a forecast.'
    ) as words, -- The fill in one sentence.
    bars.is_simulated
from fills
left join weights
    on weights.policy = fills.strategy
    and weights.date = fills.decided_on
    and weights.ticker = fills.ticker
left join forecasts
    on forecasts.ticker = fills.ticker
    and forecasts.date = fills.decided_on
left join bars
    on bars.ticker = fills.ticker
    and bars.date = fills.date
order by fills.strategy, fills.date, fills.ticker
