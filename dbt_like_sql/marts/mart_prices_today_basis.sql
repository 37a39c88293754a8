-- description: Prices as people chart them: back-adjusted so that the newest close is the price
-- that was traded. Every later dividend or split rescales the whole history, so nothing may learn
-- from this table; models use the forward factors of `market_data.bars`.
-- grain: ticker, date
with bars as (
    select
        bars.ticker,
        bars.date,
        bars.open,
        bars.high,
        bars.low,
        bars.close,
        bars.volume,
        bars.dividend,
        bars.split_ratio,
        bars.split_factor,
        bars.total_return_factor,
        bars.is_as_traded,
        bars.is_filled,
        bars.is_anomalous,
        bars.is_simulated
    from staging.stg_bars as bars
),

latest as (
    select
        bars.ticker,
        arg_max(bars.split_factor, bars.date) as split_factor,
        arg_max(bars.total_return_factor, bars.date) as total_return_factor
    from bars
    group by bars.ticker
),

factors as (
    select
        bars.ticker,
        bars.date,
        bars.split_factor / latest.split_factor as split_adjustment,
        bars.total_return_factor / latest.total_return_factor as total_return_adjustment,
        bars.close * bars.total_return_factor as adjusted_close
    from bars
    inner join latest
        on latest.ticker = bars.ticker
)

select
    bars.ticker,
    bars.date,
    bars.open * factors.total_return_adjustment as open, -- Opening price adjusted for dividends and
    -- splits, USD of today.
    bars.high * factors.total_return_adjustment as high, -- Highest price adjusted for dividends and
    -- splits, USD of today.
    bars.low * factors.total_return_adjustment as low, -- Lowest price adjusted for dividends and
    -- splits, USD of today.
    bars.close * factors.total_return_adjustment as close, -- Closing price adjusted for dividends
    -- and splits, USD of today.
    bars.close * factors.split_adjustment as split_adjusted_close, -- Closing price adjusted for
    -- splits only, USD a share of today.
    bars.close as close_as_traded, -- Closing price as traded on the day, USD.
    bars.volume / factors.split_adjustment as split_adjusted_volume, -- Shares traded, in shares of
    -- today.
    bars.dividend * factors.split_adjustment as split_adjusted_dividend, -- Cash dividend with this
    -- ex-date, USD a share of today.
    bars.split_ratio,
    factors.adjusted_close / lag(factors.adjusted_close) over (
        partition by bars.ticker
        order by bars.date
    ) - 1 as total_return_1d, -- Return since the session before, dividends included, fraction; null
    -- on the first session.
    bars.is_as_traded,
    bars.is_filled,
    bars.is_anomalous,
    bars.is_simulated
from bars
inner join factors
    on factors.ticker = bars.ticker
    and factors.date = bars.date
order by bars.ticker, bars.date
