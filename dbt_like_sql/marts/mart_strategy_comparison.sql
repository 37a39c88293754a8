-- description: Every strategy after costs on the sessions that all strategies share, ranked by
-- Sharpe ratio, beside equal weight and buy and hold of the proxy. A difference counts as more than
-- chance only where the Sharpe ratios of at least 252 sessions lie further apart than two standard
-- errors of their difference, which takes one session to tell nothing of the next; with many
-- strategies one of them will look good by luck all the same. Read `verdict` first.
-- grain: strategy
with performance as (
    select
        performance.strategy,
        performance.start_date,
        performance.end_date,
        performance.sessions,
        performance.total_return,
        performance.cagr,
        performance.volatility,
        performance.sharpe,
        performance.sharpe_standard_error,
        performance.probabilistic_sharpe,
        performance.sortino,
        performance.calmar,
        performance.max_drawdown,
        performance.max_drawdown_sessions,
        performance.win_rate,
        performance.profit_factor,
        performance.turnover,
        performance.annual_cost,
        performance.cost_share,
        performance.beta,
        performance.correlation,
        performance.value_at_risk_95,
        performance.expected_shortfall_95,
        performance.seed_count,
        performance.sharpe_seed_low,
        performance.sharpe_seed_high,
        performance.total_return_seed_low,
        performance.total_return_seed_high,
        performance.max_drawdown_seed_low,
        performance.max_drawdown_seed_high,
        performance.is_simulated
    from staging.stg_performance as performance
    where performance.period_kind = 'common'
),

comparisons as (
    select
        comparisons.strategy,
        comparisons.yardstick,
        comparisons.yardstick_sharpe,
        comparisons.sharpe_difference,
        comparisons.sharpe_difference_standard_error,
        comparisons.total_return_difference,
        comparisons.beats_yardstick,
        comparisons.is_difference_beyond_chance,
        comparisons.verdict
    from intermediate.int_yardstick_comparisons as comparisons
),

monte_carlo as (
    select
        monte_carlo.strategy,
        monte_carlo.probability_of_loss,
        monte_carlo.paths,
        monte_carlo.path_sessions
    from staging.stg_monte_carlo as monte_carlo
    where monte_carlo.quantity = 'terminal_wealth'
),

replays as (
    select
        stress.strategy,
        stress.scenario,
        stress.method,
        stress.portfolio_return,
        stress.proxy_return
    from staging.stg_stress as stress
    where
        stress.kind = 'replay'
        and stress.portfolio_return is not null
),

tear_sheets as (
    select
        tear_sheets.strategy,
        tear_sheets.path
    from staging.stg_tear_sheets as tear_sheets
),

ranked as (
    select
        performance.*,
        row_number() over (
            order by performance.sharpe desc nulls last, performance.strategy
        ) as rank,
        count(*) over () as strategy_count
    from performance
),

resampled as (
    select
        monte_carlo.strategy,
        max(monte_carlo.probability_of_loss) as probability_of_loss,
        max(monte_carlo.paths) as paths,
        max(monte_carlo.path_sessions) as path_sessions
    from monte_carlo
    group by monte_carlo.strategy
),

worst_replays as (
    select replays.*
    from replays
    qualify row_number() over (
        partition by replays.strategy
        order by replays.portfolio_return, replays.scenario
    ) = 1
)

