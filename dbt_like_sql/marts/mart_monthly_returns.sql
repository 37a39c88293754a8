-- description: What every strategy earned after costs in each calendar month, with buy and hold of
-- the proxy on the same sessions beside it. The first and the newest month of a strategy may be
-- parts of a month: see `sessions`.
-- grain: strategy, year, month
with daily as (
    select
        daily.strategy,
        daily.date,
        daily.return,
        daily.is_simulated
    from staging.stg_daily as daily
),

proxy as (
    select
        daily.date,
        daily.return
    from daily
    where daily.strategy = 'buy_and_hold'
),

months as (
    select
        daily.strategy,
        year(daily.date) as year,
        month(daily.date) as month,
        min(daily.date) as start_date,
        max(daily.date) as end_date,
        count(*) as sessions,
        product(1 + daily.return) - 1 as total_return,
        product(1 + proxy.return) - 1 as proxy_return,
        count(proxy.return) as proxy_sessions,
        bool_or(daily.is_simulated) as is_simulated
    from daily
    left join proxy
        on proxy.date = daily.date
    group by daily.strategy, year(daily.date), month(daily.date)
),

compared as (
    select
        months.*,
        case when months.proxy_sessions = months.sessions then months.proxy_return end
            as buy_and_hold_return
    from months
)

select
    compared.strategy,
    compared.year, -- Calendar year.
    compared.month, -- Calendar month, 1 to 12.
    compared.start_date, -- First session of the strategy in the month.
    compared.end_date, -- Last session of the strategy in the month.
    compared.sessions, -- Sessions of the strategy in the month.
    compared.total_return, -- Compounded return after costs, fraction.
    compared.buy_and_hold_return, -- Compounded return of the strategy buy_and_hold on the same
    -- sessions, fraction; null where it did not run on all of them.
    compared.total_return - compared.buy_and_hold_return as return_over_buy_and_hold, -- Return
    -- above that of buy_and_hold, fraction; null where that is.
    compared.is_simulated -- Whether any price behind the row is simulated.
from compared
order by compared.strategy, compared.year, compared.month
