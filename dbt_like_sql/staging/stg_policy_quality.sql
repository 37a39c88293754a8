-- description: How good the portfolio of each learned policy has been lately, after costs.
-- grain: policy, date
select
    policy_quality.policy,
    policy_quality.date,
    policy_quality."window",
    policy_quality.sharpe_20,
    policy_quality.sharpe_60,
    policy_quality.equal_weight_sharpe_60,
    policy_quality.expected_sharpe,
    policy_quality.sharpe_floor,
    policy_quality.is_sharpe_decayed,
    policy_quality.model_sha256
from monitoring.policy_quality as policy_quality
