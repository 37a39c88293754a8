-- description: What each policy holds at a close and wants from the next open on, for every listed
-- ticker.
-- grain: policy, date, ticker
select
    weights.policy,
    weights.date,
    weights.ticker,
    weights."window",
    weights.is_decision,
    weights.target_weight,
    weights.held_weight,
    weights.is_halted,
    weights.target_weight_seed_std,
    weights.seed_count,
    weights.model_sha256
from portfolio.weights as weights
