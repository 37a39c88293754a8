-- asset: marts.mart_strategy_comparison
-- description: Sessions, total return and Sharpe ratio of the comparison, computed in Python, are
-- those of the daily returns, computed here in SQL. Sharpe ratios of returns that hardly vary are
-- left out.
-- severity: error
-- blocking: true
with comparison as (
    select
        comparison.strategy,
        comparison.start_date,
        comparison.end_date,
        comparison.sessions,
        comparison.total_return,
        comparison.sharpe
    from marts.mart_strategy_comparison as comparison
),

daily as (
    select
        daily.strategy,
        daily.date,
        daily.return
    from backtesting.daily as daily
),

figures as (
    select
        comparison.strategy,
        count(*) as sessions,
        product(1 + daily.return) - 1 as total_return,
        avg(daily.return) * sqrt(252) as scaled_mean,
        stddev_samp(daily.return) as deviation
    from comparison
    inner join daily
        on daily.strategy = comparison.strategy
        and daily.date between comparison.start_date and comparison.end_date
    group by comparison.strategy
)

select
    comparison.strategy,
    comparison.sessions,
    figures.sessions as daily_sessions,
    comparison.total_return,
    figures.total_return as daily_total_return,
    comparison.sharpe,
    figures.scaled_mean / nullif(figures.deviation, 0) as daily_sharpe
from comparison
left join figures
    on figures.strategy = comparison.strategy
where
    coalesce(comparison.sessions <> figures.sessions, true)
    or coalesce(abs(comparison.total_return - figures.total_return) > 1e-9, true)
    or (
        figures.deviation > 1e-9
        and coalesce(
            abs(comparison.sharpe - figures.scaled_mean / figures.deviation)
                > 1e-6 * greatest(1, abs(comparison.sharpe)),
            true
        )
    )
