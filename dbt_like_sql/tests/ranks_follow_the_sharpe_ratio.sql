-- asset: marts.mart_strategy_comparison
-- description: Ranks are 1, 2, 3 and so on without a gap, and no strategy stands before one with a
-- higher Sharpe ratio.
-- severity: error
-- blocking: true
with ranks as (
    select
        comparison.strategy,
        comparison.rank,
        comparison.sharpe,
        row_number() over (order by comparison.rank) as place,
        lag(coalesce(comparison.sharpe, '-infinity'::double)) over (order by comparison.rank)
            as sharpe_before
    from marts.mart_strategy_comparison as comparison
)

select
    ranks.strategy,
    ranks.rank,
    ranks.place,
    ranks.sharpe,
    ranks.sharpe_before
from ranks
where
    ranks.rank <> ranks.place
    or ranks.sharpe > ranks.sharpe_before
