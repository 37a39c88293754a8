-- asset: marts.mart_strategy_comparison
-- description: No strategy is said to beat a yardstick without a higher Sharpe ratio on the same
-- sessions, and no difference to be more than chance without two standard errors of it.
-- severity: error
-- blocking: true
with claims as (
    select
        comparison.strategy,
        'equal weight' as yardstick,
        comparison.sharpe - comparison.equal_weight_sharpe as difference,
        comparison.sharpe_over_equal_weight_standard_error as standard_error,
        comparison.beats_equal_weight as beats_yardstick,
        comparison.is_equal_weight_difference_beyond_chance as is_beyond_chance,
        comparison.verdict
    from marts.mart_strategy_comparison as comparison

    union all

    select
        comparison.strategy,
        'buy and hold' as yardstick,
        comparison.sharpe - comparison.buy_and_hold_sharpe as difference,
        comparison.sharpe_over_buy_and_hold_standard_error as standard_error,
        comparison.beats_buy_and_hold as beats_yardstick,
        comparison.is_buy_and_hold_difference_beyond_chance as is_beyond_chance,
        comparison.verdict
    from marts.mart_strategy_comparison as comparison
)

select
    claims.strategy,
    claims.yardstick,
    claims.difference,
    claims.standard_error,
    claims.beats_yardstick,
    claims.is_beyond_chance,
    claims.verdict
from claims
where
    claims.beats_yardstick <> contains(claims.verdict, 'Beats ' || claims.yardstick)
    or (claims.beats_yardstick and not coalesce(claims.difference > 0, false))
    or (
        claims.is_beyond_chance
        and not coalesce(abs(claims.difference) > 2 * claims.standard_error, false)
    )
