-- description: Returns of a learned policy's portfolio in its newest window: as it was served, and
-- as it would have been had another version decided from a session on.
-- grain: policy, role, model_sha256, serves_after, date
select
    policy_trials.policy,
    policy_trials."window",
    policy_trials.role,
    policy_trials.model_sha256,
    policy_trials.serves_after,
    policy_trials.date,
    policy_trials.return,
    policy_trials.equity
from portfolio.policy_trials as policy_trials
