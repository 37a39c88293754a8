-- description: Quantiles over paths resampled from a strategy's daily returns.
-- grain: strategy, quantity, quantile
select
    monte_carlo.strategy,
    monte_carlo.quantity,
    monte_carlo.quantile,
    monte_carlo.value,
    monte_carlo.probability_of_loss,
    monte_carlo.paths,
    monte_carlo.path_sessions,
    monte_carlo.block_sessions,
    monte_carlo.sessions,
    monte_carlo.is_simulated
from backtesting.monte_carlo as monte_carlo
