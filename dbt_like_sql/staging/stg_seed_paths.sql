-- description: The path of every independently trained seed of a learned policy, after costs.
-- grain: policy, seed, date
select
    seed_paths.policy,
    seed_paths.seed,
    seed_paths.date,
    seed_paths."window",
    seed_paths.equity,
    seed_paths.return,
    seed_paths.is_main_seed,
    seed_paths.is_own_training
from portfolio.seed_paths as seed_paths
