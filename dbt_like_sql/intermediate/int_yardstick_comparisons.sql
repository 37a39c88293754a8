-- description: Every strategy against each yardstick (equal weight, buy and hold of the proxy),
-- after costs, on the sessions that all strategies share. The standard error of the difference of
-- the two annualised Sharpe ratios comes from the returns of the same sessions by the delta method
-- (Jobson and Korkie 1981, Memmel 2003; for returns that are not normal Ledoit and Wolf 2008, here
-- without dependence on the past): with z the standardised return and s the Sharpe ratio of one
-- session, a session moves a ratio by z - s / 2 (z^2 - 1); the error is the root mean square of the
-- difference of the two moves / sqrt(sessions - 1), times sqrt(252).
-- grain: strategy, yardstick
with daily as (
    select
        daily.strategy,
        daily.date,
        daily.return
    from staging.stg_daily as daily
),

performance as (
    select
        performance.strategy,
        performance.start_date,
        performance.end_date,
        performance.sharpe,
        performance.total_return
    from staging.stg_performance as performance
    where performance.period_kind = 'common'
),

yardsticks as (
    select
        yardsticks.yardstick,
        yardsticks.words
    from (
        values ('equal_weight', 'equal weight'), ('buy_and_hold', 'buy and hold')
    ) as yardsticks(yardstick, words)
),

common_returns as (
    select
        daily.strategy,
        daily.date,
        daily.return,
        performance.sharpe / sqrt(252) as session_sharpe
    from daily
    inner join performance
        on performance.strategy = daily.strategy
        and daily.date between performance.start_date and performance.end_date
),

moments as (
    select
        common_returns.strategy,
        avg(common_returns.return) as mean,
        stddev_pop(common_returns.return) as deviation
    from common_returns
    group by common_returns.strategy
),

standardised as (
    select
        common_returns.strategy,
        common_returns.date,
        common_returns.session_sharpe,
        (common_returns.return - moments.mean) / nullif(moments.deviation, 0) as score
    from common_returns
    inner join moments
        on moments.strategy = common_returns.strategy
),

moves as (
    select
        standardised.strategy,
        standardised.date,
        standardised.score
            - standardised.session_sharpe / 2 * (standardised.score ** 2 - 1) as move
    from standardised
),

errors as (
    select
        own.strategy,
        yardsticks.yardstick,
        count(*) as compared_sessions,
        sqrt(avg((own.move - other.move) ** 2) * 252 / nullif(count(*) - 1, 0)) as standard_error
    from moves as own
    inner join moves as other
        on other.date = own.date
        and other.strategy <> own.strategy
    inner join yardsticks
        on yardsticks.yardstick = other.strategy
    group by own.strategy, yardsticks.yardstick
),

compared as (
    select
        own.strategy,
        yardsticks.yardstick,
        yardsticks.words,
        own.sharpe,
        other.sharpe as yardstick_sharpe,
        own.sharpe - other.sharpe as sharpe_difference,
        own.total_return - other.total_return as total_return_difference,
        errors.standard_error,
        coalesce(errors.compared_sessions, 0) as compared_sessions,
        own.strategy = yardsticks.yardstick as is_itself,
        other.strategy is null as is_missing
    from performance as own
    cross join yardsticks
    left join performance as other
        on other.strategy = yardsticks.yardstick
    left join errors
        on errors.strategy = own.strategy
        and errors.yardstick = yardsticks.yardstick
),

judged as (
    select
        compared.*,
        not compared.is_itself and coalesce(compared.sharpe_difference > 0, false)
            as beats_yardstick,
        not compared.is_itself
        and compared.compared_sessions >= 252
        and coalesce(
            abs(compared.sharpe_difference) > 2 * compared.standard_error, false
        ) as is_difference_beyond_chance
    from compared
)

select
    judged.strategy,
    judged.yardstick, -- Name of the strategy that it is compared with.
    judged.compared_sessions, -- Sessions with a return of both.
    judged.yardstick_sharpe, -- Annualised Sharpe ratio of the yardstick; null where it was not run
    -- or its returns do not vary.
    case when not judged.is_itself then judged.sharpe_difference end as sharpe_difference, -- Sharpe
    -- ratio above the yardstick's; null for the yardstick itself.
    judged.standard_error as sharpe_difference_standard_error, -- Standard error of that difference;
    -- null where there is none.
    case
        when not judged.is_itself then judged.total_return_difference
    end as total_return_difference, -- Compounded return above the yardstick's, fraction; null for
    -- the yardstick itself.
    judged.beats_yardstick, -- Whether the Sharpe ratio after costs is higher, by however little;
    -- false for the yardstick itself and where nothing can be compared.
    judged.is_difference_beyond_chance, -- Whether the Sharpe ratios, on at least 252 sessions, lie
    -- further apart than two standard errors of their difference.
    case
        when judged.is_itself then 'Is itself the yardstick ' || judged.words || '.'
        when judged.is_missing
            then 'Not compared with ' || judged.words || ', which was not run.'
        when judged.sharpe_difference is null
            then 'Not compared with ' || judged.words
                || ': returns that do not vary have no Sharpe ratio.'
        when judged.beats_yardstick and judged.is_difference_beyond_chance
            then 'Beats ' || judged.words || ' after costs'
        when judged.beats_yardstick
            then 'Beats ' || judged.words || ' after costs, but not beyond chance'
        else 'Does not beat ' || judged.words || ' after costs'
    end || case
        when judged.is_itself or judged.sharpe_difference is null then ''
        else printf(
            ': Sharpe ratio %.2f against %.2f on %d sessions',
            judged.sharpe,
            judged.yardstick_sharpe,
            judged.compared_sessions
        ) || coalesce(
            printf(
                ', %.1f standard errors apart',
                abs(judged.sharpe_difference) / nullif(judged.standard_error, 0)
            ),
            ''
        ) || '.'
    end as verdict -- The comparison in words.
from judged