select
    ranked.strategy,
    ranked.rank, -- Place by Sharpe ratio after costs, 1 is the highest; strategies without one come
    -- last, ties go by name.
    ranked.strategy_count, -- Strategies that are ranked.
    ranked.start_date,
    ranked.end_date,
    ranked.sessions,
    ranked.total_return,
    ranked.cagr,
    ranked.volatility,
    ranked.sharpe,
    ranked.sharpe_standard_error,
    ranked.probabilistic_sharpe,
    ranked.seed_count,
    ranked.sharpe_seed_low,
    ranked.sharpe_seed_high,
    ranked.total_return_seed_low,
    ranked.total_return_seed_high,
    ranked.max_drawdown_seed_low,
    ranked.max_drawdown_seed_high,
    against_equal_weight.yardstick_sharpe as equal_weight_sharpe, -- Sharpe ratio of equal_weight;
    -- null where it was not run or has none.
    against_equal_weight.sharpe_difference as sharpe_over_equal_weight, -- Sharpe ratio above that
    -- of equal_weight; null for equal_weight itself.
    against_equal_weight.sharpe_difference_standard_error
        as sharpe_over_equal_weight_standard_error, -- Standard error of that difference, from the
    -- returns of the same sessions.
    against_equal_weight.total_return_difference as total_return_over_equal_weight, -- Compounded
    -- return above that of equal_weight, fraction; null for equal_weight itself.
    against_equal_weight.beats_yardstick as beats_equal_weight, -- Whether the Sharpe ratio after
    -- costs is higher than that of equal_weight, by however little.
    against_equal_weight.is_difference_beyond_chance
        as is_equal_weight_difference_beyond_chance, -- Whether the Sharpe ratios, on at least 252
    -- sessions, lie further apart than two standard errors of their difference.
    against_buy_and_hold.yardstick_sharpe as buy_and_hold_sharpe, -- Sharpe ratio of buy_and_hold;
    -- null where it was not run or has none.
    against_buy_and_hold.sharpe_difference as sharpe_over_buy_and_hold, -- Sharpe ratio above that
    -- of buy_and_hold; null for buy_and_hold itself.
    against_buy_and_hold.sharpe_difference_standard_error
        as sharpe_over_buy_and_hold_standard_error, -- Standard error of that difference, from the
    -- returns of the same sessions.
    against_buy_and_hold.total_return_difference as total_return_over_buy_and_hold, -- Compounded
    -- return above that of buy_and_hold, fraction; null for buy_and_hold itself.
    against_buy_and_hold.beats_yardstick as beats_buy_and_hold, -- Whether the Sharpe ratio after
    -- costs is higher than that of buy_and_hold, by however little.
    against_buy_and_hold.is_difference_beyond_chance
        as is_buy_and_hold_difference_beyond_chance, -- Whether the Sharpe ratios, on at least 252
    -- sessions, lie further apart than two standard errors of their difference.
    against_equal_weight.verdict || ' ' || against_buy_and_hold.verdict || case
        when ranked.seed_count = 0 then ''
        when ranked.seed_count = 1
            then ' One training stands behind it: its spread over seeds is unknown.'
        else coalesce(
            printf(
                ' Its %d trained seeds have Sharpe ratios from %.2f to %.2f.',
                ranked.seed_count,
                ranked.sharpe_seed_low,
                ranked.sharpe_seed_high
            ),
            ''
        )
    end as verdict, -- Both comparisons in words, with the spread over seeds of what was learned.
    ranked.sortino,
    ranked.calmar,
    ranked.max_drawdown,
    ranked.max_drawdown_sessions,
    ranked.win_rate,
    ranked.profit_factor,
    ranked.turnover,
    ranked.annual_cost,
    ranked.cost_share,
    ranked.beta,
    ranked.correlation,
    ranked.value_at_risk_95,
    ranked.expected_shortfall_95,
    resampled.probability_of_loss, -- Share of resampled paths that end below their capital; null
    -- where none were drawn.
    resampled.paths as monte_carlo_paths, -- Resampled paths.
    resampled.path_sessions as monte_carlo_sessions, -- Sessions of each path.
    worst_replays.scenario as worst_replay, -- Crisis in which it lost most, of those with data.
    worst_replays.portfolio_return as worst_replay_return, -- Return over that crisis, fraction.
    worst_replays.method as worst_replay_method, -- own_path: as it then held; newest_weights: its
    -- newest portfolio held through the prices of then.
    worst_replays.proxy_return as worst_replay_proxy_return, -- Return of the proxy over that
    -- crisis, fraction.
    tear_sheets.path as tear_sheet_path, -- Report of the strategy, a file below the home; null
    -- before one is made.
    ranked.is_simulated
from ranked
inner join comparisons as against_equal_weight
    on against_equal_weight.strategy = ranked.strategy
    and against_equal_weight.yardstick = 'equal_weight'
inner join comparisons as against_buy_and_hold
    on against_buy_and_hold.strategy = ranked.strategy
    and against_buy_and_hold.yardstick = 'buy_and_hold'
left join resampled
    on resampled.strategy = ranked.strategy
left join worst_replays
    on worst_replays.strategy = ranked.strategy
left join tear_sheets
    on tear_sheets.strategy = ranked.strategy
order by ranked.rank
