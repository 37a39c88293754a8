-- description: Every strategy against each yardstick (equal weight, buy and hold of the proxy),
-- after costs, on the sessions that all strategies share, in words. A strategy is compared with
-- every yardstick, itself and those that were not run included, so that each has a verdict.
-- grain: strategy, yardstick
with performance as (
    select
        performance.strategy,
        performance.sharpe
    from staging.stg_performance as performance
    where performance.period_kind = 'common'
),

comparisons as (
    select
        comparisons.strategy,
        comparisons.baseline,
        comparisons.sessions,
        comparisons.difference,
        comparisons.difference_error,
        comparisons.total_return_difference,
        comparisons.is_better,
        comparisons.is_clear
    from staging.stg_comparisons as comparisons
),

yardsticks as (
    select
        yardsticks.yardstick,
        yardsticks.words
    from (
        values ('equal_weight', 'equal weight'), ('buy_and_hold', 'buy and hold')
    ) as yardsticks(yardstick, words)
),

judged as (
    select
        own.strategy,
        yardsticks.yardstick,
        yardsticks.words,
        own.sharpe,
        other.sharpe as yardstick_sharpe,
        comparisons.difference as sharpe_difference,
        comparisons.difference_error as standard_error,
        comparisons.total_return_difference,
        coalesce(comparisons.sessions, 0) as compared_sessions,
        coalesce(comparisons.is_better, false) as beats_yardstick,
        coalesce(comparisons.is_clear, false) as is_difference_beyond_chance,
        own.strategy = yardsticks.yardstick as is_itself,
        other.strategy is null as is_missing
    from performance as own
    cross join yardsticks
    left join performance as other
        on other.strategy = yardsticks.yardstick
    left join comparisons
        on comparisons.strategy = own.strategy
        and comparisons.baseline = yardsticks.yardstick
)

select
    judged.strategy,
    judged.yardstick, -- Name of the strategy that it is compared with.
    judged.compared_sessions, -- Sessions with a return of both.
    judged.yardstick_sharpe, -- Annualised Sharpe ratio of the yardstick; null where it was not run
    -- or its returns do not vary.
    judged.sharpe_difference, -- Sharpe ratio above the yardstick's; null for the yardstick itself.
    judged.standard_error as sharpe_difference_standard_error, -- Standard error of that difference;
    -- null where there is none.
    judged.total_return_difference, -- Compounded return above the yardstick's, fraction; null for
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
