-- asset: marts.mart_current_portfolio
-- description: With cash, the weights that a policy wants add up to 1, so do those that it holds,
-- its orders add up to 0, and no weight is negative.
-- severity: error
-- blocking: true
with portfolios as (
    select
        portfolios.policy,
        portfolios.target_weight,
        portfolios.held_weight,
        portfolios.order_weight
    from marts.mart_current_portfolio as portfolios
)

select
    portfolios.policy,
    sum(portfolios.target_weight) as target_weight,
    sum(portfolios.held_weight) as held_weight,
    sum(portfolios.order_weight) as order_weight,
    least(min(portfolios.target_weight), min(portfolios.held_weight)) as smallest_weight
from portfolios
group by portfolios.policy
having
    abs(sum(portfolios.target_weight) - 1) > 1e-9
    or abs(sum(portfolios.held_weight) - 1) > 1e-9
    or abs(sum(portfolios.order_weight)) > 1e-9
    or least(min(portfolios.target_weight), min(portfolios.held_weight)) < -1e-9
