-- description: One training a window, learned policy and seed: what it learned from, which
-- checkpoint validation chose, and the signed model that decides. Rules have no rows.
-- grain: window, policy, seed
select
    policies."window",
    policies.policy,
    policies.seed,
    policies.is_main_seed,
    policies.status,
    policies.reason,
    policies.train_start,
    policies.train_end,
    policies.valid_start,
    policies.valid_end,
    policies.steps,
    policies.selected_steps,
    policies.validation_sharpe,
    policies.training_reward,
    policies.hyperparameters,
    policies.threads,
    policies.warm_start_sha256,
    policies.data_sha256,
    policies.model_name,
    policies.model_sha256,
    policies.mlflow_run_id
from portfolio.policies as policies
