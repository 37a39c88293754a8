-- description: Every policy that was trained inside a window, to be held against the one that
-- decides, and what stood in for it on sessions that neither had seen; append-only.
-- grain: policy, requested_as_of, role, model_sha256
select
    policy_challengers.policy,
    policy_challengers."window",
    policy_challengers.role,
    policy_challengers.trained_as_of,
    policy_challengers.requested_as_of,
    policy_challengers.train_start,
    policy_challengers.train_end,
    policy_challengers.valid_start,
    policy_challengers.valid_end,
    policy_challengers.steps,
    policy_challengers.selected_steps,
    policy_challengers.validation_sharpe,
    policy_challengers.warm_start_sha256,
    policy_challengers.data_sha256,
    policy_challengers.model_name,
    policy_challengers.model_sha256,
    policy_challengers.mlflow_run_id,
    policy_challengers.recorded_at
from portfolio.policy_challengers as policy_challengers
