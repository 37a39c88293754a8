-- asset: marts.mart_monthly_returns
-- description: The months of a strategy compound to the total return of its whole period, computed
-- in Python, and hold as many sessions.
-- severity: error
-- blocking: true
with months as (
    select
        months.strategy,
        months.sessions,
        months.total_return
    from marts.mart_monthly_returns as months
),

performance as (
    select
        performance.strategy,
        performance.sessions,
        performance.total_return
    from backtesting.performance as performance
    where performance.period_kind = 'whole'
),

compounded as (
    select
        months.strategy,
        sum(months.sessions) as sessions,
        product(1 + months.total_return) - 1 as total_return
    from months
    group by months.strategy
)

select
    coalesce(compounded.strategy, performance.strategy) as strategy,
    compounded.sessions,
    performance.sessions as expected_sessions,
    compounded.total_return,
    performance.total_return as expected_total_return
from compounded
full outer join performance
    on performance.strategy = compounded.strategy
where
    coalesce(compounded.sessions <> performance.sessions, true)
    or coalesce(
        abs(compounded.total_return - performance.total_return)
            > 1e-9 * (1 + abs(performance.total_return)),
        true
    )
