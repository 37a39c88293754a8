-- asset: staging.stg_monte_carlo
-- description: A higher quantile of resampled paths never has a lower value.
-- severity: error
-- blocking: false
select
    monte_carlo.strategy,
    monte_carlo.quantity,
    monte_carlo.quantile,
    monte_carlo.value
from staging.stg_monte_carlo as monte_carlo
qualify monte_carlo.value < lag(monte_carlo.value) over (
    partition by monte_carlo.strategy, monte_carlo.quantity
    order by monte_carlo.quantile
)
