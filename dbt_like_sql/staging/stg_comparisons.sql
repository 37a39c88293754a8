-- description: Every strategy against the yardsticks on the period that all strategies share, after
-- costs, and how sure the difference is.
-- grain: strategy, baseline
select
    comparisons.strategy,
    comparisons.baseline,
    comparisons.sessions,
    comparisons.sharpe,
    comparisons.baseline_sharpe,
    comparisons.difference,
    comparisons.difference_error,
    comparisons.total_return_difference,
    comparisons.is_better,
    comparisons.is_clear,
    comparisons.seed_count,
    comparisons.sharpe_seed_low,
    comparisons.sharpe_seed_high
from backtesting.comparisons as comparisons
